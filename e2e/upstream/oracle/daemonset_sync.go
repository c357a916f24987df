package main

import (
	"context"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"
	"unsafe"

	apps "k8s.io/api/apps/v1"
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/client-go/tools/record"
	"k8s.io/client-go/util/flowcontrol"
	"k8s.io/klog/v2"
	"k8s.io/kubernetes/pkg/controller"
	"k8s.io/kubernetes/pkg/controller/daemon"
	daemonutil "k8s.io/kubernetes/pkg/controller/daemon/util"
	testingclock "k8s.io/utils/clock/testing"
)

func init() {
	register("daemonset_sync", daemonSetSync)
}

type daemonSetSyncInput struct {
	DaemonSet *apps.DaemonSet            `json:"daemonSet"`
	Nodes     []*v1.Node                 `json:"nodes"`
	Pods      []*v1.Pod                  `json:"pods"`
	Revisions []*apps.ControllerRevision `json:"revisions"`
	Now       time.Time                  `json:"now"`
	// Expecting says that creations or deletions are not observed yet.
	Expecting bool `json:"expecting"`
}

// daemonSetWorld is the controller over caches that a case fills, and a client that only takes down what it is asked for.
type daemonSetWorld struct {
	client       *fake.Clientset
	informers    informers.SharedInformerFactory
	sync         func(ctx context.Context, key string) error
	expectations controller.ControllerExpectationsInterface
	clock        *testingclock.FakeClock
	backoff      *flowcontrol.Backoff
	recorder     *record.FakeRecorder
	// daemonSet is what the API server would answer.
	daemonSet *apps.DaemonSet
}

// daemonSetWorlds keeps controllers, each of which starts goroutines that never end.
var daemonSetWorlds = sync.Pool{New: func() any { return newDaemonSetWorld() }}

func newDaemonSetWorld() *daemonSetWorld {
	world := &daemonSetWorld{
		client:   &fake.Clientset{},
		clock:    testingclock.NewFakeClock(time.Unix(0, 0)),
		recorder: record.NewFakeRecorder(1000),
	}
	world.client.AddReactor("*", "*", func(action clienttesting.Action) (bool, runtime.Object, error) {
		switch action := action.(type) {
		case clienttesting.CreateActionImpl:
			return true, action.Object, nil
		case clienttesting.UpdateActionImpl:
			return true, action.Object, nil
		case clienttesting.GetActionImpl:
			return true, world.daemonSet.DeepCopy(), nil
		case clienttesting.PatchActionImpl:
			if action.GetResource().Resource == "controllerrevisions" {
				return true, &apps.ControllerRevision{}, nil
			}
			return true, &v1.Pod{}, nil
		}
		return true, nil, nil
	})
	world.informers = informers.NewSharedInformerFactory(world.client, 0)
	world.backoff = flowcontrol.NewFakeBackOff(time.Second, 15*time.Minute, world.clock)
	made, err := daemon.NewDaemonSetsController(
		context.Background(),
		world.informers.Apps().V1().DaemonSets(),
		world.informers.Apps().V1().ControllerRevisions(),
		world.informers.Core().V1().Pods(),
		world.informers.Core().V1().Nodes(),
		world.client,
		world.backoff,
	)
	if err != nil {
		panic(err)
	}
	world.sync = *unexported[func(context.Context, string) error](made, "syncHandler")
	world.expectations = *unexported[controller.ControllerExpectationsInterface](made, "expectations")
	*unexported[record.EventRecorder](made, "eventRecorder") = world.recorder
	*unexported[controller.PodControlInterface](made, "podControl") =
		controller.RealPodControl{KubeClient: world.client, Recorder: world.recorder}
	return world
}

// unexported reaches a field that only upstream's own tests see.
func unexported[T any](of *daemon.DaemonSetsController, name string) *T {
	field := reflect.ValueOf(of).Elem().FieldByName(name)
	return (*T)(unsafe.Pointer(field.UnsafeAddr()))
}

// daemonSetSync answers what one sync of the controller asks of the API server.
func daemonSetSync(input []byte) (any, error) {
	var given daemonSetSyncInput
	if err := json.Unmarshal(input, &given); err != nil {
		return nil, err
	}
	for _, revision := range given.Revisions {
		if err := store(&revision.Data); err != nil {
			return nil, err
		}
	}
	world := daemonSetWorlds.Get().(*daemonSetWorld)
	defer daemonSetWorlds.Put(world)
	key := given.DaemonSet.Namespace + "/" + given.DaemonSet.Name
	if err := world.fill(&given, key); err != nil {
		return nil, err
	}
	err := world.sync(context.Background(), key)
	answer := world.asked()
	answer.Error = ""
	if err != nil {
		answer.Error = err.Error()
	}
	return answer, nil
}

// store writes data as a controller does that has made it; the case may have other escapes.
func store(data *runtime.RawExtension) error {
	var value map[string]any
	if err := utiljson.Unmarshal(data.Raw, &value); err != nil {
		return err
	}
	written, err := utiljson.Marshal(value)
	data.Raw = written
	return err
}

func (world *daemonSetWorld) fill(given *daemonSetSyncInput, key string) error {
	world.daemonSet = given.DaemonSet
	core, appsInformers := world.informers.Core().V1(), world.informers.Apps().V1()
	if err := appsInformers.DaemonSets().Informer().GetIndexer().Replace([]any{given.DaemonSet}, ""); err != nil {
		return err
	}
	if err := appsInformers.ControllerRevisions().Informer().GetIndexer().Replace(anys(given.Revisions), ""); err != nil {
		return err
	}
	if err := core.Pods().Informer().GetIndexer().Replace(anys(given.Pods), ""); err != nil {
		return err
	}
	if err := core.Nodes().Informer().GetIndexer().Replace(anys(given.Nodes), ""); err != nil {
		return err
	}
	// Whatever failed in an earlier case is long past.
	world.clock.SetTime(world.clock.Now().Add(100 * 365 * 24 * time.Hour))
	world.backoff.GC()
	world.clock.SetTime(given.Now)
	world.client.ClearActions()
	world.expectations.DeleteExpectations(klog.Background(), key)
	if given.Expecting {
		return world.expectations.SetExpectations(klog.Background(), key, 1, 0)
	}
	return nil
}

func anys[T any](objects []T) []any {
	values := make([]any, 0, len(objects))
	for _, object := range objects {
		values = append(values, object)
	}
	return values
}

// daemonSetAsked is what the controller has asked of the API server; lists are sorted.
type daemonSetAsked struct {
	CreatedOn        []string          `json:"created_on"`
	Deleted          []string          `json:"deleted"`
	Adopted          []string          `json:"adopted"`
	Released         []string          `json:"released"`
	Relabelled       []string          `json:"relabelled"`
	RevisionCreated  []any             `json:"revision_created"`
	RevisionsUpdated []revisionUpdated `json:"revisions_updated"`
	RevisionsDeleted []string          `json:"revisions_deleted"`
	RevisionsClaimed []string          `json:"revisions_claimed"`
	Status           map[string]any    `json:"status"`
	EndedPods        []string          `json:"ended_pods"`
	Error            string            `json:"error"`
}

type revisionUpdated struct {
	Name     string `json:"name"`
	Revision int64  `json:"revision"`
	Hash     string `json:"hash"`
}

func (world *daemonSetWorld) asked() daemonSetAsked {
	asked := daemonSetAsked{
		CreatedOn: []string{}, Deleted: []string{}, Adopted: []string{}, Released: []string{}, Relabelled: []string{},
		RevisionCreated: []any{}, RevisionsUpdated: []revisionUpdated{}, RevisionsDeleted: []string{}, RevisionsClaimed: []string{},
		EndedPods: []string{},
	}
	for _, action := range world.client.Actions() {
		isPod := action.GetResource().Resource == "pods"
		switch action := action.(type) {
		case clienttesting.CreateActionImpl:
			switch object := action.Object.(type) {
			case *v1.Pod:
				node, _ := daemonutil.GetTargetNodeName(object)
				asked.CreatedOn = append(asked.CreatedOn, node)
			case *apps.ControllerRevision:
				asked.RevisionCreated = append(asked.RevisionCreated, map[string]any{
					"data": string(object.Data.Raw), "revision": object.Revision,
				})
			}
		case clienttesting.UpdateActionImpl:
			switch object := action.Object.(type) {
			case *apps.ControllerRevision:
				asked.RevisionsUpdated = append(asked.RevisionsUpdated, revisionUpdated{
					Name: object.Name, Revision: object.Revision,
					Hash: object.Labels[apps.DefaultDaemonSetUniqueLabelKey],
				})
			case *apps.DaemonSet:
				status := object.Status
				asked.Status = map[string]any{
					"desired": status.DesiredNumberScheduled, "current": status.CurrentNumberScheduled,
					"misscheduled": status.NumberMisscheduled, "ready": status.NumberReady,
					"updated": status.UpdatedNumberScheduled, "available": status.NumberAvailable,
					"unavailable": status.NumberUnavailable, "observed_generation": status.ObservedGeneration,
				}
			}
		case clienttesting.DeleteActionImpl:
			if isPod {
				asked.Deleted = append(asked.Deleted, action.Name)
			} else {
				asked.RevisionsDeleted = append(asked.RevisionsDeleted, action.Name)
			}
		case clienttesting.PatchActionImpl:
			patch := string(action.Patch)
			switch {
			case !isPod:
				asked.RevisionsClaimed = append(asked.RevisionsClaimed, action.Name)
			case strings.Contains(patch, `"$patch":"delete"`):
				asked.Released = append(asked.Released, action.Name)
			case strings.Contains(patch, `"ownerReferences"`):
				asked.Adopted = append(asked.Adopted, action.Name)
			default:
				asked.Relabelled = append(asked.Relabelled, action.Name)
			}
		}
	}
	for len(world.recorder.Events) > 0 {
		if event := <-world.recorder.Events; strings.Contains(event, "edDaemonPod ") {
			asked.EndedPods = append(asked.EndedPods, event)
		}
	}
	// Claims are made anew in each step of a sync, as the caches don't follow here.
	for _, list := range []*[]string{
		&asked.CreatedOn, &asked.Deleted, &asked.Adopted, &asked.Released, &asked.Relabelled, &asked.RevisionsDeleted,
		&asked.RevisionsClaimed, &asked.EndedPods,
	} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
	// Caches have no order.
	slices.SortStableFunc(asked.RevisionsUpdated, func(one, other revisionUpdated) int {
		return strings.Compare(one.Name, other.Name)
	})
	return asked
}
