package main

import (
	"context"
	"encoding/json"
	"errors"
	"slices"

	"github.com/go-logr/logr"
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/tools/events"
	"k8s.io/klog/v2"
	fwk "k8s.io/kube-scheduler/framework"
	"k8s.io/kubernetes/pkg/scheduler"
	"k8s.io/kubernetes/pkg/scheduler/apis/config"
	"k8s.io/kubernetes/pkg/scheduler/apis/config/latest"
	"k8s.io/kubernetes/pkg/scheduler/backend/cache"
	"k8s.io/kubernetes/pkg/scheduler/framework"
	"k8s.io/kubernetes/pkg/scheduler/framework/plugins/defaultpreemption"
	"k8s.io/kubernetes/pkg/scheduler/framework/plugins/feature"
	"k8s.io/kubernetes/pkg/scheduler/framework/preemption"
	"k8s.io/kubernetes/pkg/scheduler/profile"
)

// schedulerPlugins are those that our side has.
var schedulerPlugins = []string{
	"SchedulingGates", "PrioritySort", "NodeName", "NodeUnschedulable", "TaintToleration", "NodeAffinity", "NodePorts",
	"NodeResourcesFit", "DefaultPreemption", "NodeResourcesBalancedAllocation", "DefaultBinder",
}

type schedulerCase struct {
	Nodes      []*v1.Node `json:"nodes"`
	Running    []*v1.Pod  `json:"running"`
	Pods       []*v1.Pod  `json:"pods"`
	Percentage int32      `json:"percentage"`
}

func init() {
	register("scheduler", func(input []byte) (any, error) {
		var given schedulerCase
		if err := json.Unmarshal(input, &given); err != nil {
			return nil, err
		}
		ctx, cancel := context.WithCancel(klog.NewContext(context.Background(), logr.Discard()))
		defer cancel()
		cluster, err := newSchedulerCluster(ctx, &given)
		if err != nil {
			return nil, err
		}
		outcomes := make([]any, 0, len(given.Pods))
		for _, pod := range given.Pods {
			outcome, err := cluster.decide(ctx, pod)
			if err != nil {
				return nil, err
			}
			outcomes = append(outcomes, outcome)
		}
		return outcomes, nil
	})
}

// schedulerCluster is upstream's scheduler over a cache that is filled by hand.
type schedulerCluster struct {
	scheduler *scheduler.Scheduler
	framework framework.Framework
	snapshot  *cache.Snapshot
	informers informers.SharedInformerFactory
	// preemption decides as the plugin in the framework does, and removes no pod.
	preemption *defaultpreemption.DefaultPreemption
}

func newSchedulerCluster(ctx context.Context, given *schedulerCase) (*schedulerCluster, error) {
	defaults, err := latest.Default()
	if err != nil {
		return nil, err
	}
	enabled := &defaults.Profiles[0].Plugins.MultiPoint
	enabled.Enabled = slices.DeleteFunc(enabled.Enabled, func(plugin config.Plugin) bool {
		return !slices.Contains(schedulerPlugins, plugin.Name)
	})
	// Nothing is applied, so the clientset needn't know the schema, which takes long to read.
	client := fake.NewSimpleClientset()
	cluster := &schedulerCluster{snapshot: cache.NewEmptySnapshot(), informers: informers.NewSharedInformerFactory(client, 0)}
	recorders := profile.NewRecorderFactory(events.NewBroadcaster(&events.EventSinkImpl{Interface: client.EventsV1()}))
	cluster.scheduler, err = scheduler.New(ctx, client, cluster.informers, nil, recorders,
		scheduler.WithParallelism(1),
		scheduler.WithPercentageOfNodesToScore(&given.Percentage),
		scheduler.WithNodeInfoSnapshot(cluster.snapshot),
		scheduler.WithProfiles(defaults.Profiles...))
	if err != nil {
		return nil, err
	}
	cluster.framework = cluster.scheduler.Profiles["default-scheduler"]
	cluster.preemption, err = defaultpreemption.New(ctx,
		&config.DefaultPreemptionArgs{MinCandidateNodesPercentage: 10, MinCandidateNodesAbsolute: 100},
		cluster.framework, feature.Features{})
	if err != nil {
		return nil, err
	}
	cluster.preemption.Executor.PreemptPod = func(context.Context, preemption.Candidate, preemption.ExecutorPreemptor, *v1.Pod, string) (bool, error) {
		return true, nil
	}
	logger := klog.FromContext(ctx)
	for _, node := range given.Nodes {
		cluster.scheduler.Cache.AddNode(logger, node)
	}
	for _, pod := range given.Running {
		if err := cluster.scheduler.Cache.AddPod(logger, identified(pod)); err != nil {
			return nil, err
		}
	}
	return cluster, nil
}

// identified gives the pod the identity that a server would have given it.
func identified(pod *v1.Pod) *v1.Pod {
	pod.UID = types.UID(pod.Namespace + "/" + pod.Name)
	return pod
}

// decide schedules one pod, and tells what each plugin said of each node. A pod that is placed runs there from then on.
func (c *schedulerCluster) decide(ctx context.Context, pod *v1.Pod) (map[string]any, error) {
	for _, plugin := range c.framework.PreEnqueuePlugins() {
		if status := plugin.PreEnqueue(ctx, identified(pod)); !status.IsSuccess() {
			return map[string]any{"gated": statusOutput(status, plugin.Name())}, nil
		}
	}
	if err := c.informers.Core().V1().Pods().Informer().GetStore().Add(pod); err != nil {
		return nil, err
	}
	logger := klog.FromContext(ctx)
	if err := c.scheduler.Cache.UpdateSnapshot(logger, c.snapshot); err != nil {
		return nil, err
	}
	output, err := c.explain(ctx, pod)
	if err != nil {
		return nil, err
	}
	// An error is about pod affinity, which upstream ignores here too.
	podInfo, _ := framework.NewPodInfo(pod)
	state := framework.NewCycleState()
	result, err := c.scheduler.SchedulePod(ctx, c.framework, state, &framework.QueuedPodInfo{PodInfo: podInfo})
	var fitError *framework.FitError
	switch {
	case errors.As(err, &fitError):
		output["message"] = c.message(ctx, state, pod, fitError)
	case err != nil:
		output["error"] = err.Error()
	default:
		output["node"] = result.SuggestedHost
		output["evaluated"] = result.EvaluatedNodes
		output["feasible"] = result.FeasibleNodes
		assumed := pod.DeepCopy()
		assumed.Spec.NodeName = result.SuggestedHost
		return output, c.scheduler.Cache.AssumePod(logger, assumed)
	}
	return output, nil
}

// message is what the event would say. What preemption found is left out, for it decides about more than our side does.
func (c *schedulerCluster) message(ctx context.Context, state fwk.CycleState, pod *v1.Pod, fitError *framework.FitError) string {
	_, status := c.preemption.PostFilter(ctx, state, pod, fitError.Diagnosis.NodeToStatus)
	if !status.IsSuccess() {
		fitError.Diagnosis.PostFilterMsg = status.Message()
	}
	return fitError.Error()
}

// explain tells what each plugin says of each node, sampled or not.
func (c *schedulerCluster) explain(ctx context.Context, pod *v1.Pod) (map[string]any, error) {
	state := framework.NewCycleState()
	_, status, _ := c.framework.RunPreFilterPlugins(ctx, state, pod)
	if !status.IsSuccess() {
		return map[string]any{"preFilter": statusOutput(status, status.Plugin())}, nil
	}
	nodes, err := c.snapshot.NodeInfos().List()
	if err != nil {
		return nil, err
	}
	verdicts := map[string]any{}
	names := make([]string, 0, len(nodes))
	var feasible []fwk.NodeInfo
	for _, node := range nodes {
		names = append(names, node.Node().Name)
		status := c.framework.RunFilterPluginsWithNominatedPods(ctx, state, pod, node)
		if status.IsSuccess() {
			feasible = append(feasible, node)
		} else {
			verdicts[node.Node().Name] = statusOutput(status, status.Plugin())
		}
	}
	output := map[string]any{"order": names, "verdicts": verdicts}
	if len(feasible) > 0 {
		output["scores"] = c.scores(ctx, state, pod, feasible)
	}
	return output, nil
}

func (c *schedulerCluster) scores(ctx context.Context, state fwk.CycleState, pod *v1.Pod, feasible []fwk.NodeInfo) any {
	if status := c.framework.RunPreScorePlugins(ctx, state, pod, feasible); !status.IsSuccess() {
		return status.Message()
	}
	nodes, status := c.framework.RunScorePlugins(ctx, state, pod, feasible)
	if !status.IsSuccess() {
		return status.Message()
	}
	type pluginScores struct {
		Raw      []int64 `json:"raw"`
		Weighted []int64 `json:"weighted"`
	}
	scores := map[string]*pluginScores{}
	for _, node := range nodes {
		for i, raw := range node.RawScores {
			if scores[raw.Name] == nil {
				scores[raw.Name] = &pluginScores{}
			}
			scores[raw.Name].Raw = append(scores[raw.Name].Raw, raw.Score)
			scores[raw.Name].Weighted = append(scores[raw.Name].Weighted, node.Scores[i].Score)
		}
	}
	return scores
}

func statusOutput(status *fwk.Status, plugin string) map[string]any {
	// Reasons about extended resources come in the order of a map.
	reasons := slices.Sorted(slices.Values(status.Reasons()))
	return map[string]any{"code": status.Code().String(), "plugin": plugin, "reasons": reasons}
}
