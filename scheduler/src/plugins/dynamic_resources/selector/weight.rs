//! How much there is to read or copy in a value.

use cel::common::types::{CelBytes, CelList, CelMap, CelOptional, CelString};
use cel::common::value::Val;

use super::device_value::DomainMap;

/// How many bytes of a text weigh 1.
///
/// # Source
/// github.com/google/cel-go `common/cost.go` (`StringTraversalCostFactor`)
pub(super) const BYTES_EACH: u64 = 10;

/// One for each value within the value and itself, and what its texts weigh. Once it is more than `enough`, it is not looked
/// at further.
pub(super) fn weight(value: &dyn Val, enough: u64) -> u64 {
    let mut sum = 1;
    if let Some(text) = value.downcast_ref::<CelString>() {
        sum += of_text(text.inner().len());
    } else if let Some(bytes) = value.downcast_ref::<CelBytes>() {
        sum += of_text(bytes.inner().len());
    } else if let Some(list) = value.downcast_ref::<CelList>() {
        for element in list.inner() {
            if sum > enough {
                break;
            }
            sum += weight(element.as_ref(), enough - sum);
        }
    } else if let Some(map) =
        value.downcast_ref::<CelMap>().or_else(|| value.downcast_ref::<DomainMap>().map(DomainMap::domains))
    {
        for (key, element) in map.inner() {
            if sum > enough {
                break;
            }
            sum += weight(key.inner(), enough - sum);
            sum += weight(element.as_ref(), enough.saturating_sub(sum));
        }
    } else if let Some(inner) = value.downcast_ref::<CelOptional>().and_then(CelOptional::option) {
        sum += weight(inner, enough);
    }
    sum
}

pub(super) fn of_text(bytes: usize) -> u64 {
    bytes as u64 / BYTES_EACH
}
