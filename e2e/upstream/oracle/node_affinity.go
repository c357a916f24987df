package main

import (
	"encoding/json"

	v1 "k8s.io/api/core/v1"
	"k8s.io/component-helpers/scheduling/corev1/nodeaffinity"
)

type nodeAffinityCase struct {
	Pod  v1.Pod  `json:"pod"`
	Node v1.Node `json:"node"`
}

func init() {
	register("node_affinity", func(input []byte) (any, error) {
		var given nodeAffinityCase
		if err := json.Unmarshal(input, &given); err != nil {
			return nil, err
		}
		matches, err := nodeaffinity.GetRequiredNodeAffinity(&given.Pod).Match(&given.Node)
		required := map[string]any{"matches": matches}
		if err != nil {
			required["error"] = err.Error()
		}
		return map[string]any{"required": required, "preferred": preferredScore(&given)}, nil
	})
}

func preferredScore(given *nodeAffinityCase) map[string]any {
	var preferred []v1.PreferredSchedulingTerm
	if affinity := given.Pod.Spec.Affinity; affinity != nil && affinity.NodeAffinity != nil {
		preferred = affinity.NodeAffinity.PreferredDuringSchedulingIgnoredDuringExecution
	}
	terms, err := nodeaffinity.NewPreferredSchedulingTerms(preferred)
	if err != nil {
		return map[string]any{"error": err.Error()}
	}
	return map[string]any{"score": terms.Score(&given.Node)}
}
