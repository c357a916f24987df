//! Which quotas count a pod, what it takes of each, and what is left.

use plimsoll_api::group::GroupResource;
use plimsoll_quota::evaluators::Evaluator;
use plimsoll_quota::quota::Quota;
use plimsoll_quota::request::Object;
use plimsoll_resource_math::PodResources;
use serde::Serialize;

use super::Subject;

/// One resource of one quota.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct QuotaRoom {
    /// The quota.
    pub quota: String,
    /// The key of the quota.
    pub resource: String,
    /// What this pod takes.
    pub pod: String,
    /// What all objects take, this pod included if it is stored.
    pub used: String,
    /// The bound.
    pub hard: String,
    /// What is left; negative if more is used than allowed.
    pub remaining: String,
}

/// The quotas that count the pod. A quota whose scopes can't be evaluated counts nothing.
pub(super) fn room(subject: &Subject<'_>, resources: &PodResources) -> Vec<QuotaRoom> {
    let Some(evaluator) = Evaluator::of(&GroupResource::new("", "pods")) else { return Vec::new() };
    let pod = Object::Pod(subject.stored, resources);
    let namespace = subject.stored.metadata.namespace.as_deref().unwrap_or_default();
    let Ok(usage) = evaluator.usage(pod, namespace, subject.surroundings) else { return Vec::new() };
    let mut quotas: Vec<&Quota> = subject.quotas.iter().collect();
    quotas.sort_by(|a, b| a.name.cmp(&b.name));
    let mut room = Vec::new();
    for quota in quotas {
        let in_scope = quota.scopes.iter().all(|scope| evaluator.matches_scope(scope, pod).unwrap_or(false));
        let counted = quota.hard.iter().filter(|(key, _)| in_scope && usage.contains_key(key));
        for (key, hard) in counted {
            let used = quota.used.amount(key);
            let mut remaining = hard.clone();
            remaining.sub(&used);
            room.push(QuotaRoom {
                quota: quota.name.clone(),
                resource: key.clone(),
                pod: usage.amount(key).to_string(),
                used: used.to_string(),
                hard: hard.to_string(),
                remaining: remaining.to_string(),
            });
        }
    }
    room
}
