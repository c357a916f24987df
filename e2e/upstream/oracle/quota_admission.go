package main

import (
	"encoding/json"
	"slices"
	"strings"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/admission"
	"k8s.io/apiserver/pkg/admission/plugin/resourcequota"
	resourcequotaapi "k8s.io/apiserver/pkg/admission/plugin/resourcequota/apis/resourcequota"
	"k8s.io/apiserver/pkg/endpoints/handlers/responsewriters"
	"k8s.io/apiserver/pkg/quota/v1/generic"
	"k8s.io/kubernetes/pkg/quota/v1/install"
)

func init() {
	register("quota_admission", quotaAdmission)
}

type quotaAdmissionInput struct {
	quotaWorld
	Quotas  []v1.ResourceQuota `json:"quotas"`
	Limited []struct {
		groupResource
		MatchContains []string                               `json:"matchContains"`
		MatchScopes   []v1.ScopedResourceSelectorRequirement `json:"matchScopes"`
	} `json:"limited"`
	Operation   string          `json:"operation"`
	Resource    groupResource   `json:"resource"`
	Subresource string          `json:"subresource"`
	Name        string          `json:"name"`
	Object      json.RawMessage `json:"object"`
	OldObject   json.RawMessage `json:"oldObject"`
}

const quotaNamespace = "team"

// quotaAdmission answers what the admission plugin says to a request and what every quota has used afterwards.
func quotaAdmission(input []byte) (any, error) {
	var given quotaAdmissionInput
	if err := json.Unmarshal(input, &given); err != nil {
		return nil, err
	}
	resource := given.Resource.upstream()
	object, err := quotaObject(resource, given.Object)
	if err != nil {
		return nil, err
	}
	oldObject, err := quotaObject(resource, given.OldObject)
	if err != nil {
		return nil, err
	}
	attributes := admission.NewAttributesRecord(object, oldObject, schema.GroupVersionKind{}, quotaNamespace, given.Name,
		resource.WithVersion("v1"), given.Subresource, admission.Operation(given.Operation), nil, false, nil)

	// Upstream takes quotas in the order of its cache, which is random; Plimsoll in order of name.
	slices.SortStableFunc(given.Quotas, func(a, b v1.ResourceQuota) int { return strings.Compare(a.Name, b.Name) })
	stored := &storedQuotas{quotas: given.Quotas}
	configuration := &resourcequotaapi.Configuration{}
	for _, limited := range given.Limited {
		configuration.LimitedResources = append(configuration.LimitedResources, resourcequotaapi.LimitedResource{
			APIGroup: limited.Group, Resource: limited.Resource,
			MatchContains: limited.MatchContains, MatchScopes: limited.MatchScopes,
		})
	}
	stop := make(chan struct{})
	defer close(stop)
	evaluator := resourcequota.NewQuotaEvaluator(stored, install.DefaultIgnoredResources(),
		generic.NewRegistry(given.evaluators(nil)), nil, configuration, 1, stop)

	output := map[string]any{}
	if err := evaluator.Evaluate(attributes); err != nil {
		status := responsewriters.ErrorToAPIStatus(err)
		reason := string(status.Reason)
		if reason == "Unknown" {
			reason = ""
		}
		output["refused"] = map[string]any{"code": status.Code, "reason": reason, "message": status.Message}
	}
	used := map[string]any{}
	for _, quota := range stored.quotas {
		used[quota.Name] = amounts(quota.Status.Used)
	}
	output["used"] = used
	return output, nil
}

// storedQuotas stands for the API server's storage; every write succeeds.
type storedQuotas struct {
	quotas []v1.ResourceQuota
}

func (s *storedQuotas) UpdateQuotaStatus(quota *v1.ResourceQuota) error {
	for index := range s.quotas {
		if s.quotas[index].Name == quota.Name {
			s.quotas[index] = *quota.DeepCopy()
		}
	}
	return nil
}

func (s *storedQuotas) GetQuotas(string) ([]v1.ResourceQuota, error) {
	return slices.Clone(s.quotas), nil
}
