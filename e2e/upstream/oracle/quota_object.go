package main

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	core "k8s.io/kubernetes/pkg/apis/core"
	_ "k8s.io/kubernetes/pkg/apis/core/install"
	"k8s.io/kubernetes/pkg/apis/core/validation"
	"k8s.io/kubernetes/pkg/registry/core/resourcequota"
)

func init() {
	register("quota_object", quotaObjectFamily)
}

type quotaObjectInput struct {
	Quota v1.ResourceQuota `json:"quota"`
	Old   v1.ResourceQuota `json:"old"`
}

// quotaObjectFamily answers how a quota is defaulted, what is wrong with it as a new one, as an update and as a status
// update, and what the API server warns of.
func quotaObjectFamily(input []byte) (any, error) {
	var given quotaObjectInput
	if err := json.Unmarshal(input, &given); err != nil {
		return nil, err
	}
	var quota, old core.ResourceQuota
	legacyscheme.Scheme.Default(&given.Quota)
	legacyscheme.Scheme.Default(&given.Old)
	if err := legacyscheme.Scheme.Convert(&given.Quota, &quota, nil); err != nil {
		return nil, err
	}
	if err := legacyscheme.Scheme.Convert(&given.Old, &old, nil); err != nil {
		return nil, err
	}
	return map[string]any{
		"defaulted": map[string]any{
			"specHard":   amounts(given.Quota.Spec.Hard),
			"statusHard": amounts(given.Quota.Status.Hard),
			"used":       amounts(given.Quota.Status.Used),
		},
		"create":       beyondMetadata(validation.ValidateResourceQuota(&quota)),
		"update":       beyondMetadata(validation.ValidateResourceQuotaUpdate(&quota, &old)),
		"updateStatus": beyondMetadata(validation.ValidateResourceQuotaStatusUpdate(&quota, &old)),
		"warnings":     append([]string{}, resourcequota.Strategy.WarningsOnCreate(context.Background(), &quota)...),
	}, nil
}

// beyondMetadata prints all errors but those of metadata, sorted, as upstream's order follows its maps.
func beyondMetadata(errors field.ErrorList) []string {
	texts := []string{}
	for _, err := range errors {
		if !strings.HasPrefix(err.Field, "metadata") {
			texts = append(texts, err.Error())
		}
	}
	slices.Sort(texts)
	return texts
}
