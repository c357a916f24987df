package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
	_ "unsafe" // for go:linkname

	"github.com/go-logr/logr"
	v1 "k8s.io/api/core/v1"
	resourceapi "k8s.io/api/resource/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/sets"
	corev1helpers "k8s.io/component-helpers/scheduling/corev1"
	"k8s.io/klog/v2"
	fwk "k8s.io/kube-scheduler/framework"
	"k8s.io/kubernetes/pkg/scheduler/backend/queue"
	"k8s.io/kubernetes/pkg/scheduler/framework"
	"k8s.io/kubernetes/pkg/scheduler/metrics"
	clocktesting "k8s.io/utils/clock/testing"
)

//go:linkname flushBackoffQCompleted k8s.io/kubernetes/pkg/scheduler/backend/queue.(*PriorityQueue).flushBackoffQCompleted
func flushBackoffQCompleted(*queue.PriorityQueue, klog.Logger)

//go:linkname flushUnschedulableEntitiesLeftover k8s.io/kubernetes/pkg/scheduler/backend/queue.(*PriorityQueue).flushUnschedulableEntitiesLeftover
func flushUnschedulableEntitiesLeftover(*queue.PriorityQueue, klog.Logger)

type queueCase struct {
	schedulerCase
	Steps []queueStep `json:"steps"`
}

// queueStep is one thing done to the queue.
type queueStep struct {
	Do string `json:"do"`
	// Pod is the pod to add, or its new state.
	Pod *v1.Pod `json:"pod"`
	// Name is the pod that it is done to.
	Name string `json:"name"`
	// Which says which of the pods that are being tried is meant.
	Which         int      `json:"which"`
	Unschedulable []string `json:"unschedulable"`
	Pending       []string `json:"pending"`
	// Node is the node to nominate.
	Node string `json:"node"`
	On   bool   `json:"on"`
	// Millis is how far the clock goes.
	Millis int64        `json:"millis"`
	Change objectChange `json:"change"`
	// Rule is the new state of a rule that taints devices; with none the rule of the name is gone.
	Rule *resourceapi.DeviceTaintRule `json:"rule"`
}

func init() {
	register("scheduler_queue", func(input []byte) (any, error) {
		var given queueCase
		if err := json.Unmarshal(input, &given); err != nil {
			return nil, err
		}
		ctx, cancel := context.WithCancel(klog.NewContext(context.Background(), logr.Discard()))
		defer cancel()
		world, err := newQueueWorld(ctx, &given)
		if errors.Is(err, errNoConfiguration) {
			return err.Error(), nil
		}
		if err != nil {
			return nil, err
		}
		outcomes := make([]any, 0, len(given.Steps))
		for i := range given.Steps {
			// No two pods enter at the same moment.
			world.clock.Step(time.Millisecond)
			if err := world.take(ctx, &given.Steps[i]); err != nil {
				return nil, err
			}
			outcomes = append(outcomes, world.state())
		}
		return map[string]any{"states": outcomes, "order": world.drain(ctx)}, nil
	})
	register("scheduler_hint", func(input []byte) (any, error) {
		var given struct {
			schedulerCase
			Pod    *v1.Pod      `json:"pod"`
			Change objectChange `json:"change"`
			Target bool         `json:"target"`
		}
		if err := json.Unmarshal(input, &given); err != nil {
			return nil, err
		}
		ctx, cancel := context.WithCancel(klog.NewContext(context.Background(), logr.Discard()))
		defer cancel()
		cluster, err := newSchedulerCluster(ctx, &given.schedulerCase)
		if errors.Is(err, errNoConfiguration) {
			return err.Error(), nil
		}
		if err != nil {
			return nil, err
		}
		events, old, new := given.Change.events(given.Target)
		// Of each event, what each plugin says that hears of it.
		hints := map[string]map[string][]string{}
		for _, event := range events {
			said := map[string][]string{}
			for _, extension := range cluster.framework.EnqueueExtensions() {
				registered, err := extension.EventsToRegister(ctx)
				if err != nil {
					return nil, err
				}
				for _, registered := range registered {
					if framework.MatchClusterEvents(registered.Event, event) {
						hint := say(ctx, registered.QueueingHintFn, given.Pod, old, new)
						said[extension.Name()] = append(said[extension.Name()], hint)
					}
				}
			}
			hints[event.Label()] = said
		}
		return hints, nil
	})
}

func say(ctx context.Context, hint fwk.QueueingHintFn, pod *v1.Pod, old, new any) string {
	if hint == nil {
		return "Queue"
	}
	said, err := hint(klog.FromContext(ctx), pod, old, new)
	if err != nil {
		return "error"
	}
	return said.String()
}

// preemptingGate stands for the plugin of its name: its own is told by removing pods.
type preemptingGate struct{ uids sets.Set[types.UID] }

func (*preemptingGate) Name() string { return "DefaultPreemption" }

func (g *preemptingGate) PreEnqueue(_ context.Context, pod *v1.Pod) *fwk.Status {
	if g.uids.Has(pod.UID) {
		return fwk.NewStatus(fwk.UnschedulableAndUnresolvable, "waiting for the preemption for this pod to be finished")
	}
	return nil
}

type queueWorld struct {
	cluster    *schedulerCluster
	queue      *queue.PriorityQueue
	clock      *clocktesting.FakeClock
	start      time.Time
	preempting *preemptingGate
	// current is what the informer has of each pod.
	current  map[string]*v1.Pod
	inFlight []*framework.QueuedPodInfo
	nodes    sets.Set[string]
}

func newQueueWorld(ctx context.Context, given *queueCase) (*queueWorld, error) {
	cluster, err := newSchedulerCluster(ctx, &given.schedulerCase)
	if err != nil {
		return nil, err
	}
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	world := &queueWorld{
		cluster: cluster, clock: clocktesting.NewFakeClock(start), start: start,
		preempting: &preemptingGate{uids: sets.New[types.UID]()},
		current:    map[string]*v1.Pod{}, nodes: sets.New[string](),
	}
	hints := queue.QueueingHintMap{}
	for _, extension := range cluster.framework.EnqueueExtensions() {
		events, err := extension.EventsToRegister(ctx)
		if err != nil {
			return nil, err
		}
		for _, event := range events {
			hint := event.QueueingHintFn
			if hint == nil {
				hint = func(klog.Logger, *v1.Pod, any, any) (fwk.QueueingHint, error) { return fwk.Queue, nil }
			}
			all := []fwk.ClusterEvent{event.Event}
			if event.Event.Resource == fwk.Pod {
				all = framework.UnrollPodEvent(event.Event)
			}
			for _, one := range all {
				hints[one] = append(hints[one], &queue.QueueingHintFunction{PluginName: extension.Name(), QueueingHintFn: hint})
			}
		}
	}
	gates := map[string]fwk.PreEnqueuePlugin{}
	for _, plugin := range cluster.framework.PreEnqueuePlugins() {
		gates[plugin.Name()] = plugin
	}
	gates[world.preempting.Name()] = world.preempting
	world.queue = queue.NewPriorityQueue(cluster.framework.QueueSortFunc(), cluster.informers,
		queue.WithClock(world.clock),
		queue.WithMetricsRecorder(metrics.NewMetricsAsyncRecorder(1000, time.Hour, ctx.Done())),
		queue.WithPodLister(cluster.informers.Core().V1().Pods().Lister()),
		queue.WithPreEnqueuePluginMap(map[string]map[string]fwk.PreEnqueuePlugin{"default-scheduler": gates}),
		queue.WithQueueingHintMapPerProfile(queue.QueueingHintMapPerProfile{"default-scheduler": hints}))
	return world, world.followSlices(klog.FromContext(ctx))
}

func (w *queueWorld) isInFlight(pod *v1.Pod) bool {
	return slices.ContainsFunc(w.queue.InFlightPods(), func(other *v1.Pod) bool { return other.UID == pod.UID })
}

// take takes one step. A step that makes no sense now is left out.
func (w *queueWorld) take(ctx context.Context, step *queueStep) error {
	logger := klog.FromContext(ctx)
	store := w.cluster.informers.Core().V1().Pods().Informer().GetStore()
	current := w.current[step.Name]
	switch step.Do {
	case "add":
		pod := identified(step.Pod)
		if _, waits := w.queue.GetPod(pod.Name, pod.Namespace, nil); waits || w.isInFlight(pod) {
			return nil
		}
		w.current[pod.Name] = pod
		w.nodes.Insert(pod.Status.NominatedNodeName)
		if err := store.Add(pod); err != nil {
			return err
		}
		w.queue.Add(ctx, pod)
	case "update":
		pod := identified(step.Pod)
		old := w.current[pod.Name]
		if old == nil {
			return nil
		}
		w.current[pod.Name] = pod
		w.nodes.Insert(pod.Status.NominatedNodeName)
		if err := store.Update(pod); err != nil {
			return err
		}
		w.queue.Update(ctx, old, pod)
		if old.Status.NominatedNodeName != "" && old.Status.NominatedNodeName != pod.Status.NominatedNodeName {
			w.nominationEnded(logger, old)
		}
	case "delete":
		if current == nil {
			return nil
		}
		delete(w.current, step.Name)
		if err := store.Delete(current); err != nil {
			return err
		}
		w.queue.Delete(logger, current)
		if current.Status.NominatedNodeName != "" {
			w.nominationEnded(logger, current)
		}
	case "pop":
		w.pop(logger)
	case "return", "done":
		if len(w.inFlight) == 0 {
			return nil
		}
		which := step.Which % len(w.inFlight)
		info := w.inFlight[which].DeepCopy()
		w.inFlight = slices.Delete(w.inFlight, which, which+1)
		if step.Do == "done" {
			w.queue.Done(info.Pod.UID)
			return nil
		}
		info.ClearRejectorPlugins()
		info.UnschedulablePlugins, info.PendingPlugins = sets.New(step.Unschedulable...), sets.New(step.Pending...)
		if latest := w.current[info.Pod.Name]; latest != nil {
			info.PodInfo, _ = framework.NewPodInfo(latest.DeepCopy())
		}
		return w.queue.AddUnschedulablePodIfNotPresent(logger, info, w.queue.SchedulingCycle())
	case "activate":
		if current != nil {
			w.queue.Activate(logger, map[string]*v1.Pod{step.Name: current})
		}
	case "nominate":
		if current != nil {
			w.nodes.Insert(step.Node)
			info, _ := framework.NewPodInfo(current)
			w.queue.AddNominatedPod(logger, info, &fwk.NominatingInfo{NominatingMode: fwk.ModeOverride, NominatedNodeName: step.Node})
		}
	case "preempting":
		if current == nil || len(current.Spec.SchedulingGates) > 0 {
			return nil
		}
		if step.On {
			w.preempting.uids.Insert(current.UID)
		} else {
			w.preempting.uids.Delete(current.UID)
		}
	case "change":
		events, old, new := step.Change.events(false)
		for _, event := range events {
			w.queue.MoveAllToActiveOrBackoffQueue(logger, event, old, new, nil)
		}
	case "taintRule":
		return w.setTaintRule(ctx, step.Name, step.Rule)
	case "wait":
		w.clock.Step(time.Duration(step.Millis) * time.Millisecond)
	case "flushBackoff":
		flushBackoffQCompleted(w.queue, logger)
	case "flushUnschedulable":
		flushUnschedulableEntitiesLeftover(w.queue, logger)
	default:
		return fmt.Errorf("no step %q", step.Do)
	}
	return nil
}

func (w *queueWorld) nominationEnded(logger klog.Logger, pod *v1.Pod) {
	priority := corev1helpers.PodPriority(pod)
	w.queue.MoveAllToActiveOrBackoffQueue(logger, framework.EventAssignedPodDelete, pod, nil,
		func(waiting *v1.Pod) bool { return corev1helpers.PodPriority(waiting) <= priority })
}

// pop takes the next pod, unless that would wait for one.
func (w *queueWorld) pop(logger klog.Logger) string {
	// Pods that failed by error wait for their backoff in any case.
	isRejected := func(pod *v1.Pod) bool {
		info, _ := w.queue.GetPod(pod.Name, pod.Namespace, nil)
		return info.UnschedulablePlugins.Len()+info.PendingPlugins.Len() > 0
	}
	if len(w.queue.PodsInActiveQ()) == 0 && !slices.ContainsFunc(w.queue.PodsInBackoffQ(), isRejected) {
		return ""
	}
	entity, err := w.queue.Pop(logger)
	if err != nil {
		return err.Error()
	}
	info := entity.(*framework.QueuedPodInfo)
	w.inFlight = append(w.inFlight, info)
	return info.Pod.Name
}

// drain tells in which order the pods are tried that are left.
func (w *queueWorld) drain(ctx context.Context) []string {
	names := []string{}
	for name := w.pop(klog.FromContext(ctx)); name != ""; name = w.pop(klog.FromContext(ctx)) {
		names = append(names, name)
	}
	return names
}

func (w *queueWorld) state() map[string]any {
	infos := func(pods []*v1.Pod) map[string]any {
		all := map[string]any{}
		for _, pod := range pods {
			info, _ := w.queue.GetPod(pod.Name, pod.Namespace, nil)
			initial := int64(-1)
			if info.InitialAttemptTimestamp != nil {
				initial = info.InitialAttemptTimestamp.Sub(w.start).Milliseconds()
			}
			flushed := int64(-1)
			if !info.FlushTimestamp.IsZero() {
				flushed = info.FlushTimestamp.Sub(w.start).Milliseconds()
			}
			all[pod.Name] = map[string]any{
				"since": info.Timestamp.Sub(w.start).Milliseconds(), "initial": initial, "flushed": flushed,
				"wasFlushed": info.WasFlushedFromUnschedulable, "attempts": info.Attempts,
				"rejections": info.UnschedulableCount, "errors": info.ConsecutiveErrorsCount,
				"unschedulable": sets.List(info.UnschedulablePlugins), "pending": sets.List(info.PendingPlugins),
				"gate": info.GatingPlugin, "version": info.Pod.ResourceVersion,
			}
		}
		return all
	}
	backingOff := infos(w.queue.PodsInBackoffQ())
	for _, pod := range w.queue.PodsInBackoffQ() {
		info, _ := w.queue.GetPod(pod.Name, pod.Namespace, nil)
		backingOff[pod.Name].(map[string]any)["until"] = info.BackoffExpiration.Sub(w.start).Milliseconds()
	}
	inFlight := []string{}
	for _, pod := range w.queue.InFlightPods() {
		inFlight = append(inFlight, pod.Name)
	}
	slices.Sort(inFlight)
	nominated := map[string]any{}
	for node := range w.nodes {
		names := []string{}
		for _, pod := range w.queue.NominatedPodsForNode(node) {
			names = append(names, pod.GetPod().Name)
		}
		if len(names) > 0 {
			nominated[node] = names
		}
	}
	return map[string]any{
		"active": infos(w.queue.PodsInActiveQ()), "backoff": backingOff,
		"unschedulable": infos(w.queue.UnschedulablePods()), "inFlight": inFlight, "nominated": nominated,
	}
}
