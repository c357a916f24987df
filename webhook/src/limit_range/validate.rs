//! Whether a pod or a claim keeps within the LimitRanges of its namespace.

use plimsoll_resource_math::pod_resources::{ContainerResources, PodResources, PodResourcesOptions};
use plimsoll_resource_math::resource_name::{CPU, MEMORY};
use plimsoll_resource_math::{Quantity, ResourceList};

use super::constraint::{self, Fault, Rule};
use super::limits::{Item, ItemType, LimitRanges, Limits};
use super::refusal::{Refusal, Subject, Violation};

/// Checks a pod that is created or resized. Only its spec counts, without overhead and ephemeral containers.
///
/// # Errors
/// All rules broken of the first LimitRange that has any.
///
/// # Source
/// kubernetes `plugin/pkg/admission/limitranger` (`PodValidateLimitFunc`)
pub fn validate_pod(pod: &PodResources, limit_ranges: &LimitRanges) -> Result<(), Refusal> {
    limit_ranges.iter().try_for_each(|limits| {
        let mut violations = Vec::new();
        for item in limits.items() {
            match item.item_type {
                ItemType::Container => check_containers(item, pod, &mut violations),
                ItemType::Pod => check_total(item, pod, &mut violations),
                ItemType::PersistentVolumeClaim | ItemType::Other(_) => {}
            }
        }
        verdict(limits, violations)
    })
}

/// Checks what a claim that is created or changed asks for (`spec.resources.requests`); its limits don't count.
///
/// # Errors
/// All rules broken of the first LimitRange that has any.
///
/// # Source
/// kubernetes `plugin/pkg/admission/limitranger` (`PersistentVolumeClaimValidateLimitFunc`)
pub fn validate_persistent_volume_claim(
    requests: &ResourceList,
    limit_ranges: &LimitRanges,
) -> Result<(), Refusal> {
    limit_ranges.iter().try_for_each(|limits| {
        let mut violations = Vec::new();
        let claims = |item: &&Item| item.item_type == ItemType::PersistentVolumeClaim;
        for item in limits.items().iter().filter(claims) {
            check_claim(item, requests, &mut violations);
        }
        verdict(limits, violations)
    })
}

fn verdict(limits: &Limits, violations: Vec<Violation>) -> Result<(), Refusal> {
    if violations.is_empty() {
        return Ok(());
    }
    Err(Refusal { limit_range: limits.name.clone(), violations })
}

fn check_containers(item: &Item, pod: &PodResources, violations: &mut Vec<Violation>) {
    for container in &pod.containers {
        let subject = || Subject::Container(container.name.clone());
        check_container(item, container, subject, violations);
    }
    for container in &pod.init_containers {
        let subject = || Subject::InitContainer(container.name.clone());
        check_container(item, container, subject, violations);
    }
}

fn check_container(
    item: &Item,
    container: &ContainerResources,
    subject: impl Fn() -> Subject,
    violations: &mut Vec<Violation>,
) {
    let amounts = Amounts { requests: &container.spec.requests, limits: &container.spec.limits };
    amounts.check_all(item, subject, violations);
}

fn check_total(item: &Item, pod: &PodResources, violations: &mut Vec<Violation>) {
    let (requests, limits) = totals(pod);
    Amounts { requests: &requests, limits: &limits }.check_all(item, || Subject::Pod, violations);
}

fn check_claim(item: &Item, requests: &ResourceList, violations: &mut Vec<Violation>) {
    let amounts = Amounts { requests, limits: &ResourceList::new() };
    let subject = || Subject::PersistentVolumeClaim;
    amounts.check(Rule::Min, &item.min, subject, violations, |bound, request, _| {
        Rule::Min.check(bound, request, None)
    });
    amounts.check(Rule::Max, &item.max, subject, violations, |bound, request, _| {
        constraint::max_request(bound, request)
    });
}

/// The requests and limits of a pod as LimitRanges count them. This is not the total that quota and scheduler know:
/// overhead is left out, and of the amounts of the pod as a whole only cpu and memory replace the sum.
///
/// # Source
/// kubernetes `plugin/pkg/admission/limitranger` (`podRequests`, `podLimits`)
fn totals(pod: &PodResources) -> (ResourceList, ResourceList) {
    let spec_only = PodResourcesOptions::default();
    let mut requests = pod.container_requests(&spec_only);
    let mut limits = pod.container_limits(&spec_only);
    if let Some(level) = &pod.pod_level {
        for name in [CPU, MEMORY] {
            replace(&mut requests, &level.requests, name);
            replace(&mut limits, &level.limits, name);
        }
    }
    (requests, limits)
}

fn replace(total: &mut ResourceList, level: &ResourceList, name: &str) {
    if let Some(amount) = level.get(name) {
        total.insert(name, amount.clone());
    }
}

/// The amounts of one container, pod or claim.
struct Amounts<'a> {
    requests: &'a ResourceList,
    limits: &'a ResourceList,
}

impl Amounts<'_> {
    fn check_all(&self, item: &Item, subject: impl Fn() -> Subject, violations: &mut Vec<Violation>) {
        let rules = [
            (Rule::Min, &item.min),
            (Rule::Max, &item.max),
            (Rule::MaxLimitRequestRatio, &item.max_limit_request_ratio),
        ];
        for (rule, bounds) in rules {
            self.check(rule, bounds, &subject, violations, |bound, request, limit| {
                rule.check(bound, request, limit)
            });
        }
    }

    fn check(
        &self,
        rule: Rule,
        bounds: &ResourceList,
        subject: impl Fn() -> Subject,
        violations: &mut Vec<Violation>,
        fault: impl Fn(&Quantity, Option<&Quantity>, Option<&Quantity>) -> Option<Fault>,
    ) {
        for (resource, bound) in bounds {
            let request = self.requests.get(resource);
            let limit = self.limits.get(resource);
            if let Some(fault) = fault(bound, request, limit) {
                violations.push(Violation {
                    subject: subject(),
                    resource: resource.clone(),
                    rule,
                    bound: bound.clone(),
                    fault,
                    request: request.cloned(),
                    limit: limit.cloned(),
                });
            }
        }
    }
}

#[cfg(test)]
mod tests;
