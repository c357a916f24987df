package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	apps "k8s.io/api/apps/v1"
	batch "k8s.io/api/batch/v1"
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/kubernetes/scheme"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/kubernetes/pkg/controller/cronjob"
	"k8s.io/kubernetes/pkg/controller/deployment"
	"k8s.io/kubernetes/pkg/controller/job"
	"k8s.io/kubernetes/pkg/controller/replicaset"
	"k8s.io/kubernetes/pkg/controller/replication"
	"k8s.io/kubernetes/pkg/controller/statefulset"
)

// quietTime is how long a controller must have done nothing to be taken for done.
const quietTime = 150 * time.Millisecond

func init() {
	register("workload", workload)
}

// workloadInput is a workload and the objects that are there besides.
type workloadInput struct {
	Workload json.RawMessage   `json:"workload"`
	Existing []json.RawMessage `json:"existing"`
}

// workload answers what the controller of the workload creates and updates, in any order, until it has nothing left to
// do. Pods run as soon as they exist. Whoever asks knows to sort the answer and to expect any hash and name suffix.
func workload(input []byte) (any, error) {
	var given workloadInput
	if err := json.Unmarshal(input, &given); err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	decode := scheme.Codecs.UniversalDeserializer().Decode
	object, _, err := decode(given.Workload, nil, nil)
	if err != nil {
		return nil, err
	}
	objects := []runtime.Object{object}
	for _, text := range given.Existing {
		existing, _, err := decode(text, nil, nil)
		if err != nil {
			return nil, err
		}
		objects = append(objects, existing)
	}

	client := fake.NewSimpleClientset(objects...)
	watch := watchWrites(client)
	factory := informers.NewSharedInformerFactory(client, 0)
	run, err := controllerOf(ctx, object, client, factory)
	if err != nil {
		return nil, err
	}
	factory.Start(ctx.Done())
	factory.WaitForCacheSync(ctx.Done())
	go run(ctx, 1)
	for quiet := false; !quiet; {
		before := watch.count.Load()
		time.Sleep(quietTime)
		quiet = before == watch.count.Load()
	}
	return writes(client)
}

func controllerOf(ctx context.Context, object runtime.Object, client *fake.Clientset, factory informers.SharedInformerFactory) (func(context.Context, int), error) {
	pods, sets := factory.Core().V1().Pods(), factory.Apps().V1()
	switch object.(type) {
	case *apps.Deployment:
		controller, err := deployment.NewDeploymentController(ctx, sets.Deployments(), sets.ReplicaSets(), pods, client)
		return controller.Run, err
	case *apps.ReplicaSet:
		return replicaset.NewReplicaSetController(ctx, sets.ReplicaSets(), pods, client, 500).Run, nil
	case *v1.ReplicationController:
		return replication.NewReplicationManager(ctx, pods, factory.Core().V1().ReplicationControllers(), client, 500).Run, nil
	case *apps.StatefulSet:
		claims := factory.Core().V1().PersistentVolumeClaims()
		return statefulset.NewStatefulSetController(ctx, pods, sets.StatefulSets(), claims, sets.ControllerRevisions(), client).Run, nil
	case *batch.Job:
		scheduling := factory.Scheduling().V1beta1()
		controller, err := job.NewController(ctx, client, pods, factory.Batch().V1().Jobs(), scheduling.Workloads(), scheduling.PodGroups())
		return controller.Run, err
	case *batch.CronJob:
		controller, err := cronjob.NewControllerV2(ctx, factory.Batch().V1().Jobs(), factory.Batch().V1().CronJobs(), client)
		return controller.Run, err
	}
	return nil, fmt.Errorf("no workload: %T", object)
}

type writeWatch struct{ count, names atomic.Int64 }

// watchWrites does what the API server and the kubelet would: it names objects and lets pods run.
func watchWrites(client *fake.Clientset) *writeWatch {
	watch := new(writeWatch)
	client.PrependReactor("*", "*", func(action clienttesting.Action) (bool, runtime.Object, error) {
		create, isCreate := action.(clienttesting.CreateAction)
		if action.GetVerb() != "get" && action.GetVerb() != "list" && action.GetVerb() != "watch" {
			watch.count.Add(1)
		}
		if !isCreate {
			return false, nil, nil
		}
		object, err := meta.Accessor(create.GetObject())
		if err != nil {
			return true, nil, errors.New("not an object")
		}
		if object.GetName() == "" {
			object.SetName(fmt.Sprintf("%s%05d", object.GetGenerateName(), watch.names.Add(1)))
		}
		if pod, isPod := object.(*v1.Pod); isPod {
			pod.Status.Phase = v1.PodRunning
			pod.Status.Conditions = []v1.PodCondition{{Type: v1.PodReady, Status: v1.ConditionTrue}}
		}
		return false, nil, nil
	})
	return watch
}

// writes are the objects created, and the sizes given to ReplicaSets.
func writes(client *fake.Clientset) (any, error) {
	created, scaled := []any{}, map[string]int32{}
	for _, action := range client.Actions() {
		if update, isUpdate := action.(clienttesting.UpdateAction); isUpdate && action.GetSubresource() == "" {
			if set, isSet := update.GetObject().(*apps.ReplicaSet); isSet && action.GetVerb() == "update" {
				scaled[set.Name] = *set.Spec.Replicas
			}
		}
		create, isCreate := action.(clienttesting.CreateAction)
		resource := action.GetResource().Resource
		if !isCreate || action.GetVerb() != "create" || resource == "events" || resource == "controllerrevisions" {
			continue
		}
		object := create.GetObject().DeepCopyObject()
		if pod, isPod := object.(*v1.Pod); isPod {
			pod.Status = v1.PodStatus{}
		}
		kinds, _, err := scheme.Scheme.ObjectKinds(object)
		if err != nil {
			return nil, err
		}
		object.GetObjectKind().SetGroupVersionKind(kinds[0])
		if accessor, err := meta.Accessor(object); err == nil {
			accessor.SetNamespace(action.GetNamespace())
		}
		shown, err := plain(object)
		if err != nil {
			return nil, err
		}
		created = append(created, shown)
	}
	return map[string]any{"created": created, "scaled": scaled}, nil
}
