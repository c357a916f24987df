//! What is wrong with a file whose defaults are filled in.
//!
//! # Source
//! `pkg/scheduler/apis/config/validation`, k8s.io/component-base `config/validation`

mod extenders;
mod function_shape;
mod node_resources_fit;
mod plugin_args;
mod profile;
mod queue_sort;

use plimsoll_api::field::{BadValue, Error, ErrorList, Path};

use self::extenders::validate_extenders;
pub(crate) use self::node_resources_fit::validate_node_resources_fit;
use self::profile::validate_profile;
use self::queue_sort::validate_common_queue_sort;
use super::types::{ClientConnection, KubeSchedulerConfiguration, LeaderElection};

/// All that is wrong, in upstream's order and words.
///
/// # Source
/// `validation.go` (`ValidateKubeSchedulerConfiguration`)
pub fn validate(configuration: &KubeSchedulerConfiguration) -> ErrorList {
    let mut errors = ErrorList::new();
    validate_client_connection(&mut errors, &configuration.client_connection);
    validate_leader_election(&mut errors, &configuration.leader_election);
    let parallelism = configuration.parallelism.unwrap_or(0);
    if parallelism <= 0 {
        let detail = "should be an integer value greater than zero";
        errors.push(Error::invalid(&Path::root("parallelism"), parallelism, detail));
    }
    let profiles = Path::root("profiles");
    if configuration.profiles.is_empty() {
        errors.push(Error::required(&profiles, ""));
    }
    let mut names: Vec<&str> = Vec::new();
    for (index, profile) in configuration.profiles.iter().enumerate() {
        let path = profiles.index(index);
        validate_profile(&mut errors, &path, profile);
        let name = profile.scheduler_name.as_deref().unwrap_or_default();
        if names.contains(&name) {
            // Upstream gives the path of the other one as the value, which has no JSON.
            let value = BadValue::Verbatim("{}".to_owned());
            errors.push(Error::duplicate(&path.child("schedulerName"), value));
        }
        names.push(name);
    }
    validate_common_queue_sort(&mut errors, &profiles, &configuration.profiles);
    let percentage = configuration.percentage_of_nodes_to_score;
    validate_percentage(&mut errors, &Path::root("percentageOfNodesToScore"), percentage);
    let initial = configuration.pod_initial_backoff_seconds.unwrap_or(0);
    if initial <= 0 {
        let path = Path::root("podInitialBackoffSeconds");
        errors.push(Error::invalid(&path, initial, "must be greater than 0"));
    }
    let most = configuration.pod_max_backoff_seconds.unwrap_or(0);
    if most < initial {
        let detail = "must be greater than or equal to PodInitialBackoffSeconds";
        errors.push(Error::invalid(&Path::root("podMaxBackoffSeconds"), most, detail));
    }
    validate_extenders(&mut errors, &configuration.extenders);
    errors
}

fn validate_client_connection(errors: &mut ErrorList, connection: &ClientConnection) {
    if connection.burst < 0 {
        let root = Path::root("clientConnection");
        errors.push(Error::invalid(&root.child("burst"), connection.burst, "must be non-negative"));
    }
}

fn validate_leader_election(errors: &mut ErrorList, election: &LeaderElection) {
    if election.leader_elect != Some(true) {
        return;
    }
    let root = Path::root("leaderElection");
    let text = |duration: plimsoll_api::duration::Duration| BadValue::json_string(&duration.to_string());
    for (name, duration) in [
        ("leaseDuration", election.lease_duration),
        ("renewDeadline", election.renew_deadline),
        ("retryPeriod", election.retry_period),
    ] {
        if duration.nanos <= 0 {
            errors.push(Error::invalid(&root.child(name), text(duration), "must be greater than zero"));
        }
    }
    if election.lease_duration <= election.renew_deadline {
        let detail = "must be greater than `RenewDeadline`";
        errors.push(Error::invalid(&root.child("leaseDuration"), text(election.renew_deadline), detail));
    }
    if election.resource_lock != "leases" {
        let detail = "resourceLock value must be \"leases\"";
        errors.push(Error::invalid(&root.child("resourceLock"), &election.resource_lock, detail));
    }
}

fn validate_percentage(errors: &mut ErrorList, path: &Path<'_>, percentage: Option<i32>) {
    if let Some(percentage) = percentage.filter(|percentage| !(0..=100).contains(percentage)) {
        errors.push(Error::invalid(path, percentage, "not in valid range [0-100]"));
    }
}
