//! The requests and limits of a pod as a whole.
//!
//! # Source
//! component-helpers `resource` (`PodRequests`, `PodLimits`)

use std::borrow::Cow;

use super::{ContainerResources, PodResources};
use crate::quantity::{Format, Quantity};
use crate::resource_list::ResourceList;
use crate::resource_name::{CPU, MEMORY, is_supported_pod_level};

/// How far the status counts beside the spec.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StatusResources {
    /// Only the spec counts.
    #[default]
    Ignored,
    /// The larger of the spec and the statuses of the containers.
    Containers,
    /// The larger of the spec and the status, that of the pod as a whole where it has one.
    ContainersAndPod,
}

/// What counts towards the total of a pod. By default: containers, the pod as a whole and overhead, from the spec.
///
/// Node resources that resource claims hand out are not counted: their feature gate is off in v1.37.
///
/// # Source
/// component-helpers `resource` (`PodResourcesOptions`)
#[derive(Clone, Debug, Default)]
pub struct PodResourcesOptions {
    /// How far the status counts beside the spec.
    pub status: StatusResources,
    /// Whether the overhead is left out.
    pub exclude_overhead: bool,
    /// Whether the amounts of the pod as a whole are left out.
    pub skip_pod_level: bool,
    /// Whether the requests of containers are left out; limits always count.
    pub skip_containers: bool,
    /// Requests of every container that does not name the resource. One that names it, be it zero, keeps its own.
    pub missing_container_requests: ResourceList,
}

/// What the scheduler takes for the requests of a container that names none: 100 millicores and 200 MiB, so that such
/// containers spread too.
///
/// # Source
/// kubernetes `pkg/scheduler/util` (`DefaultMilliCPURequest`, `DefaultMemoryRequest`)
pub fn non_zero_container_requests() -> ResourceList {
    const MEMORY_BYTES: i64 = 200 * 1024 * 1024;
    let cpu = Quantity::from_millis(100, Format::DecimalSi);
    let memory = Quantity::from_units(MEMORY_BYTES, Format::DecimalSi);
    [(CPU.to_owned(), cpu), (MEMORY.to_owned(), memory)].into_iter().collect()
}

/// Which list of each container is to be summed.
#[derive(Clone, Copy)]
enum Source {
    SpecRequests,
    SpecLimits,
    AllocatedRequests,
    ActualRequests,
    ActualLimits,
}

impl Source {
    /// The list of one container; a status that is silent falls back to the spec, unless the node can't follow the spec.
    fn of(self, container: &ContainerResources, resize_infeasible: bool) -> Option<&ResourceList> {
        let feasible = |spec| (!resize_infeasible).then_some(spec);
        let allocated = || container.allocated.as_ref().or_else(|| feasible(&container.spec.requests));
        match self {
            Self::SpecRequests => Some(&container.spec.requests),
            Self::SpecLimits => Some(&container.spec.limits),
            Self::AllocatedRequests => allocated(),
            Self::ActualRequests => container.actual_requests.as_ref().or_else(allocated),
            Self::ActualLimits => {
                container.actual_limits.as_ref().or_else(|| feasible(&container.spec.limits))
            }
        }
    }
}

impl PodResources {
    /// What the pod asks for in total.
    ///
    /// # Source
    /// component-helpers `resource` (`PodRequests`)
    pub fn requests(&self, options: &PodResourcesOptions) -> ResourceList {
        let mut requests =
            if options.skip_containers { ResourceList::new() } else { self.container_requests(options) };
        if let Some(level) = &self.pod_level
            && !options.skip_pod_level
            && self.is_pod_level_requests_set()
        {
            let statuses = [self.status.actual_requests.as_ref(), self.status.allocated.as_ref()];
            override_pod_level(&mut requests, &self.effective_pod_level(&level.requests, &statuses, options));
        }
        if !options.exclude_overhead {
            requests.add(&self.overhead);
        }
        requests
    }

    /// What the pod may use at most in total; a resource that no container limits has no limit.
    ///
    /// # Source
    /// component-helpers `resource` (`PodLimits`)
    pub fn limits(&self, options: &PodResourcesOptions) -> ResourceList {
        let mut limits = self.container_limits(options);
        if let Some(level) = &self.pod_level
            && !options.skip_pod_level
            && self.is_pod_level_set()
        {
            let statuses = [self.status.actual_limits.as_ref()];
            override_pod_level(&mut limits, &self.effective_pod_level(&level.limits, &statuses, options));
        }
        if !options.exclude_overhead {
            limits.add_to_non_zero(&self.overhead);
        }
        limits
    }

    /// What the containers ask for together: the larger of what all of them need once they run, and what each init
    /// container needs with the sidecars started before it.
    ///
    /// # Source
    /// component-helpers `resource` (`AggregateContainerRequests`)
    pub fn container_requests(&self, options: &PodResourcesOptions) -> ResourceList {
        let missing = &options.missing_container_requests;
        if options.status == StatusResources::Ignored {
            return self.aggregate(missing, Source::SpecRequests);
        }
        let mut requests = if self.status.resize_infeasible {
            ResourceList::new()
        } else {
            self.aggregate(missing, Source::SpecRequests)
        };
        match (&self.status.actual_requests, &self.status.allocated) {
            (Some(actual), Some(allocated)) if options.status == StatusResources::ContainersAndPod => {
                requests.max(actual);
                requests.max(allocated);
            }
            _ => {
                requests.max(&self.aggregate(missing, Source::ActualRequests));
                requests.max(&self.aggregate(missing, Source::AllocatedRequests));
            }
        }
        requests
    }

    /// What the containers may use at most together, summed as their requests are.
    ///
    /// # Source
    /// component-helpers `resource` (`AggregateContainerLimits`)
    pub fn container_limits(&self, options: &PodResourcesOptions) -> ResourceList {
        let none_missing = ResourceList::new();
        if options.status == StatusResources::Ignored {
            return self.aggregate(&none_missing, Source::SpecLimits);
        }
        let mut limits = if self.status.resize_infeasible {
            ResourceList::new()
        } else {
            self.aggregate(&none_missing, Source::SpecLimits)
        };
        match &self.status.actual_limits {
            Some(actual) if options.status == StatusResources::ContainersAndPod => limits.max(actual),
            _ => limits.max(&self.aggregate(&none_missing, Source::ActualLimits)),
        }
        limits
    }

    fn effective_pod_level<'a>(
        &self,
        spec: &'a ResourceList,
        statuses: &[Option<&ResourceList>],
        options: &PodResourcesOptions,
    ) -> Cow<'a, ResourceList> {
        if options.status != StatusResources::ContainersAndPod || !self.status.actual {
            return Cow::Borrowed(spec);
        }
        let mut effective = if self.status.resize_infeasible { ResourceList::new() } else { spec.clone() };
        for status in statuses.iter().flatten() {
            effective.max(status);
        }
        Cow::Owned(effective)
    }

    fn aggregate(&self, missing: &ResourceList, source: Source) -> ResourceList {
        let picked = |container| {
            let list = source.of(container, self.status.resize_infeasible);
            with_missing(list, missing)
        };
        let mut running = ResourceList::new();
        for container in &self.containers {
            running.add(&picked(container));
        }
        let mut sidecars = ResourceList::new();
        let mut starting = ResourceList::new();
        for container in &self.init_containers {
            let own = picked(container);
            if container.sidecar {
                running.add(&own);
                sidecars.add(&own);
                starting.max(&sidecars);
            } else {
                let mut beside_sidecars = own.into_owned();
                beside_sidecars.add(&sidecars);
                starting.max(&beside_sidecars);
            }
        }
        running.max(&starting);
        running
    }
}

/// Where the pod as a whole names a resource, that amount replaces the sum of the containers.
fn override_pod_level(total: &mut ResourceList, level: &ResourceList) {
    for (name, amount) in level {
        if is_supported_pod_level(name) {
            total.insert(name.clone(), amount.clone());
        }
    }
}

fn with_missing<'a>(list: Option<&'a ResourceList>, missing: &ResourceList) -> Cow<'a, ResourceList> {
    let mut list = list.map_or_else(|| Cow::Owned(ResourceList::new()), Cow::Borrowed);
    for (name, amount) in missing {
        if !list.contains_key(name) {
            // Upstream adds to a zero there, and so does not keep the amount's text.
            let mut added = Quantity::default();
            added.add(amount);
            list.to_mut().insert(name.clone(), added);
        }
    }
    list
}
