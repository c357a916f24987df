package main

import (
	"slices"
	"strings"

	v1 "k8s.io/api/core/v1"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	"k8s.io/kubernetes/pkg/apis/core"
	_ "k8s.io/kubernetes/pkg/apis/core/install"
	"k8s.io/kubernetes/pkg/apis/core/validation"
)

func init() {
	register("limit_range_object", onObject(limitRangeObject))
}

// limitRangeObject answers the spec after defaulting and what is wrong with it, sorted; metadata is not its business.
func limitRangeObject(limitRange *v1.LimitRange) (any, error) {
	legacyscheme.Scheme.Default(limitRange)
	internal := &core.LimitRange{}
	if err := legacyscheme.Scheme.Convert(limitRange, internal, nil); err != nil {
		return nil, err
	}
	errors := []string{}
	for _, err := range validation.ValidateLimitRange(internal) {
		if !strings.HasPrefix(err.Field, "metadata") {
			errors = append(errors, err.Error())
		}
	}
	slices.Sort(errors)
	return map[string]any{"spec": limitRange.Spec, "errors": errors}, nil
}
