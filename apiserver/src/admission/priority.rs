//! Priority: a pod's priority and preemption policy come from its priority class.

use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::api::scheduling::v1::PriorityClass;
use plimsoll_api::group::GroupResource;
use plimsoll_api::status::Status;

/// The class of what a node cannot run without.
pub const SYSTEM_NODE_CRITICAL: &str = "system-node-critical";
/// The class of what a cluster cannot run without.
pub const SYSTEM_CLUSTER_CRITICAL: &str = "system-cluster-critical";

const SYSTEM_NODE_CRITICAL_PRIORITY: i32 = 2_000_001_000;
const SYSTEM_CLUSTER_CRITICAL_PRIORITY: i32 = 2_000_000_000;
const PREEMPT_LOWER_PRIORITY: &str = "PreemptLowerPriority";

/// The priority classes of a cluster, the two built-in ones among them.
#[derive(Clone, Debug, Default)]
pub struct PriorityClasses(Vec<PriorityClass>);

struct Established {
    class_name: Option<String>,
    priority: i32,
    preemption_policy: Option<String>,
}

impl PriorityClasses {
    /// The classes that the cluster holds; the built-in ones need not be among them.
    pub fn new(classes: Vec<PriorityClass>) -> Self {
        Self(classes)
    }

    /// The value and preemption policy of a class.
    fn find(&self, name: &str) -> Option<Established> {
        let built_in = |priority| Established {
            class_name: Some(name.to_owned()),
            priority,
            preemption_policy: Some(PREEMPT_LOWER_PRIORITY.to_owned()),
        };
        let given = self.0.iter().find(|class| class.metadata.name.as_deref() == Some(name));
        match (given, name) {
            (Some(class), _) => Some(establish(class)),
            (None, SYSTEM_NODE_CRITICAL) => Some(built_in(SYSTEM_NODE_CRITICAL_PRIORITY)),
            (None, SYSTEM_CLUSTER_CRITICAL) => Some(built_in(SYSTEM_CLUSTER_CRITICAL_PRIORITY)),
            (None, _) => None,
        }
    }

    /// What a pod gets that names no class: the global default of the lowest value, else zero.
    fn default_priority(&self) -> Established {
        let defaults = self.0.iter().filter(|class| class.global_default == Some(true));
        // Of equal values the first by name, where upstream takes the first of an unordered list.
        let class = defaults.min_by_key(|class| (class.value, class.metadata.name.clone()));
        class.map_or_else(
            || Established {
                class_name: None,
                priority: 0,
                preemption_policy: Some(PREEMPT_LOWER_PRIORITY.to_owned()),
            },
            establish,
        )
    }
}

fn establish(class: &PriorityClass) -> Established {
    Established {
        class_name: class.metadata.name.clone(),
        priority: class.value.unwrap_or_default(),
        // The API server fills this in when a class is read.
        preemption_policy: class
            .preemption_policy
            .clone()
            .or_else(|| Some(PREEMPT_LOWER_PRIORITY.to_owned())),
    }
}

/// Sets class, priority and preemption policy of a pod that is created.
///
/// # Errors
/// 403 for an unknown class, and for a priority or policy that contradicts the class.
///
/// # Source
/// kubernetes `plugin/pkg/admission/priority` (`Plugin.admitPod`)
pub fn admit(pod: &mut Pod, name: &str, classes: &PriorityClasses) -> Result<(), Status> {
    let forbidden = |cause: String| Err(Status::forbidden(&GroupResource::new("", "pods"), name, &cause));
    let Some(spec) = &mut pod.spec else { return Ok(()) };
    let class_name = spec.priority_class_name.as_deref().unwrap_or_default();
    let established = if class_name.is_empty() {
        classes.default_priority()
    } else {
        match classes.find(class_name) {
            Some(established) => established,
            None => return forbidden(format!("no PriorityClass with name {class_name} was found")),
        }
    };
    spec.priority_class_name = established.class_name;
    let computed = established.priority;
    if let Some(given) = spec.priority.filter(|given| *given != computed) {
        return forbidden(format!(
            "the integer value of priority ({given}) must not be provided in pod spec; priority admission controller computed {computed} from the given PriorityClass name"
        ));
    }
    spec.priority = Some(computed);
    if let Some(computed) = established.preemption_policy {
        if let Some(given) = spec.preemption_policy.as_ref().filter(|given| **given != computed) {
            return forbidden(format!(
                "the string value of PreemptionPolicy ({given}) must not be provided in pod spec; priority admission controller computed {computed} from the given PriorityClass name"
            ));
        }
        spec.preemption_policy = Some(computed);
    }
    Ok(())
}

/// Refuses a priority class that would be a second global default.
///
/// # Errors
/// 403 if another class is the default already.
///
/// # Source
/// kubernetes `plugin/pkg/admission/priority` (`Plugin.validatePriorityClass`)
pub fn validate_priority_class(class: &PriorityClass, classes: &PriorityClasses) -> Result<(), Status> {
    let name = class.metadata.name.as_deref().unwrap_or_default();
    let default = classes.0.iter().filter(|class| class.global_default == Some(true));
    let default = default.min_by_key(|class| (class.value, class.metadata.name.clone()));
    match default.and_then(|class| class.metadata.name.as_deref()) {
        Some(default) if class.global_default == Some(true) => Err(Status::forbidden(
            &GroupResource::new("scheduling.k8s.io", "priorityclasses"),
            name,
            &format!("PriorityClass {default} is already marked as default. Only one default can exist"),
        )),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use plimsoll_fixtures::object;

    fn classes() -> PriorityClasses {
        PriorityClasses::new(vec![
            object("{metadata: {name: high}, value: 100, preemptionPolicy: Never}"),
            object("{metadata: {name: usual}, value: 5, globalDefault: true}"),
        ])
    }

    #[track_caller]
    fn check(spec: &str, classes: &PriorityClasses, expected: Result<(Option<&str>, i32, &str), &str>) {
        let mut pod: Pod = object(&format!("{{metadata: {{name: p}}, spec: {spec}}}"));
        let outcome = admit(&mut pod, "p", classes).map_err(|status| status.message);
        let spec = pod.spec.unwrap_or_default();
        let stored = (
            spec.priority_class_name.as_deref(),
            spec.priority.unwrap_or_default(),
            spec.preemption_policy.as_deref().unwrap_or_default(),
        );
        match expected {
            Ok(expected) => assert_eq!((outcome, stored), (Ok(()), expected)),
            Err(message) => assert_eq!(outcome, Err(message.to_owned())),
        }
    }

    #[test]
    fn resolves_the_class() {
        check("{containers: [], priorityClassName: high}", &classes(), Ok((Some("high"), 100, "Never")));
        check("{containers: []}", &classes(), Ok((Some("usual"), 5, "PreemptLowerPriority")));
        check("{containers: []}", &PriorityClasses::default(), Ok((None, 0, "PreemptLowerPriority")));
        let critical = "{containers: [], priorityClassName: system-node-critical, priority: 2000001000}";
        check(critical, &classes(), Ok((Some(SYSTEM_NODE_CRITICAL), 2_000_001_000, "PreemptLowerPriority")));
    }

    #[test]
    fn refuses_what_contradicts_the_class() {
        check(
            "{containers: [], priorityClassName: none}",
            &classes(),
            Err(r#"pods "p" is forbidden: no PriorityClass with name none was found"#),
        );
        check(
            "{containers: [], priority: 7}",
            &classes(),
            Err(
                r#"pods "p" is forbidden: the integer value of priority (7) must not be provided in pod spec; priority admission controller computed 5 from the given PriorityClass name"#,
            ),
        );
    }

    #[test]
    fn takes_one_global_default_only() {
        let second: PriorityClass = object("{metadata: {name: other}, value: 9, globalDefault: true}");
        let message = validate_priority_class(&second, &classes()).map_err(|status| status.message);
        let expected = r#"priorityclasses.scheduling.k8s.io "other" is forbidden: PriorityClass usual is already marked as default. Only one default can exist"#;
        assert_eq!(message, Err(expected.to_owned()));
    }
}
