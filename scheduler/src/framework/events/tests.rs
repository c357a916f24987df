use super::*;

/// # Source
/// `pkg/scheduler/framework/types_test.go` (`TestClusterEventMatching`)
#[test]
fn who_hears_of_what() {
    use ActionType as A;
    use EventResource as R;
    let rows = [
        (
            "wildcard event matches with all kinds of coming events",
            (R::WildCard, A::ALL),
            (R::Pod, A::UPDATE_NODE_LABEL),
            true,
        ),
        (
            "event with resource = 'Pod' matching with coming events carries matching actionType",
            (R::Pod, A::UPDATE_NODE_LABEL | A::UPDATE_NODE_TAINT),
            (R::Pod, A::UPDATE_NODE_LABEL),
            true,
        ),
        (
            "event with resource = 'Pod' also matches event with 'UnscheduledPod' resource and matching actionType",
            (R::Pod, A::UPDATE_NODE_LABEL | A::UPDATE_NODE_TAINT),
            (R::UnscheduledPod, A::UPDATE_NODE_LABEL),
            true,
        ),
        (
            "event with resource = '*' matching with coming events carries same actionType",
            (R::WildCard, A::UPDATE_NODE_LABEL),
            (R::Pod, A::UPDATE_NODE_LABEL),
            true,
        ),
        (
            "event with resource = '*' matching with coming events carries different actionType",
            (R::WildCard, A::UPDATE_NODE_LABEL),
            (R::Pod, A::UPDATE_NODE_ALLOCATABLE),
            false,
        ),
        (
            "event matching with coming events carries '*' resources",
            (R::Pod, A::UPDATE_NODE_LABEL),
            (R::WildCard, A::UPDATE_NODE_LABEL),
            false,
        ),
        (
            "event with resource = '*' matching with coming events carrying a too broad actionType",
            (R::WildCard, A::UPDATE_NODE_LABEL),
            (R::Pod, A::UPDATE),
            false,
        ),
        (
            "event with resource = '*' matching with coming events carrying a more specific actionType",
            (R::WildCard, A::UPDATE),
            (R::Pod, A::UPDATE_NODE_LABEL),
            true,
        ),
        (
            "event with resource = 'Pod' also matches event with AssignedPod resource and same actionType",
            (R::Pod, A::UPDATE_NODE_LABEL),
            (R::AssignedPod, A::UPDATE_NODE_LABEL),
            true,
        ),
        (
            "event with resource = 'Pod' also matches event with 'TargetPod' resource and same actionType",
            (R::Pod, A::UPDATE_NODE_TAINT),
            (R::TargetPod, A::UPDATE_NODE_TAINT),
            true,
        ),
        (
            "event with resource 'AssignedPod' does not match event with 'UnscheduledPod' resource and same actionType",
            (R::AssignedPod, A::ADD),
            (R::UnscheduledPod, A::ADD),
            false,
        ),
        (
            "event with resource 'AssignedPod' does not match event with 'TargetPod' resource and same actionType",
            (R::AssignedPod, A::UPDATE),
            (R::TargetPod, A::UPDATE),
            false,
        ),
        (
            "event with resource 'TargetPod' does not match event with 'AssignedPod' resource and same actionType",
            (R::TargetPod, A::UPDATE),
            (R::AssignedPod, A::UPDATE),
            false,
        ),
        (
            "event with resource 'AssignedPod' does not match with broad 'Pod' resource and same actionType",
            (R::AssignedPod, A::ADD),
            (R::Pod, A::ADD),
            false,
        ),
        (
            "event with resource 'AssignedPod' does not match with 'WildCard' resource and same actionType",
            (R::AssignedPod, A::ADD),
            (R::WildCard, A::ADD),
            false,
        ),
        (
            "event with resource 'UnscheduledPod' does not match with broad 'Pod' resource and same actionType",
            (R::UnscheduledPod, A::ADD),
            (R::Pod, A::ADD),
            false,
        ),
        (
            "event with resource 'UnscheduledPod' does not match with 'WildCard' resource and same actionType",
            (R::UnscheduledPod, A::ADD),
            (R::WildCard, A::ADD),
            false,
        ),
        (
            "WildCard matches with a pod sub-type resource 'TargetPod' and any actionType",
            (R::WildCard, A::ALL),
            (R::TargetPod, A::UPDATE),
            true,
        ),
        ("a wild card is no event of a node", (R::Node, A::ALL), (R::WildCard, A::ALL), false),
    ];
    for (name, registered, incoming, expected) in rows {
        let event = |(resource, action)| ClusterEvent::new(resource, action);
        assert_eq!(event(registered).covers(event(incoming)), expected, "{name}");
    }
}

#[test]
fn labels() {
    let claim = ClusterEvent::new(EventResource::ResourceClaim, ActionType::UPDATE);
    assert_eq!(claim.label(), "resource.k8s.io/ResourceClaimUpdate");
    assert_eq!(ClusterEvent::ASSIGNED_POD_DELETE.label(), "AssignedPodDelete");
    assert_eq!(ClusterEvent::UNSCHEDULABLE_TIMEOUT.label(), "UnschedulableTimeout");
}
