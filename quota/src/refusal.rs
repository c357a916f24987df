//! Why quota refuses a request, as data and in upstream's words.

use std::fmt;

use plimsoll_api::group::GroupResource;
use plimsoll_api::status::Status;
use plimsoll_resource_math::Quantity;

use crate::scopes::{self, ScopeRequirement};

/// A request that quota refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The resource that was asked for.
    pub resource: GroupResource,
    /// The name of the object, as far as it is known.
    pub name: String,
    /// Why.
    pub cause: Cause,
}

/// Why quota refuses a request. Keys are in order of name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Some keys of a quota do not suffice.
    Exceeded {
        /// The quota.
        quota: String,
        /// The keys that do not suffice.
        keys: Vec<ExceededKey>,
    },
    /// Containers leave out amounts that a quota makes mandatory.
    MissingResources {
        /// The quota.
        quota: String,
        /// The keys and the containers that lack them.
        missing: Vec<MissingResource>,
    },
    /// A quota's usage has not been counted yet.
    StatusUnknown {
        /// The quota.
        quota: String,
        /// All its keys that the object falls under.
        keys: Vec<String>,
    },
    /// The object would use less than nothing of these keys.
    NegativeUsage {
        /// The keys.
        keys: Vec<String>,
    },
    /// An update came without the object that it changes.
    NoOldObject,
    /// Keys that the administrator limits, and that no quota covers.
    UncoveredResources {
        /// The keys.
        keys: Vec<String>,
    },
    /// Scopes that the administrator limits, and that no quota covers.
    UncoveredScopes {
        /// The scopes.
        scopes: Vec<ScopeRequirement>,
    },
    /// A scope selector of a quota can't be evaluated; the quota has to be mended.
    UnmatchableScope {
        /// The quota.
        quota: String,
        /// The selector.
        scope: ScopeRequirement,
        /// What is wrong with it.
        problem: String,
    },
}

/// A key of a quota that does not suffice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExceededKey {
    /// The key, such as `requests.cpu`.
    pub key: String,
    /// What the request would add.
    pub requested: Quantity,
    /// What is used already; nothing if it has never been counted.
    pub used: Option<Quantity>,
    /// The limit in force.
    pub limited: Quantity,
}

impl ExceededKey {
    /// The lowest limit with which the request would pass.
    pub fn sufficient(&self) -> Quantity {
        let mut sufficient = self.used.clone().unwrap_or_default();
        sufficient.add(&self.requested);
        sufficient
    }

    /// By how much the limit must at least be raised for the request to pass.
    pub fn smallest_raise(&self) -> Quantity {
        let mut raise = self.sufficient();
        raise.sub(&self.limited);
        raise
    }
}

/// A key that every container must set, and those that do not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingResource {
    /// The key, such as `limits.memory`.
    pub key: String,
    /// The containers without it, in order of name, each once.
    pub containers: Vec<String>,
}

impl Refusal {
    /// What the API server answers.
    pub fn status(&self) -> Status {
        let cause = self.cause.to_string();
        match &self.cause {
            Cause::UnmatchableScope { .. } => Status::plain_error(cause),
            // DIFFERENCE: D-quota-1. Upstream sends a plain error (500) for uncovered scopes.
            _ => Status::forbidden(&self.resource, &self.name, &cause),
        }
    }
}

impl Cause {
    /// The quota that refuses, if it is one.
    pub fn quota(&self) -> Option<&str> {
        match self {
            Self::Exceeded { quota, .. }
            | Self::MissingResources { quota, .. }
            | Self::StatusUnknown { quota, .. }
            | Self::UnmatchableScope { quota, .. } => Some(quota),
            Self::NegativeUsage { .. }
            | Self::NoOldObject
            | Self::UncoveredResources { .. }
            | Self::UncoveredScopes { .. } => None,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.status().message)
    }
}

impl fmt::Display for Cause {
    /// Upstream's sentence.
    ///
    /// # Source
    /// apiserver `pkg/admission/plugin/resourcequota` (`CheckRequest`), kubernetes `pkg/quota/v1/evaluator/core` (`Constraints`)
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exceeded { quota, keys } => write_exceeded(formatter, quota, keys),
            Self::MissingResources { quota, missing } => {
                write!(formatter, "failed quota: {quota}: {}", must_specify(missing))
            }
            Self::StatusUnknown { quota, keys } => {
                write!(formatter, "status unknown for quota: {quota}, resources: {}", keys.join(","))
            }
            Self::NegativeUsage { keys } => {
                write!(formatter, "quota usage is negative for resource(s): {}", keys.join(","))
            }
            Self::NoOldObject => formatter
                .write_str("unable to get previous usage since prior version of object was not found"),
            Self::UncoveredResources { keys } => {
                write!(formatter, "insufficient quota to consume: {}", keys.join(","))
            }
            Self::UncoveredScopes { scopes } => {
                write!(formatter, "insufficient quota to match these scopes: {}", scopes::as_list(scopes))
            }
            Self::UnmatchableScope { quota, scope, problem } => write!(
                formatter,
                "error matching scopes of quota {quota}, err: error on matching scope {scope}: {problem}"
            ),
        }
    }
}

fn write_exceeded(formatter: &mut fmt::Formatter<'_>, quota: &str, keys: &[ExceededKey]) -> fmt::Result {
    write!(formatter, "exceeded quota: {quota}, requested: ")?;
    write_amounts(formatter, keys.iter().map(|key| (&key.key, &key.requested)))?;
    formatter.write_str(", used: ")?;
    write_amounts(formatter, keys.iter().filter_map(|key| Some((&key.key, key.used.as_ref()?))))?;
    formatter.write_str(", limited: ")?;
    write_amounts(formatter, keys.iter().map(|key| (&key.key, &key.limited)))
}

fn write_amounts<'a>(
    formatter: &mut fmt::Formatter<'_>,
    amounts: impl Iterator<Item = (&'a String, &'a Quantity)>,
) -> fmt::Result {
    for (position, (key, amount)) in amounts.enumerate() {
        let separator = if position == 0 { "" } else { "," };
        write!(formatter, "{separator}{key}={amount}")?;
    }
    Ok(())
}

/// The sentence about missing amounts: `must specify cpu for: a,b; memory for: a`.
///
/// # Source
/// kubernetes `pkg/quota/v1/evaluator/core/pods.go` (`Constraints`)
pub fn must_specify(missing: &[MissingResource]) -> String {
    let clauses: Vec<String> = missing
        .iter()
        .map(|missing| format!("{} for: {}", missing.key, missing.containers.join(",")))
        .collect();
    format!("must specify {}", clauses.join("; "))
}
