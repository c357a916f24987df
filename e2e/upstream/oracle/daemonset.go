package main

import (
	"encoding/json"

	apps "k8s.io/api/apps/v1"
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/klog/v2"
	"k8s.io/kubernetes/pkg/controller"
	"k8s.io/kubernetes/pkg/controller/daemon"
	daemonutil "k8s.io/kubernetes/pkg/controller/daemon/util"
)

func init() {
	register("daemonset", daemonSet)
}

// daemonSetInput is a DaemonSet, a node, the revision hash that new pods carry, and some pod.
type daemonSetInput struct {
	DaemonSet *apps.DaemonSet `json:"daemonSet"`
	Node      *v1.Node        `json:"node"`
	Hash      string          `json:"hash"`
	Pod       *v1.Pod         `json:"pod"`
}

// daemonSet answers whether the DaemonSet's pod belongs on the node, the pod that the controller would send for it, and
// which node that pod and the other one are meant for.
func daemonSet(input []byte) (any, error) {
	var given daemonSetInput
	if err := json.Unmarshal(input, &given); err != nil {
		return nil, err
	}
	set := given.DaemonSet
	shouldRun, shouldContinue := daemon.NodeShouldRunDaemonPod(klog.Background(), given.Node, set)

	created, err := newDaemonPod(set, given.Node.Name, given.Hash)
	if err != nil {
		return nil, err
	}
	sent, err := plain(created)
	if err != nil {
		return nil, err
	}
	return map[string]any{
		"should_run":              shouldRun,
		"should_continue_running": shouldContinue,
		"pod":                     sent,
		"target_of_new":           targetNode(created),
		"target_of_other":         targetNode(given.Pod),
	}, nil
}

// newDaemonPod takes the steps of the controller's syncNodes up to the call of the API server.
func newDaemonPod(set *apps.DaemonSet, node, hash string) (*v1.Pod, error) {
	generation, err := daemonutil.GetTemplateGeneration(set)
	if err != nil {
		generation = nil
	}
	template := daemonutil.CreatePodTemplate(set.Spec.Template, generation, hash)
	template.Spec.Affinity = daemonutil.ReplaceDaemonSetPodNodeNameNodeAffinity(template.Spec.Affinity, node)
	owner := metav1.NewControllerRef(set, apps.SchemeGroupVersion.WithKind("DaemonSet"))
	pod, err := controller.GetPodFromTemplate(&template, set, owner)
	if err != nil {
		return nil, err
	}
	// The client adds these.
	pod.TypeMeta = metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"}
	pod.Namespace = set.Namespace
	return pod, nil
}

func targetNode(pod *v1.Pod) string {
	node, err := daemonutil.GetTargetNodeName(pod)
	if err != nil {
		return "error: " + err.Error()
	}
	return node
}
