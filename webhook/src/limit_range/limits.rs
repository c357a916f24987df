//! LimitRanges as they are decided by: read once, no text left to parse.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{LimitRange, LimitRangeItem};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as ApiQuantity;
use plimsoll_api::field::Path;
use plimsoll_resource_math::ResourceList;
use plimsoll_resource_math::resource_list::ParseResourceListError;

/// What an item of a LimitRange applies to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ItemType {
    /// Every container and init container.
    Container,
    /// Pods, as the sum of their containers.
    Pod,
    /// Claims on persistent volumes.
    PersistentVolumeClaim,
    /// A type that someone else enforces, if anyone; nothing here follows from it.
    Other(String),
}

impl ItemType {
    /// The type as the field and messages spell it.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Container => "Container",
            Self::Pod => "Pod",
            Self::PersistentVolumeClaim => "PersistentVolumeClaim",
            Self::Other(name) => name,
        }
    }
}

impl From<&str> for ItemType {
    fn from(name: &str) -> Self {
        match name {
            "Container" => Self::Container,
            "Pod" => Self::Pod,
            "PersistentVolumeClaim" => Self::PersistentVolumeClaim,
            other => Self::Other(other.to_owned()),
        }
    }
}

/// One item of a LimitRange: its amounts by resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// What it applies to.
    pub item_type: ItemType,
    /// The least that may be asked for.
    pub min: ResourceList,
    /// The most that may be asked for.
    pub max: ResourceList,
    /// The limit of a container that has none.
    pub default: ResourceList,
    /// The request of a container that has none.
    pub default_request: ResourceList,
    /// How many times the request the limit may be.
    pub max_limit_request_ratio: ResourceList,
}

/// One LimitRange, ready to decide by.
#[derive(Clone, Debug, PartialEq)]
pub struct Limits {
    /// The name of the LimitRange.
    pub name: String,
    items: Vec<Item>,
    pub(super) container_defaults: ContainerDefaults,
}

/// What a container that leaves amounts out gets, as API objects have it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct ContainerDefaults {
    pub(super) requests: BTreeMap<String, ApiQuantity>,
    pub(super) limits: BTreeMap<String, ApiQuantity>,
}

/// An amount of a LimitRange that is no quantity.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {error}")]
pub struct ParseLimitsError {
    /// The field that holds the list, such as `spec.limits[0].max`.
    pub field: String,
    /// What is wrong in that list.
    pub error: ParseResourceListError,
}

impl Limits {
    /// Reads a LimitRange as it is stored, that is after [`set_defaults`](super::object::set_defaults).
    ///
    /// # Errors
    /// The first amount that is no quantity.
    pub fn parse(limit_range: &LimitRange) -> Result<Self, ParseLimitsError> {
        let root = Path::root("spec");
        let list = root.child("limits");
        let items = limit_range.spec.as_ref().map(|spec| spec.limits.as_slice()).unwrap_or_default();
        let parse = |(index, item)| parse_item(&list.index(index), item);
        let items = items.iter().enumerate().map(parse).collect::<Result<Vec<_>, _>>()?;
        let name = limit_range.metadata.name.clone().unwrap_or_default();
        Ok(Self::new(name, items))
    }

    fn new(name: String, items: Vec<Item>) -> Self {
        let mut container_defaults = ContainerDefaults::default();
        // A valid LimitRange has one item of a type; if it has several, the later one overrides.
        for item in items.iter().filter(|item| item.item_type == ItemType::Container) {
            container_defaults.requests.extend(item.default_request.to_api());
            container_defaults.limits.extend(item.default.to_api());
        }
        Self { name, items, container_defaults }
    }

    /// The items, in the order of the object.
    pub fn items(&self) -> &[Item] {
        &self.items
    }
}

fn parse_item(path: &Path<'_>, item: &LimitRangeItem) -> Result<Item, ParseLimitsError> {
    let parse = |field, list: &Option<BTreeMap<String, ApiQuantity>>| {
        ResourceList::parse(list.as_ref())
            .map_err(|error| ParseLimitsError { field: path.child(field).to_string(), error })
    };
    Ok(Item {
        item_type: ItemType::from(item.type_.as_str()),
        min: parse("min", &item.min)?,
        max: parse("max", &item.max)?,
        default: parse("default", &item.default)?,
        default_request: parse("defaultRequest", &item.default_request)?,
        max_limit_request_ratio: parse("maxLimitRequestRatio", &item.max_limit_request_ratio)?,
    })
}

/// The LimitRanges of one namespace, in order of name.
///
/// DIFFERENCE: D-LimitRange-1. Upstream takes them in the random order of its cache; the first one that gives a default
/// or refuses wins.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LimitRanges(Vec<Limits>);

impl LimitRanges {
    /// In order of name.
    pub fn iter(&self) -> std::slice::Iter<'_, Limits> {
        self.0.iter()
    }

    /// Whether the namespace has none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<Limits> for LimitRanges {
    fn from_iter<T: IntoIterator<Item = Limits>>(limits: T) -> Self {
        let mut sorted: Vec<Limits> = limits.into_iter().collect();
        sorted.sort_by(|a, b| a.name.cmp(&b.name));
        Self(sorted)
    }
}

impl<'a> IntoIterator for &'a LimitRanges {
    type Item = &'a Limits;
    type IntoIter = std::slice::Iter<'a, Limits>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}
