//! Amounts that are legal and can't be had.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::api::resource::Quantity as ApiQuantity;
use plimsoll_api::field::Path;
use plimsoll_api::quote::go_quote;
use plimsoll_resource_math::Quantity;

use crate::validation::is_whole;

/// Bytes come in whole numbers.
pub(super) fn fractional(
    warnings: &mut Vec<String>,
    list: Option<&BTreeMap<String, ApiQuantity>>,
    name: &str,
    path: &Path<'_>,
) {
    let amount = list.and_then(|list| list.get(name)).and_then(|quantity| Quantity::parse(&quantity.0).ok());
    if let Some(amount) = amount.filter(|amount| !is_whole(amount)) {
        let (place, amount) = (path.key(name), go_quote(&amount.to_string()));
        warnings.push(format!("{place}: fractional byte value {amount} is invalid, must be an integer"));
    }
}
