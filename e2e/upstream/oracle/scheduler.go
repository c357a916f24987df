package main

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/go-logr/logr"
	appsv1 "k8s.io/api/apps/v1"
	v1 "k8s.io/api/core/v1"
	policy "k8s.io/api/policy/v1"
	resourceapi "k8s.io/api/resource/v1"
	storagev1 "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes/fake"
	toolscache "k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/events"
	"k8s.io/klog/v2"
	extenderv1 "k8s.io/kube-scheduler/extender/v1"
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
	"NodeResourcesFit", "VolumeRestrictions", "NodeVolumeLimits", "VolumeBinding", "VolumeZone", "PodTopologySpread",
	"InterPodAffinity", "DynamicResources", "DefaultPreemption", "NodeResourcesBalancedAllocation", "ImageLocality", "DefaultBinder",
	"NodeDeclaredFeatures",
}

type schedulerCase struct {
	Nodes   []*v1.Node `json:"nodes"`
	Running []*v1.Pod  `json:"running"`
	// Nominated are pods that wait for the node that was set aside for them.
	Nominated              []*v1.Pod                       `json:"nominated"`
	Namespaces             []*v1.Namespace                 `json:"namespaces"`
	Services               []*v1.Service                   `json:"services"`
	ReplicationControllers []*v1.ReplicationController     `json:"replicationControllers"`
	ReplicaSets            []*appsv1.ReplicaSet            `json:"replicaSets"`
	StatefulSets           []*appsv1.StatefulSet           `json:"statefulSets"`
	DisruptionBudgets      []*policy.PodDisruptionBudget   `json:"podDisruptionBudgets"`
	PersistentVolumeClaims []*v1.PersistentVolumeClaim     `json:"persistentVolumeClaims"`
	PersistentVolumes      []*v1.PersistentVolume          `json:"persistentVolumes"`
	StorageClasses         []*storagev1.StorageClass       `json:"storageClasses"`
	CSINodes               []*storagev1.CSINode            `json:"csiNodes"`
	CSIDrivers             []*storagev1.CSIDriver          `json:"csiDrivers"`
	CSIStorageCapacities   []*storagev1.CSIStorageCapacity `json:"csiStorageCapacities"`
	VolumeAttachments      []*storagev1.VolumeAttachment   `json:"volumeAttachments"`
	ResourceClaims         []*resourceapi.ResourceClaim    `json:"resourceClaims"`
	DeviceClasses          []*resourceapi.DeviceClass      `json:"deviceClasses"`
	ResourceSlices         []*resourceapi.ResourceSlice    `json:"resourceSlices"`
	DeviceTaintRules       []*resourceapi.DeviceTaintRule  `json:"deviceTaintRules"`
	Pods                   []*v1.Pod                       `json:"pods"`
	Percentage             int32                           `json:"percentage"`
	// Config is a KubeSchedulerConfiguration; without one the default profile decides.
	Config json.RawMessage `json:"config"`
	// Extenders are what those of the configuration answer.
	Extenders []madeUpExtender `json:"extenders"`
}

// addObjects makes the informers know what plugins look up beside nodes and pods.
func (c *schedulerCluster) addObjects(given *schedulerCase) error {
	core, apps, storage := c.informers.Core().V1(), c.informers.Apps().V1(), c.informers.Storage().V1()
	return errors.Join(
		addAll(core.Namespaces().Informer(), given.Namespaces),
		addAll(core.Services().Informer(), given.Services),
		addAll(core.ReplicationControllers().Informer(), given.ReplicationControllers),
		addAll(apps.ReplicaSets().Informer(), given.ReplicaSets),
		addAll(apps.StatefulSets().Informer(), given.StatefulSets),
		addAll(c.informers.Policy().V1().PodDisruptionBudgets().Informer(), given.DisruptionBudgets),
		addAll(core.PersistentVolumeClaims().Informer(), given.PersistentVolumeClaims),
		addAll(core.PersistentVolumes().Informer(), given.PersistentVolumes),
		addAll(storage.StorageClasses().Informer(), given.StorageClasses),
		addAll(storage.CSINodes().Informer(), given.CSINodes),
		addAll(storage.CSIDrivers().Informer(), given.CSIDrivers),
		addAll(storage.CSIStorageCapacities().Informer(), given.CSIStorageCapacities),
		addAll(storage.VolumeAttachments().Informer(), given.VolumeAttachments),
		c.addDevices(given),
	)
}

func addAll[T any](informer toolscache.SharedIndexInformer, objects []T) error {
	for _, object := range objects {
		if err := informer.GetStore().Add(object); err != nil {
			return err
		}
	}
	return nil
}

func init() {
	register("scheduler", func(input []byte) (any, error) {
		var given schedulerCase
		if err := json.Unmarshal(input, &given); err != nil {
			return nil, err
		}
		ctx, cancel := context.WithCancel(klog.NewContext(context.Background(), logr.Discard()))
		defer cancel()
		if len(given.Extenders) > 0 {
			defer extenders.answerWith(given.Extenders)()
		}
		cluster, err := newSchedulerCluster(ctx, &given)
		if errors.Is(err, errNoConfiguration) {
			return err.Error(), nil
		}
		if err != nil {
			return nil, err
		}
		outcomes := make([]any, 0, len(given.Pods))
		for index, pod := range given.Pods {
			outcome, err := cluster.decide(ctx, pod, index == len(given.Pods)-1)
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
	client    *fake.Clientset
	// preemption decides as the plugin in the framework does, and removes no pod.
	preemption *defaultpreemption.DefaultPreemption
	// claimed are the claims that pods got devices for, by uid.
	claimed map[types.UID]bool
}

// errNoConfiguration is what a case answers whose configuration is refused.
var errNoConfiguration = errors.New("no valid configuration")

// configurationOf is the case's configuration, or the default one.
func configurationOf(given *schedulerCase) (*config.KubeSchedulerConfiguration, error) {
	if len(given.Config) == 0 || string(given.Config) == "null" {
		return latest.Default()
	}
	configuration, refusal, err := readSchedulerConfig(given.Config)
	if refusal != nil {
		return nil, errors.New("refused")
	}
	if err != nil {
		return nil, err
	}
	// What a plugin refuses is found out by making it.
	_, err = profilePlugins(configuration)
	return configuration, err
}

func newSchedulerCluster(ctx context.Context, given *schedulerCase) (*schedulerCluster, error) {
	defaults, err := configurationOf(given)
	if err != nil {
		return nil, errNoConfiguration
	}
	enabled := &defaults.Profiles[0].Plugins.MultiPoint
	enabled.Enabled = slices.DeleteFunc(enabled.Enabled, func(plugin config.Plugin) bool {
		return !slices.Contains(schedulerPlugins, plugin.Name)
	})
	// Nothing is applied, so the clientset needn't know the schema, which takes long to read.
	client := fake.NewSimpleClientset()
	if err := storeClaims(client, given.ResourceClaims); err != nil {
		return nil, err
	}
	cluster := &schedulerCluster{
		snapshot: cache.NewEmptySnapshot(), informers: informers.NewSharedInformerFactory(client, 0), client: client,
	}
	recorders := profile.NewRecorderFactory(events.NewBroadcaster(&events.EventSinkImpl{Interface: client.EventsV1()}))
	cluster.scheduler, err = scheduler.New(ctx, client, cluster.informers, nil, recorders,
		scheduler.WithParallelism(1),
		scheduler.WithPercentageOfNodesToScore(&given.Percentage),
		scheduler.WithNodeInfoSnapshot(cluster.snapshot),
		scheduler.WithProfiles(defaults.Profiles...),
		scheduler.WithExtenders(defaults.Extenders...))
	if err != nil {
		return nil, err
	}
	cluster.framework = cluster.scheduler.Profiles["default-scheduler"]
	cluster.readSelectors()
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
	for _, pod := range given.Nominated {
		if err := cluster.informers.Core().V1().Pods().Informer().GetStore().Add(identified(pod)); err != nil {
			return nil, err
		}
		// What a nominated pod asks for is known from the queue only.
		cluster.scheduler.SchedulingQueue.Add(ctx, pod)
	}
	return cluster, cluster.addObjects(given)
}

// identified gives the pod the identity that a server would have given it.
func identified(pod *v1.Pod) *v1.Pod {
	pod.UID = types.UID(pod.Namespace + "/" + pod.Name)
	return pod
}

// decide schedules one pod, and tells what each plugin said of each node. A pod that is placed runs there from then on.
func (c *schedulerCluster) decide(ctx context.Context, pod *v1.Pod, isLast bool) (map[string]any, error) {
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
	result, err := c.schedulePod(ctx, state, &framework.QueuedPodInfo{PodInfo: podInfo})
	var fitError *framework.FitError
	switch {
	case errors.As(err, &fitError):
		if err := c.preempt(ctx, state, pod, fitError, output); err != nil {
			return nil, err
		}
	case err != nil:
		output["error"] = err.Error()
	default:
		output["node"] = result.SuggestedHost
		output["evaluated"] = result.EvaluatedNodes
		output["feasible"] = result.FeasibleNodes
		assumed := pod.DeepCopy()
		assumed.Spec.NodeName = result.SuggestedHost
		if status := c.framework.RunReservePluginsReserve(ctx, state, assumed, result.SuggestedHost); !status.IsSuccess() {
			c.framework.RunReservePluginsUnreserve(ctx, state, assumed, result.SuggestedHost)
			output["reserve"] = statusOutput(status, status.Plugin())
			return output, nil
		}
		if devices := c.devicesTaken(); len(devices) > 0 {
			output["devices"] = devices
		}
		if volumes := volumesTaken(state, result.SuggestedHost); volumes != nil {
			output["volumes"] = volumes
		}
		if isLast {
			bound, err := c.preBindDevices(ctx, state, assumed, result.SuggestedHost)
			if err != nil {
				return nil, err
			}
			if bound != nil {
				output["preBind"] = bound
			}
		} else {
			c.useClaims(assumed)
		}
		if err := c.scheduler.Cache.AssumePod(logger, assumed); err != nil {
			return nil, err
		}
		if len(c.scheduler.Extenders) > 0 {
			bound, err := extendersBinding(c.scheduler, logger, assumed, result.SuggestedHost)
			bind := map[string]any{"bound": bound, "error": nil}
			if err != nil {
				bind["error"] = err.Error()
			}
			output["bind"] = bind
		}
	}
	return output, nil
}

// preempt tells which pods would be removed for the pod, or why removing pods doesn't help, and what the event would say.
func (c *schedulerCluster) preempt(
	ctx context.Context, state fwk.CycleState, pod *v1.Pod, fitError *framework.FitError, output map[string]any,
) error {
	statuses := fitError.Diagnosis.NodeToStatus
	output["unschedulablePlugins"] = sets.List(fitError.Diagnosis.UnschedulablePlugins)
	c.client.ClearActions()
	result, status := c.postFilter(ctx, state, pod, statuses)
	if released := c.released(); len(released) > 0 {
		output["released"] = released
	}
	fitError.Diagnosis.PostFilterMsg = status.Message()
	if !status.IsSuccess() {
		output["message"] = fitError.Error()
		return nil
	}
	if result.NominatedNodeName == "" {
		return errors.New("a preemption without a node")
	}
	// Of nodes that are equally good one is taken at random: the message is told without it.
	fitError.Diagnosis.PostFilterMsg = ""
	output["message"] = fitError.Error()
	nodes, err := statuses.NodesForStatusCode(c.snapshot.NodeInfos(), fwk.Unschedulable)
	if err != nil {
		return err
	}
	var budgets []*policy.PodDisruptionBudget
	for _, object := range c.informers.Policy().V1().PodDisruptionBudgets().Informer().GetStore().List() {
		budgets = append(budgets, object.(*policy.PodDisruptionBudget))
	}
	candidates, _, err := c.preemption.Evaluator.DryRunPreemption(ctx, state, pod, nodes, budgets, 0, int32(len(nodes)))
	// Nodes that couldn't be judged don't matter where another takes the pod, as in Evaluator.Preempt.
	if err != nil && len(candidates) == 0 {
		return err
	}
	candidates, status = callExtenders(c.preemption.Evaluator, klog.FromContext(ctx), pod, candidates)
	if !status.IsSuccess() {
		return status.AsError()
	}
	all := map[string]any{}
	for _, candidate := range candidates {
		victims := []string{}
		for _, victim := range candidate.Victims().Pods {
			victims = append(victims, victim.Namespace+"/"+victim.Name)
		}
		all[candidate.Name()] = map[string]any{"victims": victims, "violations": candidate.Victims().NumPDBViolations}
	}
	output["candidates"] = all
	output["best"] = c.best(ctx, candidates)
	return nil
}

// best are the candidates that are as good as the one that is taken: had the pods there run a nanosecond shorter, they would be.
func (c *schedulerCluster) best(ctx context.Context, candidates []preemption.Candidate) []string {
	taken := c.preemption.Evaluator.SelectCandidate(ctx, candidates)
	best := []string{taken.Name()}
	// Pods that haven't started count as started whenever they are looked at.
	now := metav1.Now()
	startedLater := func(candidate preemption.Candidate, by time.Duration) preemption.Candidate {
		later := &youngerCandidate{Candidate: candidate, victims: candidate.Victims().DeepCopy()}
		for _, pod := range later.victims.Pods {
			if pod.Status.StartTime == nil {
				pod.Status.StartTime = &now
			}
			pod.Status.StartTime = &metav1.Time{Time: pod.Status.StartTime.Add(by)}
		}
		return later
	}
	for _, candidate := range candidates {
		if candidate.Name() == taken.Name() {
			continue
		}
		both := []preemption.Candidate{startedLater(taken, 0), startedLater(candidate, 1)}
		if c.preemption.Evaluator.SelectCandidate(ctx, both).Name() == candidate.Name() {
			best = append(best, candidate.Name())
		}
	}
	slices.Sort(best)
	return best
}

type youngerCandidate struct {
	preemption.Candidate
	victims *extenderv1.Victims
}

func (c *youngerCandidate) Victims() *extenderv1.Victims { return c.victims }

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
	// They give all nodes 0 rather than leaving a pod out that has no claims.
	for _, plugin := range []string{"VolumeBinding", "DynamicResources"} {
		if all := scores[plugin]; all != nil && !slices.ContainsFunc(all.Raw, func(score int64) bool { return score != 0 }) {
			delete(scores, plugin)
		}
	}
	return scores
}

func statusOutput(status *fwk.Status, plugin string) map[string]any {
	// Reasons about extended resources come in the order of a map.
	reasons := slices.Sorted(slices.Values(status.Reasons()))
	return map[string]any{"code": status.Code().String(), "plugin": plugin, "reasons": reasons}
}
