//! What the devices of a claim have to have in common, or apart.
//!
//! # Source
//! k8s.io/dynamic-resource-allocation `structured/internal/incubating/allocator_incubating.go` (`matchAttributeConstraint`),
//! `constraint.go` (`distinctAttributeConstraint`)

use k8s_openapi::api::resource::v1::{Device, DeviceAttribute, ResourceClaim};

use super::claims::{devices_of, display_name};

/// A constraint, and the devices that were chosen under it so far.
#[derive(Debug)]
pub(super) struct Constraint<'a> {
    kind: Kind,
    attribute: &'a str,
    /// The requests that it is about; all if none is named.
    requests: &'a [String],
    chosen: Vec<Value<'a>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// All devices have the same value.
    Match,
    /// No two devices have the same value.
    Distinct,
}

/// The value of an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Value<'a> {
    Text(&'a str),
    Number(i64),
    Truth(bool),
    Version(&'a str),
    /// None that can be compared.
    Other,
}

impl<'a> Value<'a> {
    fn of(attribute: &'a DeviceAttribute) -> Self {
        let text = attribute.string.as_deref().map(Self::Text);
        text.or_else(|| attribute.int.map(Self::Number))
            .or_else(|| attribute.bool.map(Self::Truth))
            .or_else(|| attribute.version.as_deref().map(Self::Version))
            .unwrap_or(Self::Other)
    }
}

/// The constraints of a claim.
///
/// # Errors
/// One is of a kind that isn't known.
pub(super) fn constraints_of(claim: &ResourceClaim) -> Result<Vec<Constraint<'_>>, String> {
    let constraints =
        devices_of(claim).and_then(|devices| devices.constraints.as_ref()).into_iter().flatten();
    let mut all = Vec::new();
    for (index, constraint) in constraints.enumerate() {
        let matching = constraint.match_attribute.as_deref().map(|name| (Kind::Match, name));
        let distinct = constraint.distinct_attribute.as_deref().map(|name| (Kind::Distinct, name));
        let (kind, attribute) = matching.or(distinct).ok_or_else(|| {
            let claim = display_name(claim);
            format!("claim {claim}, constraint #{index}: empty constraint (unsupported constraint type?)")
        })?;
        let requests = constraint.requests.as_deref().unwrap_or_default();
        all.push(Constraint { kind, attribute, requests, chosen: Vec::new() });
    }
    Ok(all)
}

impl<'a> Constraint<'a> {
    fn is_about(&self, request: &str) -> bool {
        self.requests.is_empty() || self.requests.iter().any(|name| name == request)
    }

    /// Takes a device of a driver for a request, unless that would break the constraint.
    pub(super) fn add(&mut self, request: &str, driver: &str, device: &'a Device) -> bool {
        if !self.is_about(request) {
            return true;
        }
        let Some(value) = attribute(device, driver, self.attribute).map(Value::of) else { return false };
        let keeps = match self.kind {
            // The first device can always be taken.
            Kind::Match => self.chosen.first().is_none_or(|first| *first == value && value != Value::Other),
            Kind::Distinct => self.chosen.iter().all(|other| *other != value && value != Value::Other),
        };
        if keeps {
            self.chosen.push(value);
        }
        keeps
    }

    /// Gives back the device that was taken last for that request.
    pub(super) fn remove_last(&mut self, request: &str) {
        if self.is_about(request) {
            self.chosen.pop();
        }
    }
}

/// An attribute by its full name. The driver's own may stand without its domain.
///
/// # Source
/// `allocator_incubating.go` (`lookupAttribute`)
fn attribute<'a>(device: &'a Device, driver: &str, full_name: &str) -> Option<&'a DeviceAttribute> {
    let attributes = device.attributes.as_ref()?;
    attributes.get(full_name).or_else(|| {
        let (domain, id) = full_name.split_once('/')?;
        if domain == driver { attributes.get(id) } else { None }
    })
}
