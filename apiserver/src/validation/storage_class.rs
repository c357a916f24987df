//! StorageClasses.
//!
//! # Source
//! kubernetes `pkg/apis/storage/validation`, and the rules declared in `pkg/apis/storage/v1`, which are reported last

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::TopologySelectorTerm;
use k8s_openapi::api::storage::v1::StorageClass;
use plimsoll_api::field::{Error, ErrorList, Path};
use plimsoll_api::names;

use super::label_selector::validate_label_name;
use super::object_meta::{extend_invalid, name_is_dns_subdomain, validate_object_meta};
use super::{distinct, named};

const MAX_PARAMETERS: usize = 512;
const MAX_PARAMETERS_SIZE: usize = 256 * 1024;

/// The keys of a term with the values of each.
type Topology<'a> = BTreeMap<&'a str, BTreeSet<&'a str>>;

/// What is wrong with a StorageClass that is being created.
///
/// # Source
/// kubernetes `pkg/apis/storage/validation` (`ValidateStorageClass`)
pub fn validate_create(class: &StorageClass) -> ErrorList {
    let mut errors =
        validate_object_meta(&class.metadata, false, name_is_dns_subdomain, &Path::root("metadata"));
    let provisioner_path = Path::root("provisioner");
    if !class.provisioner.is_empty() {
        let provisioner = class.provisioner.to_lowercase();
        extend_invalid(&mut errors, &provisioner_path, &provisioner, names::qualified_name(&provisioner));
    }
    if let Some(parameters) = &class.parameters {
        validate_parameters(&mut errors, parameters, &Path::root("parameters"));
    }
    validate_choice(&mut errors, class.reclaim_policy.as_deref(), &["Delete", "Retain"], "reclaimPolicy");
    let modes = ["Immediate", "WaitForFirstConsumer"];
    match class.volume_binding_mode.as_deref() {
        None => errors.push(Error::required(&Path::root("volumeBindingMode"), "")),
        Some("") => {
            errors.push(Error::not_supported(&Path::root("volumeBindingMode"), named(""), &modes));
        }
        mode => validate_choice(&mut errors, mode, &modes, "volumeBindingMode"),
    }
    let topologies = class.allowed_topologies.as_deref().unwrap_or_default();
    validate_topologies(&mut errors, topologies, &Path::root("allowedTopologies"));
    if class.provisioner.is_empty() {
        errors.push(Error::required(&provisioner_path, ""));
    }
    distinct(errors)
}

fn validate_choice(errors: &mut ErrorList, word: Option<&str>, choices: &[&str], field: &str) {
    if let Some(word) = word.filter(|word| !word.is_empty() && !choices.contains(word)) {
        errors.push(Error::not_supported(&Path::root(field), named(word), choices));
    }
}

fn validate_parameters(errors: &mut ErrorList, parameters: &BTreeMap<String, String>, path: &Path<'_>) {
    if parameters.len() > MAX_PARAMETERS {
        errors.push(Error::too_long(path, MAX_PARAMETERS));
        return;
    }
    if parameters.contains_key("") {
        errors.push(Error::invalid(path, "", "field can not be empty."));
    }
    let size: usize = parameters.iter().map(|(key, value)| key.len() + value.len()).sum();
    if size > MAX_PARAMETERS_SIZE {
        errors.push(Error::too_long(path, MAX_PARAMETERS_SIZE));
    }
}

/// # Source
/// kubernetes `pkg/apis/storage/validation` (`validateAllowedTopologies`)
fn validate_topologies(errors: &mut ErrorList, terms: &[TopologySelectorTerm], path: &Path<'_>) {
    let mut seen: Vec<Topology<'_>> = Vec::new();
    for (index, term) in terms.iter().enumerate() {
        let path = path.index(index);
        let topology = validate_topology(errors, term, &path);
        // Upstream compares with as many empty terms as there are terms, too.
        let empty_terms = if topology.is_empty() { terms.len() } else { 0 };
        let repeated = seen.iter().filter(|seen| **seen == topology).count() + empty_terms;
        for _ in 0..repeated {
            errors.push(Error::duplicate(&path.child("matchLabelExpressions"), ""));
        }
        seen.push(topology);
    }
}

fn validate_topology<'a>(
    errors: &mut ErrorList,
    term: &'a TopologySelectorTerm,
    path: &Path<'_>,
) -> Topology<'a> {
    let path = path.child("matchLabelExpressions");
    let mut topology = Topology::new();
    for (index, requirement) in term.match_label_expressions.iter().flatten().enumerate() {
        let path = path.index(index);
        let values_path = path.child("values");
        if requirement.values.is_empty() {
            errors.push(Error::required(&values_path, ""));
        }
        let mut values = BTreeSet::new();
        for (index, value) in requirement.values.iter().enumerate() {
            if !values.insert(value.as_str()) {
                errors.push(Error::duplicate(&values_path.index(index), value));
            }
        }
        let key_path = path.child("key");
        validate_label_name(errors, &requirement.key, &key_path);
        if topology.insert(&requirement.key, values).is_some() {
            errors.push(Error::duplicate(&key_path, &requirement.key));
        }
    }
    topology
}
