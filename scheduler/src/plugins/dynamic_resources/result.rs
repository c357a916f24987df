//! What is written down of the devices that a claim got.
//!
//! # Source
//! k8s.io/dynamic-resource-allocation `structured/internal/incubating/allocator_incubating.go` (`Allocate`, `createNodeSelector`)

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{NodeSelector, NodeSelectorRequirement, NodeSelectorTerm};
use k8s_openapi::api::resource::v1::{
    AllocationResult, DeviceAllocationConfiguration, DeviceAllocationResult, DeviceRequestAllocationResult,
};
use plimsoll_matching::node_selector::NAME_FIELD;

use super::claims::devices_of;
use super::pools::Pool;
use super::search::{Picked, Wanting};

/// The result for a claim on a node.
///
/// # Errors
/// Devices say in more than one way on which nodes they can be used.
pub(super) fn allocation_result(
    wanting: &Wanting<'_>,
    pools: &[Pool<'_>],
    node_name: &str,
) -> Result<AllocationResult, String> {
    let results = wanting.picked.iter().map(|picked| device_result(wanting, *picked, pools));
    let selector = node_selector(&wanting.picked, node_name).map_err(|problem| {
        let claim = wanting.claim.metadata.name.as_deref().unwrap_or_default();
        format!("create NodeSelector for claim {claim}: {problem}")
    })?;
    Ok(AllocationResult {
        allocation_timestamp: None,
        devices: Some(DeviceAllocationResult {
            config: Some(configurations(wanting)).filter(|config| !config.is_empty()),
            results: Some(results.collect::<Vec<_>>()).filter(|results| !results.is_empty()),
        }),
        node_selector: selector,
    })
}

fn device_result(
    wanting: &Wanting<'_>,
    picked: Picked<'_>,
    pools: &[Pool<'_>],
) -> DeviceRequestAllocationResult {
    let request = &wanting.requests[picked.request];
    let Pool { driver, name, .. } = pools[picked.candidate.pool];
    DeviceRequestAllocationResult {
        request: request.name.to_owned(),
        driver: driver.to_owned(),
        pool: name.to_owned(),
        device: picked.candidate.device.name.clone(),
        admin_access: request.is_admin.then_some(true),
        tolerations: request.tolerations.cloned().filter(|tolerations| !tolerations.is_empty()),
        ..DeviceRequestAllocationResult::default()
    }
}

/// What drivers are to be told: what the classes say, each once, then what the claim says.
fn configurations(wanting: &Wanting<'_>) -> Vec<DeviceAllocationConfiguration> {
    let mut all: Vec<DeviceAllocationConfiguration> = Vec::new();
    let mut seen: Vec<(Option<&str>, std::ops::Range<usize>)> = Vec::new();
    for request in &wanting.requests {
        let class = request.class.metadata.name.as_deref();
        let name = request.name.to_owned();
        if let Some((_, range)) = seen.iter().find(|(known, _)| *known == class) {
            let of_class = all[range.clone()].iter_mut();
            of_class.for_each(|config| config.requests.get_or_insert_default().push(name.clone()));
            continue;
        }
        let first = all.len();
        let configs = request.class.spec.iter().flat_map(|spec| spec.config.iter().flatten());
        all.extend(configs.map(|config| DeviceAllocationConfiguration {
            source: "FromClass".to_owned(),
            requests: Some(vec![name.clone()]),
            opaque: config.opaque.clone(),
        }));
        seen.push((class, first..all.len()));
    }
    let is_about_any = |requests: &[String]| {
        requests.is_empty()
            || wanting.requests.iter().any(|request| requests.iter().any(|name| name == request.name))
    };
    let devices = devices_of(wanting.claim);
    for config in devices.into_iter().flat_map(|devices| devices.config.iter().flatten()) {
        if is_about_any(config.requests.as_deref().unwrap_or_default()) {
            all.push(DeviceAllocationConfiguration {
                source: "FromClaim".to_owned(),
                requests: config.requests.clone(),
                opaque: config.opaque.clone(),
            });
        }
    }
    for config in &mut all {
        let about = config.requests.as_deref().unwrap_or_default();
        if wanting.requests.iter().all(|request| about.iter().any(|name| name == request.name)) {
            // None means all.
            config.requests = None;
        }
    }
    all
}

/// The nodes on which all of these devices can be used; none if every node will do.
fn node_selector(picked: &[Picked<'_>], node_name: &str) -> Result<Option<NodeSelector>, String> {
    let mut term = NodeSelectorTerm::default();
    for Picked { candidate, .. } in picked {
        let (device, slice) = (candidate.device, &candidate.slice.spec);
        let (name, selector) = if slice.per_device_node_selection == Some(true) {
            (&device.node_name, &device.node_selector)
        } else {
            (&slice.node_name, &slice.node_selector)
        };
        if name.is_some() || device.binds_to_node == Some(true) {
            let requirement = NodeSelectorRequirement {
                key: NAME_FIELD.to_owned(),
                operator: "In".to_owned(),
                values: Some(vec![node_name.to_owned()]),
            };
            let term =
                NodeSelectorTerm { match_fields: Some(vec![requirement]), ..NodeSelectorTerm::default() };
            return Ok(Some(NodeSelector { node_selector_terms: vec![term] }));
        }
        match selector.as_ref().map(|selector| selector.node_selector_terms.as_slice()) {
            None | Some([]) => {}
            Some([only]) => {
                add_new(only.match_fields.as_ref(), &mut term.match_fields);
                add_new(only.match_expressions.as_ref(), &mut term.match_expressions);
            }
            Some(several) => {
                return Err(format!("unsupported ResourceSlice.NodeSelector with {} terms", several.len()));
            }
        }
    }
    let is_any_said = term.match_fields.is_some() || term.match_expressions.is_some();
    Ok(is_any_said.then(|| NodeSelector { node_selector_terms: vec![term] }))
}

fn add_new(from: Option<&Vec<NodeSelectorRequirement>>, to: &mut Option<Vec<NodeSelectorRequirement>>) {
    let values = |requirement: &NodeSelectorRequirement| -> BTreeSet<String> {
        requirement.values.iter().flatten().cloned().collect()
    };
    for requirement in from.into_iter().flatten() {
        let known = to.get_or_insert_default();
        let is_known = known.iter().any(|other| {
            other.key == requirement.key
                && other.operator == requirement.operator
                && values(other) == values(requirement)
        });
        if !is_known {
            known.push(requirement.clone());
        }
    }
}
