//! A device as expressions see it.

use std::any::Any;
use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use cel::ExecutionError;
use cel::common::traits::{Container, Indexer, Iterable, Sizer};
use cel::common::types::{CelBool, CelInt, CelList, CelMap, CelMapKey, CelString, Type};
use cel::common::value::{CowVal, StaticVal, Val};
use k8s_openapi::api::resource::v1::{Device, DeviceAttribute};
use plimsoll_resource_math::Quantity;

use super::quantity_value::QuantityValue;
use super::version_value::VersionValue;

/// A value that owns all it has.
type Owned = Box<dyn Val>;

static NOTHING: LazyLock<CelMap<'static>> = LazyLock::new(CelMap::default);

/// The variable `device`.
///
/// # Errors
/// An attribute or a capacity has no value that can be read.
///
/// # Source
/// k8s.io/dynamic-resource-allocation `cel/compile.go` (`DeviceMatches`)
pub(super) fn device_value(driver: &str, device: &Device) -> Result<Owned, String> {
    let mut attributes = Domains::default();
    for (name, attribute) in device.attributes.iter().flatten() {
        let value = attribute_value(attribute).map_err(|problem| format!("attribute {name}: {problem}"))?;
        attributes.add(name, driver, value);
    }
    let mut capacity = Domains::default();
    for (name, amount) in device.capacity.iter().flatten() {
        let amount = Quantity::parse(amount.value.0.trim()).map_err(|error| error.to_string())?;
        capacity.add(name, driver, Box::new(QuantityValue(amount)));
    }
    let shared = device.allow_multiple_allocations.unwrap_or(false);
    Ok(Box::new(map([
        ("driver", Box::new(CelString::from(driver.to_owned())) as Owned),
        ("allowMultipleAllocations", Box::new(CelBool::from(shared))),
        ("attributes", Box::new(attributes.into_value())),
        ("capacity", Box::new(capacity.into_value())),
    ])))
}

/// # Source
/// k8s.io/dynamic-resource-allocation `cel/compile.go` (`getAttributeValue`)
fn attribute_value(attribute: &DeviceAttribute) -> Result<Owned, String> {
    let version = |text: &String| {
        let parsed = VersionValue::parse(text);
        parsed.map_err(|problem| format!("parse semantic version: {problem}"))
    };
    let texts = |text: &String| Box::new(CelString::from(text.clone())) as Owned;
    Ok(if let Some(values) = &attribute.ints {
        list(values.iter().map(|value| Box::new(CelInt::from(*value)) as Owned))
    } else if let Some(values) = &attribute.bools {
        list(values.iter().map(|value| Box::new(CelBool::from(*value)) as Owned))
    } else if let Some(values) = &attribute.strings {
        list(values.iter().map(texts))
    } else if let Some(values) = &attribute.versions {
        let values: Result<Vec<VersionValue>, String> = values.iter().map(version).collect();
        list(values?.into_iter().map(|value| Box::new(value) as Owned))
    } else if let Some(value) = attribute.int {
        Box::new(CelInt::from(value))
    } else if let Some(value) = attribute.bool {
        Box::new(CelBool::from(value))
    } else if let Some(value) = &attribute.string {
        texts(value)
    } else if let Some(value) = &attribute.version {
        Box::new(version(value)?)
    } else {
        return Err("unsupported attribute value".to_owned());
    })
}

fn list(values: impl Iterator<Item = Owned>) -> Owned {
    Box::new(CelList::from(values.collect::<Vec<Owned>>()))
}

fn map<'k>(entries: impl IntoIterator<Item = (&'k str, Owned)>) -> CelMap<'static> {
    let key = |name: &str| CelMapKey::from(name.to_owned());
    let entries: HashMap<CelMapKey<'static>, Owned> =
        entries.into_iter().map(|(name, value)| (key(name), value)).collect();
    CelMap::from(entries)
}

/// Values by domain and name. A name without a domain is of the driver's.
#[derive(Default)]
struct Domains(BTreeMap<String, BTreeMap<String, Owned>>);

impl Domains {
    fn add(&mut self, name: &str, driver: &str, value: Owned) {
        let (domain, id) = name.split_once('/').unwrap_or((driver, name));
        self.0.entry(domain.to_owned()).or_default().insert(id.to_owned(), value);
    }

    fn into_value(self) -> DomainMap {
        let inner = |(domain, values): (String, BTreeMap<String, Owned>)| {
            let values = map(values.iter().map(|(name, value)| (name.as_str(), value.clone())));
            (CelMapKey::from(domain), Box::new(values) as Owned)
        };
        DomainMap(CelMap::from(self.0.into_iter().map(inner).collect::<HashMap<_, _>>()))
    }
}

/// A map in which a domain that isn't there is empty, so that only its values are missing.
///
/// # Source
/// k8s.io/dynamic-resource-allocation `cel/compile.go` (`newStringInterfaceMapWithDefault`)
#[derive(Clone, Debug)]
pub(super) struct DomainMap(CelMap<'static>);

impl DomainMap {
    /// The domains that are there.
    pub(super) fn domains(&self) -> &CelMap<'static> {
        &self.0
    }
}

impl StaticVal for DomainMap {}

impl Val for DomainMap {
    fn get_type(&self) -> &Type {
        self.0.get_type()
    }

    fn cel_type() -> &'static Type {
        CelMap::cel_type()
    }

    fn as_container(&self) -> Option<&dyn Container> {
        self.0.as_container()
    }

    fn as_indexer<'b, 'v>(&'b self) -> Option<&'b (dyn Indexer + 'v)>
    where
        Self: 'v,
    {
        Some(self)
    }

    fn as_iterable<'b, 'v>(&'b self) -> Option<&'b (dyn Iterable + 'v)>
    where
        Self: 'v,
    {
        self.0.as_iterable()
    }

    fn as_sizer(&self) -> Option<&dyn Sizer> {
        self.0.as_sizer()
    }

    fn equals(&self, other: &dyn Val) -> bool {
        other.downcast_ref::<Self>().map_or_else(|| self.0.equals(other), |other| self.0.equals(&other.0))
    }

    fn clone_as_boxed<'v>(&self) -> Box<dyn Val + 'v> {
        Box::new(self.clone())
    }

    fn as_any(&self) -> Option<&dyn Any> {
        Some(self)
    }
}

impl Indexer for DomainMap {
    fn get<'b, 'v>(&'b self, index: &dyn Val) -> Result<CowVal<'b, 'v>, ExecutionError>
    where
        Self: 'v,
    {
        match self.0.get(index) {
            Err(ExecutionError::NoSuchKey(_)) => Ok(CowVal::Borrowed(&*NOTHING)),
            found => found,
        }
    }

    fn steal<'v>(self: Box<Self>, index: &dyn Val) -> Result<Box<dyn Val + 'v>, ExecutionError>
    where
        Self: 'v,
    {
        self.get(index).map(CowVal::into_owned)
    }
}
