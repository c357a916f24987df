package main

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	v1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"
	"k8s.io/apiserver/pkg/admission"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/kubernetes/pkg/apis/core"
	corev1 "k8s.io/kubernetes/pkg/apis/core/v1"
	"k8s.io/kubernetes/plugin/pkg/admission/limitranger"
)

func init() {
	register("limit_range", limitRange)
}

// limitRangeInput is a request and the LimitRanges of its namespace.
type limitRangeInput struct {
	Operation   admission.Operation `json:"operation"`
	Kind        string              `json:"kind"`
	Resource    string              `json:"resource"`
	Subresource string              `json:"subresource"`
	Name        string              `json:"name"`
	Object      json.RawMessage     `json:"object"`
	Old         *struct {
		Metadata metav1.ObjectMeta `json:"metadata"`
	} `json:"old"`
	LimitRanges []v1.LimitRange `json:"limit_ranges"`
	// Raw LimitRanges are taken as they are; others get their defaults first.
	Raw bool `json:"raw"`
}

// limitRangeOutput is the pod after mutation (only what LimitRanges can change) and the refusal. A resize is validated
// as it came in, so that its refusal can be compared although we mutate nothing there.
type limitRangeOutput struct {
	Mutated *defaultedPod   `json:"mutated,omitempty"`
	Refusal *limitRangeDeny `json:"refusal,omitempty"`
}

type limitRangeDeny struct {
	LimitRange string `json:"limit_range"`
	Code       int32  `json:"code"`
	Reason     string `json:"reason"`
	Message    string `json:"message"`
	Group      string `json:"group"`
	Kind       string `json:"kind"`
	Name       string `json:"name"`
}

type defaultedPod struct {
	Containers     []v1.ResourceRequirements `json:"containers,omitempty"`
	InitContainers []v1.ResourceRequirements `json:"initContainers,omitempty"`
	Annotations    map[string]string         `json:"annotations,omitempty"`
}

// orderedActions is upstream's plugin with the errors of one LimitRange, which come in the order of Go's maps, sorted.
type orderedActions struct {
	limitranger.DefaultLimitRangerActions
	refusedBy string
}

func (actions *orderedActions) ValidateLimit(limitRange *v1.LimitRange, resource string, object runtime.Object) error {
	err := actions.DefaultLimitRangerActions.ValidateLimit(limitRange, resource, object)
	if err == nil {
		return nil
	}
	actions.refusedBy = limitRange.Name
	errs := slices.Clone(err.(utilerrors.Aggregate).Errors())
	slices.SortFunc(errs, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return utilerrors.NewAggregate(errs)
}

func limitRange(input []byte) (any, error) {
	var given limitRangeInput
	if err := json.Unmarshal(input, &given); err != nil {
		return nil, err
	}
	object, err := limitedObject(given.Kind, given.Object)
	if err != nil {
		return nil, err
	}
	if !given.Raw {
		for index := range given.LimitRanges {
			corev1.SetObjectDefaults_LimitRange(&given.LimitRanges[index])
		}
	}
	actions := &orderedActions{}
	plugin, err := limitRangePlugin(actions, given.LimitRanges)
	if err != nil {
		return nil, err
	}
	output := limitRangeOutput{}
	validated := object
	if plugin.Handles(given.Operation) {
		if given.Subresource == "resize" {
			validated = object.DeepCopyObject()
		}
		if err := plugin.Admit(context.Background(), given.attributes(object), nil); err != nil {
			return nil, err
		}
		err := plugin.Validate(context.Background(), given.attributes(validated), nil)
		output.Refusal = limitRangeDenied(err, actions.refusedBy)
	}
	if pod, isPod := object.(*core.Pod); isPod {
		output.Mutated, err = describeDefaultedPod(pod)
	}
	return output, err
}

// limitedObject decodes a pod or a claim and rounds its amounts, as the API server does before admission.
func limitedObject(kind string, text []byte) (runtime.Object, error) {
	if kind == "PersistentVolumeClaim" {
		claim, internal := &v1.PersistentVolumeClaim{}, &core.PersistentVolumeClaim{}
		if err := json.Unmarshal(text, claim); err != nil {
			return nil, err
		}
		corev1.SetObjectDefaults_PersistentVolumeClaim(claim)
		return internal, corev1.Convert_v1_PersistentVolumeClaim_To_core_PersistentVolumeClaim(claim, internal, nil)
	}
	pod, internal := &v1.Pod{}, &core.Pod{}
	if err := json.Unmarshal(text, pod); err != nil {
		return nil, err
	}
	roundPodSpec(&pod.Spec)
	return internal, corev1.Convert_v1_Pod_To_core_Pod(pod, internal, nil)
}

func roundPodSpec(spec *v1.PodSpec) {
	round := func(resources *v1.ResourceRequirements) {
		corev1.SetDefaults_ResourceList(&resources.Requests)
		corev1.SetDefaults_ResourceList(&resources.Limits)
	}
	for index := range spec.Containers {
		round(&spec.Containers[index].Resources)
	}
	for index := range spec.InitContainers {
		round(&spec.InitContainers[index].Resources)
	}
	if spec.Resources != nil {
		round(spec.Resources)
	}
}

// limitRangePlugin is the plugin with these LimitRanges in every namespace, in order of name. Its informer is empty, so
// it asks the client, whose order it keeps.
func limitRangePlugin(actions limitranger.LimitRangerActions, limitRanges []v1.LimitRange) (*limitranger.LimitRanger, error) {
	slices.SortStableFunc(limitRanges, func(a, b v1.LimitRange) int { return strings.Compare(a.Name, b.Name) })
	client := &fake.Clientset{}
	client.AddReactor("list", "limitranges", func(clienttesting.Action) (bool, runtime.Object, error) {
		return true, &v1.LimitRangeList{Items: limitRanges}, nil
	})
	plugin, err := limitranger.NewLimitRanger(actions)
	if err != nil {
		return nil, err
	}
	plugin.SetExternalKubeClientSet(client)
	plugin.SetExternalKubeInformerFactory(informers.NewSharedInformerFactory(client, 0))
	return plugin, plugin.ValidateInitialization()
}

func (given *limitRangeInput) attributes(object runtime.Object) admission.Attributes {
	var old runtime.Object
	if given.Old != nil {
		old = &core.Pod{ObjectMeta: given.Old.Metadata}
	}
	kind := schema.GroupVersionKind{Version: "v1", Kind: given.Kind}
	resource := schema.GroupVersionResource{Version: "v1", Resource: given.Resource}
	return admission.NewAttributesRecord(object, old, kind, "default", given.Name, resource, given.Subresource, given.Operation, nil, false, nil)
}

func limitRangeDenied(err error, refusedBy string) *limitRangeDeny {
	if err == nil {
		return nil
	}
	status := err.(apierrors.APIStatus).Status()
	return &limitRangeDeny{
		LimitRange: refusedBy,
		Code:       status.Code,
		Reason:     string(status.Reason),
		Message:    status.Message,
		Group:      status.Details.Group,
		Kind:       status.Details.Kind,
		Name:       status.Details.Name,
	}
}

func describeDefaultedPod(internal *core.Pod) (*defaultedPod, error) {
	pod := &v1.Pod{}
	if err := corev1.Convert_core_Pod_To_v1_Pod(internal, pod, nil); err != nil {
		return nil, err
	}
	described := &defaultedPod{Annotations: pod.Annotations}
	for _, container := range pod.Spec.Containers {
		described.Containers = append(described.Containers, container.Resources)
	}
	for _, container := range pod.Spec.InitContainers {
		described.InitContainers = append(described.InitContainers, container.Resources)
	}
	return described, nil
}
