//! The LimitRange object itself: what the API server fills in, and what makes it invalid.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{LimitRange, LimitRangeItem};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as ApiQuantity;
use plimsoll_api::field::{BadValue, Error, ErrorList, Path};
use plimsoll_api::names::qualified_name;
use plimsoll_resource_math::defaulting::round_resource_list;
use plimsoll_resource_math::resource_name::{self, STORAGE};
use plimsoll_resource_math::{Format, Quantity, ResourceList};

use super::limits::{Item, ItemType, Limits, ParseLimitsError};
use super::ratio;

type ApiList = Option<BTreeMap<String, ApiQuantity>>;

/// Fills in the defaults of `Container` items and rounds all amounts away from zero to whole thousandths.
///
/// Where an item leaves it out, `default` comes from `max`, and `defaultRequest` from `default`, else from `min`.
///
/// # Errors
/// The first amount that is no quantity; the object may then be changed in part.
///
/// # Source
/// kubernetes `pkg/apis/core/v1` (`SetDefaults_LimitRangeItem`, `SetObjectDefaults_LimitRange`)
pub fn set_defaults(limit_range: &mut LimitRange) -> Result<(), ParseLimitsError> {
    let root = Path::root("spec");
    let list = root.child("limits");
    for (index, item) in limit_range.spec.iter_mut().flat_map(|spec| spec.limits.iter_mut()).enumerate() {
        if item.type_ == ItemType::Container.as_str() {
            fill_in(&mut item.default, &item.max);
            fill_in(&mut item.default_request, &item.default);
            fill_in(&mut item.default_request, &item.min);
        }
        round_item(&list.index(index), item)?;
    }
    Ok(())
}

fn fill_in(list: &mut ApiList, from: &ApiList) {
    for (name, amount) in from.iter().flatten() {
        list.get_or_insert_default().entry(name.clone()).or_insert_with(|| amount.clone());
    }
}

fn round_item(path: &Path<'_>, item: &mut LimitRangeItem) -> Result<(), ParseLimitsError> {
    let lists = [
        ("max", &mut item.max),
        ("min", &mut item.min),
        ("default", &mut item.default),
        ("defaultRequest", &mut item.default_request),
        ("maxLimitRequestRatio", &mut item.max_limit_request_ratio),
    ];
    for (field, list) in lists {
        if let Some(list) = list {
            round_resource_list(list)
                .map_err(|error| ParseLimitsError { field: path.child(field).to_string(), error })?;
        }
    }
    Ok(())
}

/// What is wrong with the spec of a LimitRange, on creation and on update; its metadata is checked as any object's is.
///
/// Errors are in the order of the fields, then of the resource names.
///
/// # Source
/// kubernetes `pkg/apis/core/validation` (`ValidateLimitRange`)
pub fn validate(limits: &Limits) -> ErrorList {
    let root = Path::root("spec");
    let list = root.child("limits");
    let mut errors = ErrorList::new();
    for (index, item) in limits.items().iter().enumerate() {
        let path = list.index(index);
        validate_type(&item.item_type, &path, &mut errors);
        if limits.items()[..index].iter().any(|earlier| earlier.item_type == item.item_type) {
            let value = BadValue::json_string(item.item_type.as_str());
            errors.push(Error::duplicate(&path.child("type"), value));
        }
        validate_item(item, &path, &mut errors);
    }
    errors
}

fn validate_type(item_type: &ItemType, path: &Path<'_>, errors: &mut ErrorList) {
    let ItemType::Other(name) = item_type else { return };
    let path = path.child("type");
    let invalid = |why: String| Error::invalid(&path, BadValue::json_string(name), why);
    let malformed = qualified_name(name);
    if !malformed.is_empty() {
        errors.extend(malformed.into_iter().map(invalid));
    } else if !name.contains('/') {
        errors.push(invalid("must be a standard limit type or fully qualified".to_owned()));
    }
}

fn validate_item(item: &Item, path: &Path<'_>, errors: &mut ErrorList) {
    validate_names(item, &item.max, &path.child("max"), errors);
    validate_names(item, &item.min, &path.child("min"), errors);
    for (field, list) in [("default", &item.default), ("defaultRequest", &item.default_request)] {
        let path = path.child(field);
        if item.item_type != ItemType::Pod {
            validate_names(item, list, &path, errors);
        } else if !list.is_empty() {
            errors.push(Error::forbidden(&path, "may not be specified when `type` is 'Pod'"));
        }
    }
    if item.item_type == ItemType::PersistentVolumeClaim
        && !item.min.contains_key(STORAGE)
        && !item.max.contains_key(STORAGE)
    {
        let why = "either minimum or maximum storage value is required, but neither was provided";
        errors.push(Error::required(&path.child("limits"), why));
    }
    validate_names(item, &item.max_limit_request_ratio, &path.child("maxLimitRequestRatio"), errors);
    validate_amounts(item, path, errors);
}

fn validate_names(item: &Item, list: &ResourceList, path: &Path<'_>, errors: &mut ErrorList) {
    for name in list.keys() {
        let path = path.key(name);
        errors.extend(match item.item_type {
            ItemType::Pod | ItemType::Container => resource_name::validate_container(name, &path),
            _ => resource_name::validate(name, &path),
        });
    }
}

/// Checks the amounts of each resource against one another.
fn validate_amounts(item: &Item, path: &Path<'_>, errors: &mut ErrorList) {
    // The defaults of a Pod item are forbidden as a whole, so their amounts don't matter.
    let no_defaults = ResourceList::new();
    let (default, default_request) = match item.item_type {
        ItemType::Pod => (&no_defaults, &no_defaults),
        _ => (&item.default, &item.default_request),
    };
    let lists = [&item.max, &item.min, default, default_request, &item.max_limit_request_ratio];
    let mut names: Vec<&String> = lists.into_iter().flat_map(ResourceList::keys).collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        let amounts = Amounts {
            name,
            min: item.min.get(name),
            max: item.max.get(name),
            default: default.get(name),
            default_request: default_request.get(name),
            ratio: item.max_limit_request_ratio.get(name),
        };
        amounts.validate(path, errors);
    }
}

/// All that one item says about one resource.
struct Amounts<'a> {
    name: &'a str,
    min: Option<&'a Quantity>,
    max: Option<&'a Quantity>,
    default: Option<&'a Quantity>,
    default_request: Option<&'a Quantity>,
    ratio: Option<&'a Quantity>,
}

impl Amounts<'_> {
    fn validate(&self, path: &Path<'_>, errors: &mut ErrorList) {
        let Self { min, max, default, default_request: request, .. } = *self;
        let mut order =
            |low: Option<&Quantity>, low_is: &str, high: Option<&Quantity>, high_is: &str, at: At| {
                if let (Some(low), Some(high)) = (low, high)
                    && low > high
                {
                    let (field, shows_low) = at;
                    let why = format!("{low_is} value {low} is greater than {high_is} value {high}");
                    errors.push(self.invalid(path, field, if shows_low { low } else { high }, why));
                }
            };
        order(min, "min", max, "max", ("min", true));
        order(min, "min", request, "default request", ("defaultRequest", false));
        order(request, "default request", max, "max", ("defaultRequest", true));
        order(request, "default request", default, "default limit", ("defaultRequest", true));
        // For these two, upstream shows the bound where it names the field of the default.
        order(min, "min", default, "default", ("default", true));
        order(default, "default", max, "max", ("default", false));
        self.validate_ratio(path, errors);
        self.validate_overcommit(path, errors);
    }

    fn validate_ratio(&self, path: &Path<'_>, errors: &mut ErrorList) {
        let Some(ratio) = self.ratio else { return };
        if *ratio < Quantity::from_units(1, Format::DecimalSi) {
            let why = format!("ratio {ratio} is less than 1");
            errors.push(self.invalid(path, "maxLimitRequestRatio", ratio, why));
        }
        if let (Some(min), Some(max)) = (self.min, self.max)
            && let Some(reachable) = ratio::above_reachable(ratio, min, max)
        {
            let why = format!("ratio {ratio} is greater than max/min = {reachable}");
            errors.push(self.invalid(path, "maxLimitRequestRatio", ratio, why));
        }
    }

    /// What can't be overcommitted needs equal defaults for request and limit.
    fn validate_overcommit(&self, path: &Path<'_>, errors: &mut ErrorList) {
        if let (Some(default), Some(request)) = (self.default, self.default_request)
            && default != request
            && !resource_name::is_overcommit_allowed(self.name)
        {
            let name = self.name;
            let why =
                format!("default value {default} must equal to defaultRequest value {request} in {name}");
            errors.push(self.invalid(path, "defaultRequest", request, why));
        }
    }

    fn invalid(&self, path: &Path<'_>, field: &str, value: &Quantity, why: String) -> Error {
        let value = BadValue::json_string(&value.to_string());
        Error::invalid(&path.child(field).key(self.name), value, why)
    }
}

/// The field that an error names, and whether it shows the lower amount of the two.
type At = (&'static str, bool);
