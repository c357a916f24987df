//! What happens to one object between being sent and being stored, in the API server's order.

mod claim;
mod pod;

use k8s_openapi::api::core::v1::PodTemplateSpec;
use plimsoll_api::field::{ErrorList, Path};
use plimsoll_api::status::Status;
use plimsoll_apiserver::admission::namespace_lifecycle;
use plimsoll_apiserver::defaults;
use plimsoll_apiserver::kinds::split_api_version;
use plimsoll_apiserver::validation::object_meta::validate_object_meta;
use plimsoll_apiserver::validation::pod::validate_pod_create;
use plimsoll_quota::object as quota_object;
use plimsoll_resource_math::PodResources;
use plimsoll_resource_math::resource_list::ParseResourceListError;
use plimsoll_webhook::limit_range;

use super::names_of_kinds::name_rule;
use super::{Engine, Row};
use crate::world::{BUILT_IN_NAMESPACES, Input, InputKind, Object};

impl Engine<'_> {
    /// An object at the beginning of its way.
    pub(super) fn row(&mut self, input: Input) -> Row {
        let Input { object, api_version, kind, warnings, unknown_fields } = input;
        let mut row = Row::new(api_version, kind, object);
        row.warnings = warnings;
        if !unknown_fields.is_empty() {
            let faults: Vec<String> =
                unknown_fields.iter().map(|field| format!("unknown field \"{field}\"")).collect();
            if self.settings.strict {
                row.refusal = Some(strict_decoding_error(&row.kind, &row.api_version, &faults));
            } else {
                row.warnings.extend(faults);
            }
        }
        row
    }

    /// Sends an object, as `kubectl apply` of a manifest does.
    pub(super) fn apply(&mut self, input: Input) {
        let row = self.row(input);
        self.create(row);
    }

    /// Creates an object and takes down what became of it; tells whether it is stored.
    pub(super) fn create(&mut self, mut row: Row) -> bool {
        let answer = match row.refusal.take() {
            Some(status) => Err(status),
            None => self.store(&mut row),
        };
        if let Err(status) = answer {
            row.refuse(status);
        }
        let stored = row.is_stored();
        self.rows.push(row);
        stored
    }

    /// The way of one object through the API server.
    fn store(&mut self, row: &mut Row) -> Result<(), Status> {
        self.place_in_namespace(row)?;
        match row.object {
            Object::Pod(_) => return self.store_pod(row),
            Object::PersistentVolumeClaim(_) => return self.store_claim(row),
            _ => {}
        }
        self.default_and_validate(row)?;
        self.charge_and_reserve(row, &PodResources::default())
    }

    /// Quota comes last; only then does the API server find out that the name is taken.
    ///
    /// DIFFERENCE: D-cli-1. Upstream charges an object whose name turns out to be taken, until the next recount.
    fn charge_and_reserve(&mut self, row: &Row, resources: &PodResources) -> Result<(), Status> {
        let metadata = row.object.metadata();
        let (namespace, name) = (text(metadata.namespace.as_ref()), text(metadata.name.as_ref()));
        if self.world.holds(&row.kind.resource, namespace, name) {
            return Err(Status::already_exists(&row.kind.resource, name));
        }
        self.charge(row, resources)?;
        self.reserve_name(row)
    }

    /// Takes the name of an object.
    pub(super) fn reserve_name(&mut self, row: &Row) -> Result<(), Status> {
        let metadata = row.object.metadata();
        let (namespace, name) = (text(metadata.namespace.as_ref()), text(metadata.name.as_ref()));
        if self.world.remember(&row.kind.resource, namespace, name) {
            Ok(())
        } else {
            Err(Status::already_exists(&row.kind.resource, name))
        }
    }

    /// Drops what only the server sets, and makes sure that the namespace is there.
    pub(super) fn place_in_namespace(&mut self, row: &mut Row) -> Result<(), Status> {
        let metadata = row.object.metadata_mut();
        metadata.managed_fields = None;
        metadata.self_link = None;
        if !row.existing {
            metadata.uid = None;
            metadata.resource_version = None;
            metadata.creation_timestamp = None;
            metadata.deletion_timestamp = None;
            metadata.deletion_grace_period_seconds = None;
        }
        if !row.kind.namespaced {
            metadata.namespace = None;
            return Ok(());
        }
        let given = text(metadata.namespace.as_ref());
        let namespace = if given.is_empty() { "default" } else { given }.to_owned();
        metadata.namespace = Some(namespace.clone());
        let name = metadata.name.clone().unwrap_or_default();
        match self.world.namespaces.get(&namespace) {
            Some(state) => match &state.object {
                None => Ok(()),
                object => {
                    namespace_lifecycle::validate(&row.kind.resource, &name, &namespace, object.as_ref())
                }
            },
            None if self.settings.strict => {
                namespace_lifecycle::validate(&row.kind.resource, &name, &namespace, None)
            }
            None => {
                self.world.namespace_mut(&namespace);
                if !BUILT_IN_NAMESPACES.contains(&namespace.as_str()) {
                    self.assumed_namespaces.push(namespace);
                }
                Ok(())
            }
        }
    }

    /// Gives an object its name, if it only has the beginning of one.
    fn choose_name(&mut self, row: &mut Row) {
        let metadata = row.object.metadata_mut();
        if text(metadata.name.as_ref()).is_empty()
            && let Some(prefix) = metadata.generate_name.as_deref().filter(|prefix| !prefix.is_empty())
        {
            metadata.name = Some(self.world.names.generate(prefix));
        }
    }

    /// API defaulting and validation of objects that need nothing in between.
    pub(super) fn default_and_validate(&mut self, row: &mut Row) -> Result<(), Status> {
        default(&mut row.object)?;
        self.choose_name(row);
        check(row)
    }
}

pub(super) fn text(field: Option<&String>) -> &str {
    field.map_or("", String::as_str)
}

/// 400: fields that the type does not know, where they are not taken in silence.
///
/// # Source
/// apimachinery `pkg/runtime/serializer/json`, apiserver `pkg/endpoints/handlers/create.go` (`transformDecodeError`)
fn strict_decoding_error(kind: &InputKind, api_version: &str, faults: &[String]) -> Status {
    let version = split_api_version(api_version).1;
    let name = &kind.kind;
    let faults = faults.join(", ");
    Status::bad_request(format!(
        "{name} in version {version:?} cannot be handled as a {name}: strict decoding error: {faults}"
    ))
}

/// What the API server fills in when it reads an object.
fn default(object: &mut Object) -> Result<(), Status> {
    match object {
        Object::CronJob(object) => defaults::cron_job::cron_job(object),
        Object::DaemonSet(object) => defaults::daemon_set::daemon_set(object),
        Object::Deployment(object) => defaults::deployment::deployment(object),
        Object::Job(object) => defaults::job::job(object),
        Object::LimitRange(object) => {
            limit_range::object::set_defaults(object)
                .map_err(|error| Status::bad_request(error.to_string()))?;
        }
        Object::Namespace(object) => defaults::namespace::namespace(object),
        Object::Node(object) => defaults::node::node(object),
        Object::PersistentVolumeClaim(object) => {
            defaults::persistent_volume_claim::persistent_volume_claim(object);
        }
        Object::ReplicaSet(object) => defaults::replica_set::replica_set(object),
        Object::ReplicationController(object) => {
            defaults::replication_controller::replication_controller(object);
        }
        Object::ResourceQuota(object) => {
            quota_object::set_defaults(object).map_err(bad_amount)?;
            quota_object::prepare_for_create(object);
        }
        Object::Service(object) => defaults::service::service(object),
        Object::StatefulSet(object) => defaults::stateful_set::stateful_set(object),
        _ => {}
    }
    match template(object) {
        Some(template) => {
            defaults::pod_template(template).map_err(|error| Status::bad_request(error.to_string()))
        }
        None => Ok(()),
    }
}

/// The template that a workload makes its pods from.
fn template(object: &mut Object) -> Option<&mut PodTemplateSpec> {
    match object {
        Object::CronJob(object) => Some(&mut object.spec.job_template.spec.as_mut()?.template),
        Object::DaemonSet(object) => Some(&mut object.spec.template),
        Object::Deployment(object) => Some(&mut object.spec.template),
        Object::Job(object) => Some(&mut object.spec.as_mut()?.template),
        Object::ReplicaSet(object) => object.spec.template.as_mut(),
        Object::ReplicationController(object) => object.spec.as_mut()?.template.as_mut(),
        Object::StatefulSet(object) => Some(&mut object.spec.template),
        _ => None,
    }
}

/// Validates an object.
///
/// # Errors
/// 422 with every bad field.
fn check(row: &mut Row) -> Result<(), Status> {
    let errors = validate(row)?;
    if errors.is_empty() {
        return Ok(());
    }
    let name = text(row.object.metadata().name.as_ref());
    Err(Status::invalid(&row.kind.group_kind(), name, &errors))
}

/// What is wrong with an object.
fn validate(row: &mut Row) -> Result<ErrorList, Status> {
    if let Object::Pod(pod) = &row.object {
        return Ok(validate_pod_create(pod));
    }
    let metadata = row.object.metadata();
    let root = Path::root("metadata");
    let mut errors =
        validate_object_meta(metadata, row.kind.namespaced, name_rule(&row.kind.resource), &root);
    match &row.object {
        Object::LimitRange(object) => {
            let limits = limit_range::Limits::parse(object);
            let limits = limits.map_err(|error| Status::bad_request(error.to_string()))?;
            errors.extend(limit_range::object::validate(&limits));
        }
        Object::ResourceQuota(object) => {
            errors.extend(quota_object::validate(object).map_err(bad_amount)?);
            row.warnings.extend(quota_object::warnings_on_create(object).map_err(bad_amount)?);
        }
        _ => {}
    }
    Ok(errors)
}

fn bad_amount(error: ParseResourceListError) -> Status {
    Status::bad_request(error.to_string())
}
