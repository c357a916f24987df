//! Which plugins decide for the pods of one `schedulerName`, and how.

mod binding;
#[cfg(test)]
mod made_up;

use std::cmp::Ordering;
use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::Binding;

use crate::config::{
    self, DEFAULT_SCHEDULER_NAME, Expanded, KubeSchedulerConfiguration, KubeSchedulerProfile, PluginArgs,
    Plugins,
};
use crate::extender::{self, Extenders};
use crate::framework::{
    ANYTHING, Assumed, Code, EventRegistration, ExtensionPoint, Plugin, PreEnqueueRequest, QueuedPod, Status,
};
use crate::plugins::{Registration, TABLE};
use crate::pod_info::PodInfo;
use crate::snapshot::{NodeIndex, Snapshot};

/// The plugins and settings for the pods of one `schedulerName`.
pub struct Profile {
    /// The name that pods ask for.
    pub scheduler_name: String,
    /// The plugins, each once.
    plugins: Vec<Plugin>,
    /// At each point the plugins that the configuration has there, those that aren't here yet among them.
    pub expanded: Expanded,
    /// At each point the plugins that are asked, by their place, and what their scores count.
    points: BTreeMap<ExtensionPoint, Vec<(usize, i64)>>,
    /// Whether no plugin is asked at only one of PreScore and Score where that makes a difference.
    scores_as_it_pre_scores: bool,
    /// Plugins of upstream's that are on and that don't decide anything here yet.
    pub missing: Vec<String>,
    /// How many per cent of the nodes have to be found feasible before they are compared; 0 lets the number of nodes decide.
    pub percentage_of_nodes_to_score: u8,
    /// Which of several best nodes is taken.
    pub tie_break: TieBreak,
    /// Who is asked beside the plugins. None are set here: the caller knows how to ask them.
    pub extenders: Extenders,
}

/// Which of several nodes with the best total is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TieBreak {
    /// The one that upstream's heap happens to have on top.
    Upstream,
    /// One that the seed and the number of decisions so far choose.
    Seeded {
        /// The seed.
        seed: u64,
    },
}

impl Default for Profile {
    /// Upstream's profile with no configuration, of the plugins that there are.
    fn default() -> Self {
        let mut configuration = KubeSchedulerConfiguration::default();
        config::set_defaults(&mut configuration);
        let profile = configuration.profiles.first().cloned().unwrap_or_default();
        // The default profile names the plugins of the table and tells them nothing that is wrong; a test makes it.
        Self::new(&profile, &configuration, &TABLE).unwrap_or_else(|_| Self::empty(DEFAULT_SCHEDULER_NAME))
    }
}

impl Profile {
    fn empty(scheduler_name: &str) -> Self {
        Self {
            scheduler_name: scheduler_name.to_owned(),
            plugins: Vec::new(),
            expanded: Expanded::new(),
            points: BTreeMap::new(),
            scores_as_it_pre_scores: true,
            missing: Vec::new(),
            percentage_of_nodes_to_score: 0,
            tie_break: TieBreak::Upstream,
            extenders: Extenders::default(),
        }
    }

    /// Makes the plugins of a profile whose defaults are filled in. `table` has the plugins that there are.
    ///
    /// # Errors
    /// Upstream's sentence on plugins that don't exist or don't fit, or on arguments that a plugin refuses.
    pub fn new(
        profile: &KubeSchedulerProfile,
        configuration: &KubeSchedulerConfiguration,
        table: &[Registration],
    ) -> Result<Self, String> {
        let name = profile.scheduler_name.as_deref().unwrap_or_default();
        let plugins = profile.plugins.clone().unwrap_or_default();
        let row = |name: &str| table.iter().find(|row| row.name == name);
        let points_of = |name: &str| config::points_of(name).or_else(|| Some(row(name)?.points));
        let mut made = Self::empty(name);
        let told = profile.plugin_config.iter();
        let args: BTreeMap<&str, &PluginArgs> =
            told.filter_map(|one| Some((one.name.as_str(), one.read.as_ref()?))).collect();
        for name in names_in_order(&plugins, table) {
            match row(name) {
                Some(row) => {
                    let plugin = (row.new)(args.get(name).copied())
                        .map_err(|error| format!("initializing plugin {name:?}: {error}"))?;
                    made.plugins.push(plugin);
                }
                None => made.missing.push(name.to_owned()),
            }
        }
        let expanded = config::expand(name, &plugins, &points_of)?;
        for (point, plugins) in &expanded {
            let place = |name: &str| made.plugins.iter().position(|plugin| plugin.name == name);
            let placed = plugins.iter().filter_map(|plugin| Some((place(&plugin.name)?, plugin.weight)));
            made.points.insert(*point, placed.collect());
        }
        made.expanded = expanded;
        made.scores_as_it_pre_scores = made.plugins.iter().all(|plugin| {
            let Some(part) = plugin.score.as_deref() else { return true };
            let is_at = |point| made.is_at(point, plugin.name);
            match (is_at(ExtensionPoint::PreScore), is_at(ExtensionPoint::Score)) {
                (true, false) => false,
                (false, true) => part.failure_without_pre_score().is_none(),
                _ => true,
            }
        });
        let percentage =
            profile.percentage_of_nodes_to_score.or(configuration.percentage_of_nodes_to_score).unwrap_or(0);
        made.percentage_of_nodes_to_score = u8::try_from(percentage).unwrap_or(0);
        Ok(made)
    }

    /// Whether a pod may enter the queue: the first refusal of any plugin, or success. The plugin named `first` is asked before
    /// the others.
    ///
    /// # Source
    /// `pkg/scheduler/backend/queue/scheduling_queue.go` (`runPreEnqueuePluginsForPod`)
    pub fn pre_enqueue(&self, request: &PreEnqueueRequest<'_>, first: Option<&str>) -> Status {
        // DIFFERENCE: D-scheduler-40.
        let asked = |is_first: bool| {
            let plugins = self.at(ExtensionPoint::PreEnqueue).map(|(plugin, _)| plugin);
            plugins
                .filter(move |plugin| (Some(plugin.name) == first) == is_first)
                .filter_map(|plugin| plugin.pre_enqueue)
        };
        let mut answers = asked(true).chain(asked(false)).map(|check| check(request));
        answers.find(|status| !status.is_success()).unwrap_or(Status::SUCCESS)
    }

    /// Which of two waiting pods is decided first.
    pub fn queue_order(&self, first: &QueuedPod<'_>, second: &QueuedPod<'_>) -> Ordering {
        let sort = self.at(ExtensionPoint::QueueSort).find_map(|(plugin, _)| plugin.queue_sort);
        sort.map_or(Ordering::Equal, |sort| sort(first, second))
    }

    /// What a pod takes beside the room of a node that it gets: objects as they will be, for [`Snapshot::assume`].
    ///
    /// # Errors
    /// The first refusal of a plugin.
    ///
    /// # Source
    /// `pkg/scheduler/framework/runtime/framework.go` (`RunReservePluginsReserve`)
    pub fn reserve(
        &self,
        pod: &PodInfo<'_>,
        snapshot: &Snapshot,
        node: NodeIndex,
    ) -> Result<Vec<Assumed>, Status> {
        let mut taken = Vec::new();
        for (plugin, _) in self.at(ExtensionPoint::Reserve) {
            let Some(part) = plugin.reserve.as_deref() else { continue };
            let of_plugin = part.reserve(pod, snapshot, node);
            taken.extend(of_plugin.map_err(|status| not_reserved(plugin.name, status))?);
        }
        Ok(taken)
    }

    /// What is to be created to bind a pod to the node of that name; none if no plugin binds.
    ///
    /// # Source
    /// `pkg/scheduler/framework/runtime/framework.go` (`RunBindPlugins`)
    pub fn bind(&self, pod: &PodInfo<'_>, node: &str) -> Option<Binding> {
        let bind = self.at(ExtensionPoint::Bind).find_map(|(plugin, _)| plugin.bind)?;
        Some(bind(pod, node))
    }

    /// The plugin of that name, wherever it is asked.
    pub fn plugin(&self, name: &str) -> Option<&Plugin> {
        self.plugins.iter().find(|plugin| plugin.name == name)
    }

    /// Which events may let in a pod that the plugin of that name turned away, or that extenders did.
    ///
    /// # Source
    /// `pkg/scheduler/framework/runtime/framework.go` (`fillEnqueueExtensions`)
    pub fn registered_events(&self, plugin: &str) -> &[EventRegistration] {
        if plugin == extender::NAME && !self.extenders.is_empty() {
            return &ANYTHING;
        }
        self.plugin(plugin).map(Plugin::registered_events).unwrap_or_default()
    }

    /// All plugins, each once.
    pub fn plugins(&self) -> &[Plugin] {
        &self.plugins
    }

    /// The plugins that are asked at a point, in their order, and what their scores count.
    pub(crate) fn at(&self, point: ExtensionPoint) -> impl Iterator<Item = (&Plugin, i64)> {
        let places = self.points.get(&point).map(Vec::as_slice).unwrap_or_default();
        places.iter().map(|(place, weight)| (&self.plugins[*place], *weight))
    }

    /// Whether no plugin is asked at only one of PreScore and Score where that makes a difference.
    pub(crate) fn scores_as_it_pre_scores(&self) -> bool {
        self.scores_as_it_pre_scores
    }

    /// Whether a plugin is asked at a point.
    pub(crate) fn is_at(&self, point: ExtensionPoint, name: &str) -> bool {
        self.at(point).any(|(plugin, _)| plugin.name == name)
    }
}

/// Why a plugin didn't reserve what a pod needs, as the framework says it.
fn not_reserved(plugin: &'static str, status: Status) -> Status {
    if status.is_rejected() {
        return Status { plugin, ..status };
    }
    Status::new(Code::Error, "", format!("running Reserve plugin {plugin:?}: {}", status.message()))
}

/// All plugins that are named anywhere: those of the table in its order, then the others.
fn names_in_order<'p>(plugins: &'p Plugins, table: &[Registration]) -> Vec<&'p str> {
    let mut names: Vec<&str> = plugins.enabled_names().into_iter().collect();
    let place = |name: &str| table.iter().position(|row| row.name == name).unwrap_or(table.len());
    names.sort_by_key(|name| place(name));
    names
}
