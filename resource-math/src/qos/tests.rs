use k8s_openapi::api::core::v1::Pod;
use plimsoll_fixtures::{cases, object};
use serde::Deserialize;

use super::{QosClass, stored_class};
use crate::pod_resources::PodResources;

#[test]
fn classes_are_upstreams() {
    for case in cases("testdata/qos.yaml") {
        let pod = PodResources::parse(&Pod::deserialize(&case.given).unwrap()).unwrap();
        assert_eq!(pod.qos_class().as_str(), case.expect.as_str().unwrap(), "{}", case.name);
    }
}

#[test]
fn a_stored_class_wins_unless_it_is_empty() {
    let class = |status: &str| {
        let pod: Pod = object(&format!("{{spec: {{containers: []}}, status: {{qosClass: {status}}}}}"));
        stored_class(&pod, &PodResources::default()).to_owned()
    };
    assert_eq!([class("Guaranteed"), class("''")], ["Guaranteed", "BestEffort"]);
}

#[test]
fn names_lead_back_to_classes() {
    for class in [QosClass::Guaranteed, QosClass::Burstable, QosClass::BestEffort] {
        assert_eq!(QosClass::from_name(class.as_str()), Some(class));
    }
    assert_eq!(QosClass::from_name("guaranteed"), None);
}
