//! What containers ask for of extended resources, as requests for devices.
//!
//! # Source
//! `pkg/scheduler/framework/plugins/dynamicresources/extendeddynamicresources.go` (`createRequestsAndMappings`)

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{Container, ContainerExtendedResourceRequest, Pod};
use k8s_openapi::api::resource::v1::{DeviceRequest, ExactDeviceRequest};
use plimsoll_resource_math::Quantity;

use crate::pod_info::fields;

/// A resource and the class that serves it.
pub(super) type Served<'a> = (&'a str, &'a str);

/// The requests of a pod, in order of name, and which of them serve which container.
///
/// Each container that lasts has a request of its own for each resource. Init containers that end use what those after them have, and
/// share one request for what is missing. `served` is in order of the resources.
pub(super) fn requests_for(
    pod: &Pod,
    served: &[Served<'_>],
) -> (Vec<DeviceRequest>, Vec<ContainerExtendedResourceRequest>) {
    let (mut requests, mut mappings) = (Vec::new(), Vec::new());
    let containers = Containers::of(pod);
    for served in served {
        let lasting = containers.lasting(*served);
        mappings.extend(
            containers.mapped(
                served.0,
                lasting
                    .iter()
                    .enumerate()
                    .filter_map(|(index, request)| Some((index, request.as_ref()?.name.clone()))),
            ),
        );
        let (shared, shared_by) = containers.ending(*served, &lasting);
        mappings.extend(containers.mapped(served.0, shared_by.into_iter()));
        requests.extend(shared);
        requests.extend(lasting.into_iter().flatten());
    }
    requests.sort_by(|first: &DeviceRequest, second| first.name.cmp(&second.name));
    (requests, mappings)
}

/// The containers of a pod, its init containers first.
struct Containers<'a> {
    all: Vec<&'a Container>,
    init_count: usize,
}

impl<'a> Containers<'a> {
    fn of(pod: &'a Pod) -> Self {
        let spec = fields::spec(pod);
        Self {
            all: spec.init_containers.iter().flatten().chain(&spec.containers).collect(),
            init_count: spec.init_containers.as_ref().map_or(0, Vec::len),
        }
    }

    /// Whether a container ends before those after it begin.
    fn ends(&self, index: usize) -> bool {
        index < self.init_count && self.all[index].restart_policy.as_deref() != Some("Always")
    }

    /// The request of each container that lasts.
    fn lasting(&self, (resource, class): Served<'_>) -> Vec<Option<DeviceRequest>> {
        let request = |index: usize| {
            let wanted = requested(self.all[index], resource).filter(|_| !self.ends(index))?;
            (wanted > 0).then(|| self.request(index, resource, class, wanted))
        };
        (0..self.all.len()).map(request).collect()
    }

    /// The request that containers share which end, and the names of the requests that each of them uses.
    fn ending(
        &self,
        (resource, class): Served<'_>,
        lasting: &[Option<DeviceRequest>],
    ) -> (Option<DeviceRequest>, Vec<(usize, String)>) {
        let mut most: Option<DeviceRequest> = None;
        let mut own_names = BTreeSet::new();
        let mut used: Vec<(usize, String)> = Vec::new();
        for index in (0..self.init_count).filter(|index| self.ends(*index)) {
            let Some(wanted) = requested(self.all[index], resource) else { continue };
            let mut there = 0_i64;
            for later in lasting[index..].iter().flatten() {
                if there < wanted {
                    there = there.saturating_add(count(later));
                    used.push((index, later.name.clone()));
                }
            }
            if there >= wanted {
                continue;
            }
            let request = self.request(index, resource, class, wanted - there);
            used.push((index, request.name.clone()));
            own_names.insert(request.name.clone());
            if most.as_ref().is_none_or(|most| count(most) < count(&request)) {
                most = Some(request);
            }
        }
        for (_, name) in &mut used {
            if let Some(most) = &most
                && own_names.contains(name)
            {
                name.clone_from(&most.name);
            }
        }
        (most, used)
    }

    fn mapped(
        &self,
        resource: &str,
        used: impl Iterator<Item = (usize, String)>,
    ) -> impl Iterator<Item = ContainerExtendedResourceRequest> {
        used.map(|(index, request_name)| ContainerExtendedResourceRequest {
            container_name: self.all[index].name.clone(),
            resource_name: resource.to_owned(),
            request_name,
        })
    }

    /// # Source
    /// `extendeddynamicresources.go` (`createResourceRequestAndMappings`)
    fn request(&self, index: usize, resource: &str, class: &str, count: i64) -> DeviceRequest {
        // Requests are named by the place of the resource among those of the container, in order of name.
        let resources = self.all[index].resources.iter();
        let requests = resources.flat_map(|resources| resources.requests.iter().flatten());
        let place = requests.take_while(|(name, _)| name.as_str() != resource).count();
        DeviceRequest {
            name: format!("container-{index}-request-{place}"),
            exactly: Some(ExactDeviceRequest {
                device_class_name: class.to_owned(),
                allocation_mode: Some("ExactCount".to_owned()),
                count: Some(count),
                ..ExactDeviceRequest::default()
            }),
            first_available: None,
        }
    }
}

fn count(request: &DeviceRequest) -> i64 {
    request.exactly.as_ref().and_then(|exactly| exactly.count).unwrap_or(0)
}

/// How much of a resource a container asks for; none if it asks for nothing, or for a part of a unit.
fn requested(container: &Container, resource: &str) -> Option<i64> {
    let requests = container.resources.as_ref()?.requests.as_ref()?;
    let amount = Quantity::parse(requests.get(resource)?.0.trim()).ok()?;
    amount.to_whole_units().filter(|units| *units != 0)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// # Source
    /// `extendeddynamicresources_test.go` (`Test_createRequestsAndMappings_mappings`)
    #[test]
    fn each_container_is_told_which_requests_serve_it() {
        let (gpu, gpu1, init) = ("gpu", "gpu1", "gpuinit");
        let implicit = "deviceclass.resource.kubernetes.io/classInit";
        let some = [(gpu, "class"), (gpu1, "class1")];
        let with_init = [(gpu, "class"), (init, "classInit")];
        let with_implicit = [(implicit, "classInit"), (gpu, "class"), (init, "classInit")];
        for (name, served, ending, lasting, expected) in [
            (
                "one container, two requests",
                some.as_slice(),
                vec![],
                vec![json!({gpu: "1", gpu1: "2"})],
                vec![("con0", gpu, "container-0-request-0"), ("con0", gpu1, "container-0-request-1")],
            ),
            (
                "one container, one explicit and one implicit request",
                &with_implicit,
                vec![json!({init: "1", implicit: "2"})],
                vec![],
                vec![
                    ("init-con0", implicit, "container-0-request-0"),
                    ("init-con0", init, "container-0-request-1"),
                ],
            ),
            (
                "two containers, two requests",
                &some,
                vec![],
                vec![json!({gpu: "1"}), json!({gpu1: "2"})],
                vec![("con0", gpu, "container-0-request-0"), ("con1", gpu1, "container-1-request-0")],
            ),
            (
                "one init container, one regular container, one request",
                &with_init,
                vec![json!({init: "2"})],
                vec![json!({gpu: "1"})],
                vec![("init-con0", init, "container-0-request-0"), ("con0", gpu, "container-1-request-0")],
            ),
            (
                "three containers (two are init container), two requests",
                &with_init,
                vec![json!({init: "1"}), json!({init: "2"})],
                vec![json!({gpu: "1"})],
                vec![
                    ("init-con0", init, "container-1-request-0"),
                    ("init-con1", init, "container-1-request-0"),
                    ("con0", gpu, "container-2-request-0"),
                ],
            ),
            (
                "three containers (two are init container), both explicit and implicit resources",
                &with_implicit,
                vec![json!({init: "1"}), json!({implicit: "2"})],
                vec![json!({gpu: "1"})],
                vec![
                    ("init-con0", init, "container-0-request-0"),
                    ("init-con1", implicit, "container-1-request-0"),
                    ("con0", gpu, "container-2-request-0"),
                ],
            ),
            (
                "four containers (two are init container, one sidecar), three requests",
                &with_init,
                vec![json!({init: "1"}), json!({init: "1", "": "sidecar"}), json!({init: "2"})],
                vec![json!({gpu: "1"})],
                vec![
                    ("init-con0", init, "container-1-request-0"),
                    ("init-con1", init, "container-1-request-0"),
                    ("init-con2", init, "container-2-request-0"),
                    ("con0", gpu, "container-3-request-0"),
                ],
            ),
        ] {
            let container = |prefix: &str, (index, requests): (usize, Value)| {
                let mut requests = requests;
                let is_sidecar = requests.as_object_mut().is_some_and(|list| list.remove("").is_some());
                json!({
                    "name": format!("{prefix}con{index}"), "resources": {"requests": requests},
                    "restartPolicy": is_sidecar.then_some("Always"),
                })
            };
            let all = |prefix: &'static str, list: Vec<Value>| -> Vec<Value> {
                list.into_iter().enumerate().map(|entry| container(prefix, entry)).collect()
            };
            let spec = json!({"initContainers": all("init-", ending), "containers": all("", lasting)});
            let pod: Pod =
                serde_json::from_value(json!({"metadata": {"name": "pod"}, "spec": spec})).unwrap();
            let (_, mut mappings) = requests_for(&pod, served);
            let by_names = |mapping: &ContainerExtendedResourceRequest| {
                (mapping.request_name.clone(), mapping.container_name.clone())
            };
            mappings.sort_by_key(by_names);
            let mut expected: Vec<ContainerExtendedResourceRequest> = expected
                .into_iter()
                .map(|(container, resource, request)| ContainerExtendedResourceRequest {
                    container_name: container.to_owned(),
                    resource_name: resource.to_owned(),
                    request_name: request.to_owned(),
                })
                .collect();
            expected.sort_by_key(by_names);
            assert_eq!(mappings, expected, "{name}");
        }
    }
}
