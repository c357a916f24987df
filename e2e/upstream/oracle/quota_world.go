package main

import (
	"encoding/json"
	"fmt"
	"time"

	v1 "k8s.io/api/core/v1"
	resourcev1 "k8s.io/api/resource/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	quota "k8s.io/apiserver/pkg/quota/v1"
	"k8s.io/apiserver/pkg/quota/v1/generic"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/dynamic-resource-allocation/deviceclass/extendedresourcecache"
	"k8s.io/klog/v2"
	"k8s.io/kubernetes/pkg/quota/v1/evaluator/core"
	testclock "k8s.io/utils/clock/testing"
)

// groupResource is a resource as cases write it.
type groupResource struct {
	Group    string `json:"group"`
	Resource string `json:"resource"`
}

func (r groupResource) upstream() schema.GroupResource {
	return schema.GroupResource{Group: r.Group, Resource: r.Resource}
}

// quotaWorld is what the usage of an object depends on beside the object itself.
type quotaWorld struct {
	Now           time.Time                   `json:"now"`
	DeviceClasses []resourcev1.DeviceClass    `json:"deviceClasses"`
	Pods          []*v1.Pod                   `json:"pods"`
	Claims        []*resourcev1.ResourceClaim `json:"claims"`
}

// quotaAliases are the bare names under which some core resources are counted, as NewEvaluators has them.
var quotaAliases = []string{"configmaps", "replicationcontrollers", "resourcequotas", "secrets"}

// evaluators are upstream's, in a fixed order; list gives the stored objects of a resource.
func (w *quotaWorld) evaluators(list quota.ListerForResourceFunc) []quota.Evaluator {
	classes := extendedresourcecache.NewExtendedResourceCache(klog.Background())
	for index := range w.DeviceClasses {
		classes.OnAdd(&w.DeviceClasses[index], true)
	}
	pods := cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{cache.NamespaceIndex: cache.MetaNamespaceIndexFunc})
	for _, pod := range w.Pods {
		if err := pods.Add(pod); err != nil {
			panic(err)
		}
	}
	result := []quota.Evaluator{
		core.NewPodEvaluator(list, testclock.NewFakeClock(w.Now)),
		core.NewServiceEvaluator(list),
		core.NewPersistentVolumeClaimEvaluator(list),
		core.NewResourceClaimEvaluator(list, classes, corelisters.NewPodLister(pods), w.claimsOf),
	}
	for _, alias := range quotaAliases {
		resource := schema.GroupVersionResource{Version: "v1", Resource: alias}
		listed := generic.ListResourceUsingListerFunc(list, resource)
		result = append(result, generic.NewObjectCountEvaluator(resource.GroupResource(), listed, v1.ResourceName(alias)))
	}
	return result
}

// claimsOf does what upstream's index of claims by owner does.
func (w *quotaWorld) claimsOf(namespace string, uid types.UID) ([]*resourcev1.ResourceClaim, error) {
	var owned []*resourcev1.ResourceClaim
	for _, claim := range w.Claims {
		owner := metav1.GetControllerOfNoCopy(claim)
		if claim.Namespace == namespace && claim.Annotations[resourcev1.ExtendedResourceClaimAnnotation] == "true" &&
			owner != nil && owner.Kind == "Pod" && owner.APIVersion == "v1" && owner.UID == uid {
			owned = append(owned, claim)
		}
	}
	return owned, nil
}

// evaluatorFor is the evaluator of a resource, as admission finds or makes it.
func (w *quotaWorld) evaluatorFor(resource schema.GroupResource) quota.Evaluator {
	for _, evaluator := range w.evaluators(nil) {
		if evaluator.GroupResource() == resource {
			return evaluator
		}
	}
	return generic.NewObjectCountEvaluator(resource, nil, "")
}

// quotaObject reads an object of a resource; of resources that quota only counts, the metadata alone.
func quotaObject(resource schema.GroupResource, text json.RawMessage) (runtime.Object, error) {
	if len(text) == 0 || string(text) == "null" {
		return nil, nil
	}
	var object runtime.Object
	switch resource {
	case schema.GroupResource{Resource: "pods"}:
		object = &v1.Pod{}
	case schema.GroupResource{Resource: "services"}:
		object = &v1.Service{}
	case schema.GroupResource{Resource: "persistentvolumeclaims"}:
		object = &v1.PersistentVolumeClaim{}
	case schema.GroupResource{Group: "resource.k8s.io", Resource: "resourceclaims"}:
		object = &resourcev1.ResourceClaim{}
	default:
		object = &metav1.PartialObjectMetadata{}
	}
	return object, json.Unmarshal(text, object)
}

// amounts prints a resource list.
func amounts(list v1.ResourceList) map[string]string {
	texts := map[string]string{}
	for name, amount := range list {
		texts[string(name)] = amount.String()
	}
	return texts
}

// listed lists objects in the order given, whatever the selector.
type listed []runtime.Object

func (l listed) List(labels.Selector) ([]runtime.Object, error)            { return l, nil }
func (l listed) Get(string) (runtime.Object, error)                        { return nil, fmt.Errorf("not used") }
func (l listed) ByNamespace(namespace string) cache.GenericNamespaceLister { return l }

// ordered is a registry that lists its evaluators in a fixed order, so that sums print the same every time.
type ordered []quota.Evaluator

func (o ordered) Add(quota.Evaluator)    { panic("not used") }
func (o ordered) Remove(quota.Evaluator) { panic("not used") }
func (o ordered) Get(resource schema.GroupResource) quota.Evaluator {
	for _, evaluator := range o {
		if evaluator.GroupResource() == resource {
			return evaluator
		}
	}
	return nil
}
func (o ordered) List() []quota.Evaluator { return o }
