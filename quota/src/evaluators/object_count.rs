//! Objects of which quota counts only how many there are.
//!
//! # Source
//! apiserver `pkg/quota/v1/generic/evaluator.go` (`objectCountEvaluator`)

use plimsoll_api::group::GroupResource;
use plimsoll_resource_math::{Format, Quantity, ResourceList};

/// Core resources that are also counted under their bare name.
///
/// # Source
/// kubernetes `pkg/quota/v1/evaluator/core/registry.go` (`legacyObjectCountAliases`)
pub(crate) const ALIASES: [&str; 4] = ["configmaps", "replicationcontrollers", "resourcequotas", "secrets"];

/// The keys under which the objects of one resource are counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectCount {
    count_key: String,
    alias: Option<&'static str>,
}

impl ObjectCount {
    /// The keys for a resource: `count/<resource>.<group>` and, for some, the bare name.
    pub fn of(resource: &GroupResource) -> Self {
        let alias =
            ALIASES.into_iter().find(|alias| resource.group.is_empty() && resource.resource == *alias);
        Self { count_key: count_key(resource), alias }
    }

    pub(super) fn matches(&self, key: &str) -> bool {
        key == self.count_key || self.alias == Some(key)
    }

    pub(super) fn usage(&self) -> ResourceList {
        let keys = std::iter::once(self.count_key.as_str()).chain(self.alias);
        keys.map(|key| (key.to_owned(), one())).collect()
    }
}

/// The key under which the stored objects of a resource are counted.
///
/// # Source
/// apiserver `pkg/quota/v1/generic/evaluator.go` (`ObjectCountQuotaResourceNameFor`)
pub fn count_key(resource: &GroupResource) -> String {
    format!("count/{resource}")
}

/// One object.
pub(super) fn one() -> Quantity {
    Quantity::from_units(1, Format::DecimalSi)
}
