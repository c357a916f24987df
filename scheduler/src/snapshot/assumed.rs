//! Objects as they will be once the pods are bound that they were reserved for.

use super::Snapshot;
use crate::framework::Assumed;
use crate::listers::Listers;
use crate::volume_claims::namespace_and_name;

impl Snapshot {
    /// Takes an object to be as it will be once a pod is bound.
    pub fn assume(&mut self, assumed: Assumed) {
        match assumed {
            Assumed::PersistentVolumeClaim(claim) => self.listers_mut().storage.set_claim(&claim),
            Assumed::PersistentVolume(volume) => self.listers_mut().storage.set_volume(&volume),
            // Nothing that is kept of nodes depends on who has devices, so all that stays.
            Assumed::ResourceClaim(assumed) => self.listers.devices.assume_claim(&assumed.claim),
        }
    }

    /// Takes objects that were assumed for a pod to be as they are stored again, as the pod isn't bound.
    ///
    /// # Source
    /// `pkg/scheduler/framework/plugins/volumebinding/binder.go` (`RevertAssumedPodVolumes`),
    /// `pkg/scheduler/framework/plugins/dynamicresources/dra_manager.go` (`AssumedClaimRestore`)
    pub fn restore(&mut self, taken: &[Assumed], stored: &Listers) {
        for assumed in taken {
            match assumed {
                Assumed::PersistentVolumeClaim(claim) => {
                    let (namespace, name) = namespace_and_name(&claim.metadata);
                    if let Some(claim) = stored.storage.claim(namespace, name) {
                        self.listers_mut().storage.set_claim(claim);
                    }
                }
                Assumed::PersistentVolume(volume) => {
                    let (_, name) = namespace_and_name(&volume.metadata);
                    if let Some(volume) = stored.storage.volume(name) {
                        self.listers_mut().storage.set_volume(volume);
                    }
                }
                Assumed::ResourceClaim(assumed) => {
                    self.listers.devices.restore_claim(&assumed.claim, &stored.devices);
                }
            }
        }
    }
}
