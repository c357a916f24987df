package main

import (
	"encoding/json"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/selection"
)

func init() {
	register("label_selector", labelSelector)
	register("label_requirement", labelRequirement)
}

// selectorInput is a selector (null is the absent one) and the sets of labels it is tried on.
type selectorInput struct {
	Selector *metav1.LabelSelector `json:"selector"`
	Labels   []labels.Set          `json:"labels"`
}

// labelSelector answers the error's text, or for each set of labels whether the selector matches it.
func labelSelector(input []byte) (any, error) {
	var given selectorInput
	if err := json.Unmarshal(input, &given); err != nil {
		return nil, err
	}
	selector, err := metav1.LabelSelectorAsSelector(given.Selector)
	if err != nil {
		return err.Error(), nil
	}
	return matches(selector, given.Labels), nil
}

// requirementInput is one requirement, with the operator spelled as node selectors do.
type requirementInput struct {
	Key      string       `json:"key"`
	Operator string       `json:"operator"`
	Values   []string     `json:"values"`
	Labels   []labels.Set `json:"labels"`
}

var selectionOperators = map[string]selection.Operator{
	"In":           selection.In,
	"NotIn":        selection.NotIn,
	"Exists":       selection.Exists,
	"DoesNotExist": selection.DoesNotExist,
	"Gt":           selection.GreaterThan,
	"Lt":           selection.LessThan,
}

// labelRequirement answers the error's text, or for each set of labels whether the requirement is met.
func labelRequirement(input []byte) (any, error) {
	var given requirementInput
	if err := json.Unmarshal(input, &given); err != nil {
		return nil, err
	}
	requirement, err := labels.NewRequirement(given.Key, selectionOperators[given.Operator], given.Values)
	if err != nil {
		return err.Error(), nil
	}
	return matches(labels.NewSelector().Add(*requirement), given.Labels), nil
}

func matches(selector labels.Selector, sets []labels.Set) []bool {
	matched := make([]bool, len(sets))
	for index, set := range sets {
		matched[index] = selector.Matches(set)
	}
	return matched
}
