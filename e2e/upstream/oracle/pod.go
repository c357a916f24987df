package main

import (
	"context"
	"encoding/json"
	"reflect"
	"slices"
	"strings"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
	genericapirequest "k8s.io/apiserver/pkg/endpoints/request"
	"k8s.io/apiserver/pkg/registry/rest"
	"k8s.io/apiserver/pkg/warning"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	"k8s.io/kubernetes/pkg/apis/core"
	corev1 "k8s.io/kubernetes/pkg/apis/core/v1"
	"k8s.io/kubernetes/pkg/capabilities"
	"k8s.io/kubernetes/pkg/registry/core/pod"
)

func init() {
	// As every installer sets up the API server.
	capabilities.Initialize(capabilities.Capabilities{AllowPrivileged: true})
	register("pod_defaults", onObject(podDefaults))
	register("pod_validation", onObject(podValidation))
	register("pod_resize", podResize)
}

func podDefaults(object *v1.Pod) (any, error) {
	legacyscheme.Scheme.Default(object)
	return pruned(object)
}

type podOutcome struct {
	Errors   []string `json:"errors,omitempty"`
	Warnings []string `json:"warnings,omitempty"`
	Stored   any      `json:"stored,omitempty"`
}

// podValidation creates a pod as the API server does, except for admission and storage.
func podValidation(object *v1.Pod) (any, error) {
	internal, err := defaultedInternal(object)
	if err != nil {
		return nil, err
	}
	warnings := &warningList{}
	ctx := podContext(object.Namespace, "", warnings)
	pod.Strategy.PrepareForCreate(ctx, internal)
	if errs := rest.ValidateCreate(ctx, internal, pod.Strategy); len(errs) != 0 {
		return podOutcome{Errors: orderedMessages(errs)}, nil
	}
	found := slices.Concat(warnings.texts, pod.Strategy.WarningsOnCreate(ctx, internal))
	stored := &v1.Pod{}
	if err := corev1.Convert_core_Pod_To_v1_Pod(internal, stored, nil); err != nil {
		return nil, err
	}
	for i := range stored.Status.Conditions {
		stored.Status.Conditions[i].LastTransitionTime.Reset()
	}
	tree, err := pruned(stored)
	return podOutcome{Warnings: orderedTexts(found), Stored: tree}, err
}

type podResizeInput struct {
	Old v1.Pod `json:"old"`
	New v1.Pod `json:"new"`
}

// HasStatus tells whether the old pod came with a status.
func (input *podResizeInput) HasStatus() bool {
	return !reflect.DeepEqual(input.Old.Status, v1.PodStatus{})
}

// podResize changes a pod through its resize subresource.
func podResize(input []byte) (any, error) {
	pods := podResizeInput{}
	if err := json.Unmarshal(input, &pods); err != nil {
		return nil, err
	}
	before, err := defaultedInternal(&pods.Old)
	if err != nil {
		return nil, err
	}
	after, err := defaultedInternal(&pods.New)
	if err != nil {
		return nil, err
	}
	ctx := podContext(pods.Old.Namespace, "", &warningList{})
	status := before.Status
	pod.Strategy.PrepareForCreate(ctx, before)
	if errs := rest.ValidateCreate(ctx, before, pod.Strategy); len(errs) != 0 {
		return podOutcome{Errors: []string{"the old pod is invalid"}}, nil
	}
	if pods.HasStatus() {
		status.QOSClass = before.Status.QOSClass
		before.Status = status
	}
	ctx = podContext(pods.Old.Namespace, "resize", &warningList{})
	pod.ResizeStrategy.PrepareForUpdate(ctx, after, before)
	errs := pod.ResizeStrategy.ValidateUpdate(ctx, after, before)
	return podOutcome{Errors: orderedMessages(errs)}, nil
}

func defaultedInternal(object *v1.Pod) (*core.Pod, error) {
	legacyscheme.Scheme.Default(object)
	internal := &core.Pod{}
	return internal, corev1.Convert_v1_Pod_To_core_Pod(object, internal, nil)
}

func podContext(namespace, subresource string, warnings *warningList) context.Context {
	ctx := genericapirequest.WithNamespace(context.Background(), namespace)
	ctx = genericapirequest.WithRequestInfo(ctx, &genericapirequest.RequestInfo{
		APIVersion: "v1", Resource: "pods", Namespace: namespace, Subresource: subresource,
	})
	return warning.WithWarningRecorder(ctx, warnings)
}

type warningList struct{ texts []string }

func (list *warningList) AddWarning(_, text string) { list.texts = append(list.texts, text) }

// orderedMessages sorts neighbours that come from the same map, whose order is random.
func orderedMessages(errs field.ErrorList) []string {
	texts := make([]string, 0, len(errs))
	for _, err := range errs {
		// Most callers of validation leave the second of two equal errors out.
		if text := err.Error(); !slices.Contains(texts, text) {
			texts = append(texts, text)
		}
	}
	return orderedTexts(texts)
}

func orderedTexts(texts []string) []string {
	for start := 0; start < len(texts); {
		end := start + 1
		for end < len(texts) && mapPath(texts[end]) == mapPath(texts[start]) {
			end++
		}
		slices.Sort(texts[start:end])
		start = end
	}
	return texts
}

// mapPath is the part of a message's path up to the first map.
func mapPath(text string) string {
	path, _, _ := strings.Cut(text, ": ")
	for _, start := range []string{".limits", ".requests", "metadata.annotations", "status.capacity", "status.allocatable"} {
		if before, _, found := strings.Cut(path, start); found {
			path = before
		}
	}
	for i := 0; i+1 < len(path); i++ {
		if path[i] == '[' && (path[i+1] < '0' || path[i+1] > '9') {
			return path[:i]
		}
	}
	return path
}

// pruned is an object as JSON without its type and without what is absent, empty or zero: our types do not tell these apart where upstream
// does.
func pruned(object any) (any, error) {
	text, err := json.Marshal(object)
	if err != nil {
		return nil, err
	}
	var tree map[string]any
	if err := json.Unmarshal(text, &tree); err != nil {
		return nil, err
	}
	delete(tree, "apiVersion")
	delete(tree, "kind")
	return prune(tree), nil
}

func prune(tree any) any {
	switch node := tree.(type) {
	case map[string]any:
		for key, value := range node {
			value = prune(value)
			if isAbsent(key, value) {
				delete(node, key)
			} else {
				node[key] = value
			}
		}
	case []any:
		for i := range node {
			node[i] = prune(node[i])
		}
	}
	return tree
}

// maps are the fields for which empty means absent.
var maps = []string{
	"annotations", "labels", "limits", "matchLabels", "metadata", "nodeSelector", "options", "overhead", "requests",
	"resources", "status", "userAnnotations", "volumeAttributes",
}

func isAbsent(key string, value any) bool {
	switch value := value.(type) {
	case nil:
		return true
	case string:
		return value == ""
	case bool:
		return !value
	case float64:
		return value == 0
	case []any:
		return len(value) == 0
	case map[string]any:
		return len(value) == 0 && slices.Contains(maps, key)
	}
	return false
}
