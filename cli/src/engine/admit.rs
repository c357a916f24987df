//! What happens to one object between being sent and being stored, in the API server's order.

mod alone;
mod claim;
mod default;
mod pod;
mod prepare;
mod validate;
mod warn;

use std::fmt::Display;

use plimsoll_api::group::GroupResource;
use plimsoll_api::status::Status;
use plimsoll_apiserver::admission::namespace_lifecycle;
use plimsoll_apiserver::kinds::split_api_version;
use plimsoll_resource_math::PodResources;

use super::{Engine, Row};
use crate::world::{BUILT_IN_NAMESPACES, Input, InputKind, Object};

pub use alone::{CreatedAlone, create_alone};

impl Engine<'_> {
    /// An object at the beginning of its way.
    pub(super) fn row(&self, input: Input) -> Row {
        begin(input, self.settings.strict)
    }

    /// Sends an object, as `kubectl apply` of a manifest does.
    pub(super) fn apply(&mut self, input: Input) {
        let row = self.row(input);
        self.create(row);
    }

    /// Creates an object and takes down what became of it; tells whether it is stored.
    pub(super) fn create(&mut self, mut row: Row) -> bool {
        if self.keeps_given
            && let Object::Pod(pod) = &row.object
        {
            row.given = Some(pod.clone());
        }
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
        if is_review(&row.kind.resource) {
            return Ok(());
        }
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
            row.given_uid = metadata.uid.take();
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

    /// API defaulting, preparation and validation of objects that need nothing in between.
    pub(super) fn default_and_validate(&mut self, row: &mut Row) -> Result<(), Status> {
        default::default(&mut row.object)?;
        self.prepare_and_validate(row)
    }

    /// Preparation and validation, and the warnings that come with the answer.
    fn prepare_and_validate(&mut self, row: &mut Row) -> Result<(), Status> {
        self.choose_name(row);
        let given_uid = row.given_uid.as_deref().filter(|_| !self.settings.strict);
        prepare::prepare(&mut row.object, &row.kind.resource, given_uid);
        validate::check(row)?;
        row.warnings.extend(warn::warnings(&row.object)?);
        Ok(())
    }
}

/// An object at the beginning of its way; with `is_strict`, fields that its type does not know are refused, else they are warned of.
pub(super) fn begin(input: Input, is_strict: bool) -> Row {
    let Input { object, api_version, kind, warnings, unknown_fields } = input;
    let mut row = Row::new(api_version, kind, object);
    row.warnings = warnings;
    if !unknown_fields.is_empty() {
        let faults: Vec<String> =
            unknown_fields.iter().map(|field| format!("unknown field \"{field}\"")).collect();
        if is_strict {
            row.refusal = Some(strict_decoding_error(&row.kind, &row.api_version, &faults));
        } else {
            row.warnings.extend(faults);
        }
    }
    row
}

pub(super) fn text(field: Option<&String>) -> &str {
    field.map_or("", String::as_str)
}

/// Whether objects of a resource are questions, which the API server answers and doesn't store; they need no name.
///
/// # Source
/// kubernetes `pkg/registry/authentication`, `pkg/registry/authorization`
fn is_review(resource: &GroupResource) -> bool {
    matches!(resource.group.as_str(), "authentication.k8s.io" | "authorization.k8s.io")
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

/// 400: an amount that is no quantity, which reading should have found.
fn bad_amount(error: impl Display) -> Status {
    Status::bad_request(error.to_string())
}
