//! Many pods that are alike but for their generated names.

use std::collections::HashSet;

use k8s_openapi::api::core::v1::Pod;

use super::generated_name::GeneratedNames;

/// Pods that differ only in their names.
#[derive(Clone, Debug)]
pub struct PodBatch {
    pod: Pod,
    count: u64,
    names: GeneratedNames,
    taken: HashSet<String>,
}

impl PodBatch {
    /// So many copies of a pod, named after its `generateName` with names that aren't taken.
    pub fn new(pod: Pod, count: u64, seed: u64, taken: HashSet<String>) -> Self {
        let names = GeneratedNames::new(seed, pod.metadata.generate_name.as_deref().unwrap_or_default());
        Self { pod, count, names, taken }
    }

    /// How many pods there are.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The pods, one by one.
    pub fn into_pods(self) -> impl Iterator<Item = Pod> + Send {
        let Self { pod, count, names, taken } = self;
        let free = (0..).map(move |index| names.nth(index)).filter(move |name| !taken.contains(name));
        free.zip(0..count).map(move |(name, _)| {
            let mut named = pod.clone();
            named.metadata.name = Some(name);
            named
        })
    }
}
