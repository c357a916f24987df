//! Profiles with plugins that tests make up.

use super::Profile;
use crate::config::{
    KubeSchedulerConfiguration, KubeSchedulerProfile, PluginRef, PluginSet, Plugins, set_defaults,
};
use crate::framework::Plugin;
use crate::plugins::{Registration, TABLE};

impl Profile {
    /// A profile with these plugins, some of which aren't in the table.
    pub(crate) fn with(plugins: Plugins, made_up: &[Registration]) -> Self {
        let given = KubeSchedulerProfile { plugins: Some(plugins), ..KubeSchedulerProfile::default() };
        let mut configuration = KubeSchedulerConfiguration { profiles: vec![given], ..Default::default() };
        set_defaults(&mut configuration);
        let table: Vec<Registration> = TABLE.iter().chain(made_up).copied().collect();
        Self::new(&configuration.profiles[0], &configuration, &table).unwrap()
    }

    /// The default profile with one plugin more.
    pub(crate) fn with_plugin(made_up: Registration) -> Self {
        let multi_point = PluginSet { enabled: vec![PluginRef::new(made_up.name)], ..PluginSet::default() };
        Self::with(Plugins { multi_point, ..Plugins::default() }, &[made_up])
    }

    /// The plugins, to be given other parts.
    pub(crate) fn plugins_mut(&mut self) -> &mut [Plugin] {
        &mut self.plugins
    }
}
