package main

import (
	"encoding/json"
	"fmt"
	"slices"

	v1 "k8s.io/api/core/v1"
)

func init() {
	register("quota_usage", quotaUsage)
}

type quotaUsageInput struct {
	quotaWorld
	Resource groupResource                          `json:"resource"`
	Object   json.RawMessage                        `json:"object"`
	Keys     []v1.ResourceName                      `json:"keys"`
	Scopes   []v1.ScopedResourceSelectorRequirement `json:"scopes"`
}

// quotaUsage answers what an object uses, which keys and scopes it falls under and what it must set.
func quotaUsage(input []byte) (any, error) {
	var given quotaUsageInput
	if err := json.Unmarshal(input, &given); err != nil {
		return nil, err
	}
	resource := given.Resource.upstream()
	object, err := quotaObject(resource, given.Object)
	if err != nil {
		return nil, err
	}
	evaluator := given.evaluatorFor(resource)
	usage, err := evaluator.Usage(object)
	if err != nil {
		return nil, err
	}
	matching := evaluator.MatchingResources(given.Keys)
	output := map[string]any{"usage": amounts(usage)}
	if err := evaluator.Constraints(matching, object); err != nil {
		output["constraints"] = err.Error()
	}
	slices.Sort(matching)
	output["matching"] = matching
	if scopes, err := evaluator.MatchingScopes(object, given.Scopes); err != nil {
		output["scopes"] = err.Error()
	} else {
		output["scopes"] = fmt.Sprint(scopes)
	}
	return output, nil
}
