//! Pods.

use plimsoll_api::request::display_name;
use plimsoll_api::status::Status;
use plimsoll_apiserver::admission::{default_toleration_seconds, priority, runtime_class, service_account};
use plimsoll_apiserver::{defaults, prepare};
use plimsoll_resource_math::PodResources;
use plimsoll_resource_math::pod_resources::ParsePodResourcesError;
use plimsoll_webhook::limit_range;

use crate::engine::changes::{self, Amounts};
use crate::engine::{Engine, Row};
use crate::hints;
use crate::report::Outcome;

impl Engine<'_> {
    pub(super) fn store_pod(&mut self, row: &mut Row) -> Result<(), Status> {
        self.mutate_pod(row)?;
        self.choose_name(row);
        let resources = Self::prepare_and_validate_pod(row)?;
        let Some(pod) = row.pod() else { return Ok(()) };
        let namespace = pod.metadata.namespace.as_deref().unwrap_or_default();
        if let Some(state) = self.world.namespaces.get(namespace) {
            let name = pod.metadata.name.as_deref().unwrap_or_default();
            limit_range::validate_pod(&resources, &state.limit_ranges)
                .map_err(|refusal| refusal.status(&row.kind.resource, name))?;
        }
        self.charge_and_reserve(row, &resources)?;
        let Some(pod) = row.pod() else { return Ok(()) };
        let node = pod.spec.as_ref().and_then(|spec| spec.node_name.clone());
        if let Some(node) = node.filter(|node| !node.is_empty()) {
            row.node = Some(node);
            row.outcome = Outcome::Placed;
        }
        Ok(())
    }

    /// API defaulting and the mutating plugins.
    fn mutate_pod(&mut self, row: &mut Row) -> Result<(), Status> {
        let Some(pod) = row.object.pod_mut() else { return Ok(()) };
        if pod.metadata.owner_references.is_none() {
            row.warnings.extend(hints::pod_hints(pod));
        }
        let given = Amounts::of(pod);
        defaults::pod(pod).map_err(|error| Status::bad_request(error.to_string()))?;
        row.changes.extend(given.added_to(pod));
        let namespace = pod.metadata.namespace.clone().unwrap_or_default();
        let world = &self.world;
        let Some(state) = world.namespaces.get(&namespace) else { return Ok(()) };
        row.changes.extend(changes::of_limit_ranges(limit_range::default_pod(pod, &state.limit_ranges)));
        let name =
            display_name("", pod.metadata.name.as_deref(), pod.metadata.generate_name.as_deref()).to_owned();
        service_account::admit(pod, &name, |account| state.service_accounts.get(account).cloned())?;
        priority::admit(pod, &name, &world.priority_classes)?;
        default_toleration_seconds::admit(pod);
        runtime_class::admit(pod, &name, |class| world.runtime_classes.get(class).cloned())
    }

    /// What happens between the two rounds of admission.
    fn prepare_and_validate_pod(row: &mut Row) -> Result<PodResources, Status> {
        let Some(pod) = row.object.pod_mut() else { return Ok(PodResources::default()) };
        let bad_request = |error: ParsePodResourcesError| Status::bad_request(error.to_string());
        let given = Amounts::of(pod);
        row.warnings.extend(prepare::pod_for_create(pod).map_err(bad_request)?);
        row.changes.extend(given.added_to(pod));
        let resources = PodResources::parse(pod).map_err(bad_request)?;
        // A pod from a dump may have got some since it was created.
        let dumped = row.object.pod_mut().filter(|_| row.given_uid.is_some());
        let ephemeral = dumped.and_then(|pod| pod.spec.as_mut()?.ephemeral_containers.take());
        super::validate::check(row)?;
        if let Some(pod) = row.object.pod_mut().filter(|_| ephemeral.is_some()) {
            pod.spec.get_or_insert_default().ephemeral_containers = ephemeral;
        }
        row.warnings.extend(super::warn::warnings(&row.object)?);
        Ok(resources)
    }
}
