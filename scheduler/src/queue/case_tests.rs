//! Where pods wait after some steps, as in upstream's queue. The oracle's family `scheduler_queue` takes the same steps.

use plimsoll_fixtures::{Case, cases};
use serde_json::{Value, json};

use super::replay::{Replay, Step};
use crate::plugins::TABLE;
use crate::{Listers, Profile};

#[test]
fn queue() {
    cases("testdata/queue.yaml").iter().for_each(check);
}

#[track_caller]
fn check(case: &Case) {
    let steps: Vec<Step> = serde_json::from_value(case.given["steps"].clone()).unwrap();
    let plugin = |name: &str| TABLE.iter().find(|row| row.name == name).map(|row| row.name);
    let mut replay = Replay::new(Profile::default(), Listers::default(), plugin);
    for step in &steps {
        assert!(replay.take(step).unwrap(), "{}: {}: makes no sense: {step:?}", case.source, case.name);
    }
    let mut answer = replay.state();
    for place in ["active", "backoff", "unschedulable"] {
        for pod in answer[place].as_object_mut().unwrap().values_mut() {
            // When a pod came and was flushed isn't what the cases are about.
            pod.as_object_mut()
                .unwrap()
                .retain(|field, _| !["since", "initial", "flushed"].contains(&field.as_str()));
            leave_out_empty(pod);
        }
    }
    answer["order"] = json!(replay.order());
    leave_out_empty(&mut answer);
    assert_eq!(answer, case.expect, "{}: {}", case.source, case.name);
}

/// Leaves out what is zero, none or empty.
fn leave_out_empty(object: &mut Value) {
    let says = |value: &Value| {
        ![json!(0), json!([]), json!({}), json!(""), json!(false), Value::Null].contains(value)
    };
    object.as_object_mut().unwrap().retain(|_, value| says(value));
}
