package main

import (
	"encoding/json"
	"slices"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	quota "k8s.io/apiserver/pkg/quota/v1"
	"k8s.io/apiserver/pkg/quota/v1/generic"
	"k8s.io/client-go/tools/cache"
)

func init() {
	register("quota_recount", quotaRecount)
}

type quotaRecountInput struct {
	quotaWorld
	Quota     v1.ResourceQuota `json:"quota"`
	Countable []groupResource  `json:"countable"`
	Objects   []struct {
		Resource groupResource   `json:"resource"`
		Object   json.RawMessage `json:"object"`
	} `json:"objects"`
}

// quotaRecount answers what a quota has used after its controller has counted the objects.
func quotaRecount(input []byte) (any, error) {
	var given quotaRecountInput
	if err := json.Unmarshal(input, &given); err != nil {
		return nil, err
	}
	objects := map[schema.GroupResource]listed{}
	for _, each := range given.Objects {
		resource := each.Resource.upstream()
		object, err := quotaObject(resource, each.Object)
		if err != nil {
			return nil, err
		}
		objects[resource] = append(objects[resource], object)
	}
	list := func(resource schema.GroupVersionResource) (cache.GenericLister, error) {
		return objects[resource.GroupResource()], nil
	}
	evaluators := given.evaluators(list)
	for _, countable := range given.Countable {
		resource := countable.upstream()
		same := func(evaluator quota.Evaluator) bool { return evaluator.GroupResource() == resource }
		if !slices.ContainsFunc(evaluators, same) {
			listed := generic.ListResourceUsingListerFunc(list, resource.WithVersion("v1"))
			evaluators = append(evaluators, generic.NewObjectCountEvaluator(resource, listed, ""))
		}
	}
	spec := given.Quota.Spec
	counted, err := quota.CalculateUsage(given.Quota.Namespace, spec.Scopes, spec.Hard, ordered(evaluators), spec.ScopeSelector)
	if err != nil {
		return nil, err
	}
	// The rest is what syncResourceQuota does, which can't be called without a running controller.
	used := quota.Add(v1.ResourceList{}, given.Quota.Status.Used)
	for key, amount := range counted {
		used[key] = amount
	}
	return amounts(quota.Mask(used, quota.ResourceNames(spec.Hard))), nil
}
