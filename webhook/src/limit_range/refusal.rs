//! Why LimitRanges refuse an object, as data and in upstream's words.

use std::fmt;

use plimsoll_api::aggregate::aggregate;
use plimsoll_api::group::GroupResource;
use plimsoll_api::status::Status;
use plimsoll_resource_math::Quantity;

use super::constraint::{Fault, Rule};
use super::limits::ItemType;
use super::ratio;
use super::remedy::{self, Remedy};

/// Whose amounts break a rule.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Subject {
    /// The container of that name.
    Container(String),
    /// The init container or sidecar of that name.
    InitContainer(String),
    /// The pod, as the sum of its containers.
    Pod,
    /// The claim.
    PersistentVolumeClaim,
}

impl Subject {
    /// The type of the items that apply to it.
    pub fn item_type(&self) -> ItemType {
        match self {
            Self::Container(_) | Self::InitContainer(_) => ItemType::Container,
            Self::Pod => ItemType::Pod,
            Self::PersistentVolumeClaim => ItemType::PersistentVolumeClaim,
        }
    }
}

/// One rule broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Whose amounts break the rule.
    pub subject: Subject,
    /// The resource.
    pub resource: String,
    /// The rule.
    pub rule: Rule,
    /// The amount that the rule sets.
    pub bound: Quantity,
    /// In what way the amounts break it.
    pub fault: Fault,
    /// What is asked for, if anything is.
    pub request: Option<Quantity>,
    /// What may be used at most, if that is said.
    pub limit: Option<Quantity>,
}

impl Violation {
    /// The smallest changes that together satisfy this rule; empty if no single amount is known to.
    pub fn remedies(&self) -> Vec<Remedy> {
        remedy::remedies(self)
    }
}

/// Upstream's sentence. It does not tell which container it is about.
///
/// # Source
/// kubernetes `plugin/pkg/admission/limitranger` (`minConstraint` and its siblings)
impl fmt::Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { resource, bound, .. } = self;
        let item_type = self.subject.item_type();
        let item_type = item_type.as_str();
        match self.rule {
            Rule::Min => write!(formatter, "minimum {resource} usage per {item_type} is {bound}")?,
            Rule::Max => write!(formatter, "maximum {resource} usage per {item_type} is {bound}")?,
            Rule::MaxLimitRequestRatio => {
                write!(formatter, "{resource} max limit to request ratio per {item_type} is {bound}")?;
            }
        }
        let request = self.request.clone().unwrap_or_default();
        let limit = self.limit.clone().unwrap_or_default();
        match (self.fault, self.rule) {
            (Fault::NoRequest, Rule::MaxLimitRequestRatio) => {
                formatter.write_str(", but no request is specified or request is 0")
            }
            (Fault::NoLimit, Rule::MaxLimitRequestRatio) => {
                formatter.write_str(", but no limit is specified or limit is 0")
            }
            (Fault::NoRequest, _) => formatter.write_str(".  No request is specified"),
            (Fault::NoLimit, _) => formatter.write_str(".  No limit is specified"),
            (Fault::Request, _) => write!(formatter, ", but request is {request}"),
            (Fault::Limit, _) => write!(formatter, ", but limit is {limit}"),
            (Fault::Ratio, _) => {
                let ratio = ratio::display(bound, &request, &limit);
                write!(formatter, ", but provided ratio is {ratio}")
            }
        }
    }
}

/// All rules of one LimitRange that an object breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The name of the LimitRange.
    pub limit_range: String,
    /// The broken rules: by item, then by container, then by rule, then by resource.
    pub violations: Vec<Violation>,
}

impl Refusal {
    /// What the API server answers to the request for a resource; `name` is what
    /// [`display_name`](plimsoll_api::request::display_name) tells.
    ///
    /// # Source
    /// kubernetes `plugin/pkg/admission/limitranger` (`runLimitFunc`)
    pub fn status(&self, resource: &GroupResource, name: &str) -> Status {
        Status::forbidden(resource, name, &self.to_string())
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sentences: Vec<String> = self.violations.iter().map(Violation::to_string).collect();
        formatter.write_str(&aggregate(&sentences))
    }
}
