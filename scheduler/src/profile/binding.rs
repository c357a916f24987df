//! What the plugins of a profile do between the reservation of a node and the binding of the pod.
//!
//! # Source
//! `pkg/scheduler/framework/runtime/framework.go`

use super::Profile;
use crate::framework::{BindingCycle, Code, ExtensionPoint, PreBindPlugin, Progress, Status, Waiting, Write};

impl Profile {
    /// Whether any plugin has something to do before the pod is bound. If so, its node is told as nominated first.
    ///
    /// # Source
    /// `framework.go` (`RunPreBindPreFlights`)
    pub fn pre_flight(&self, cycle: &BindingCycle<'_>) -> bool {
        self.pre_binders().any(|(_, plugin)| plugin.pre_flight(cycle))
    }

    /// What is to be written before the pod is bound, in this order. Upstream's plugins write beside each other.
    ///
    /// # Errors
    /// Why the pod can't be bound after all.
    ///
    /// # Source
    /// `framework.go` (`RunPreBindPlugins`)
    pub fn pre_bind(&self, cycle: &BindingCycle<'_>) -> Result<Vec<Write>, Status> {
        let mut all = Vec::new();
        for (name, plugin) in self.pre_binders() {
            all.extend(plugin.pre_bind(cycle).map_err(|message| failed(name, &message))?);
        }
        Ok(all)
    }

    /// Whether the pod can be bound, once all is written.
    ///
    /// # Errors
    /// Why it can't be bound after all.
    pub fn progress(&self, cycle: &BindingCycle<'_>, waiting: &Waiting<'_>) -> Result<bool, Status> {
        let mut is_done = true;
        for (name, plugin) in self.pre_binders() {
            match plugin.progress(cycle, waiting) {
                Progress::Done => {}
                Progress::Wait => is_done = false,
                Progress::Failed(message) => return Err(failed(name, &message)),
            }
        }
        Ok(is_done)
    }

    /// What is to be written as the pod isn't bound after all, beside [`Snapshot::restore`](crate::Snapshot::restore).
    ///
    /// # Source
    /// `framework.go` (`RunReservePluginsUnreserve`)
    pub fn unreserve(&self, cycle: &BindingCycle<'_>) -> Vec<Write> {
        let mut plugins: Vec<_> = self.at(ExtensionPoint::Reserve).collect();
        plugins.reverse();
        let parts = plugins.into_iter().filter_map(|(plugin, _)| plugin.reserve.as_deref());
        parts.flat_map(|part| part.unreserve(cycle)).collect()
    }

    fn pre_binders(&self) -> impl Iterator<Item = (&'static str, &dyn PreBindPlugin)> {
        let plugins = self.at(ExtensionPoint::PreBind);
        plugins.filter_map(|(plugin, _)| Some((plugin.name, plugin.pre_bind.as_deref()?)))
    }
}

fn failed(plugin: &'static str, message: &str) -> Status {
    Status::new(Code::Error, plugin, format!("running PreBind plugin {plugin:?}: {message}"))
}
