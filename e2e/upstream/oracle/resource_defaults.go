package main

import (
	v1 "k8s.io/api/core/v1"
	podutil "k8s.io/kubernetes/pkg/api/pod"
	"k8s.io/kubernetes/pkg/apis/core"
	corev1 "k8s.io/kubernetes/pkg/apis/core/v1"
)

func init() {
	register("resource_defaults", onObject(resourceDefaults))
}

// resourceDefaults answers with the amounts of a pod as decoding leaves them, then as creating the pod leaves them.
func resourceDefaults(pod *v1.Pod) (any, error) {
	corev1.SetObjectDefaults_Pod(pod)
	output := map[string]any{"decoded": podAmounts(pod.DeepCopy())}
	created := new(core.Pod)
	if err := corev1.Convert_v1_Pod_To_core_Pod(pod, created, nil); err != nil {
		return nil, err
	}
	podutil.DefaultPodLevelResources(created)
	stored := new(v1.Pod)
	if err := corev1.Convert_core_Pod_To_v1_Pod(created, stored, nil); err != nil {
		return nil, err
	}
	output["created"] = podAmounts(stored)
	return output, nil
}

// podAmounts is all resource lists of a pod, but for those of volumes.
func podAmounts(pod *v1.Pod) map[string]any {
	resources := func(containers []v1.Container) []v1.ResourceRequirements {
		all := []v1.ResourceRequirements{}
		for _, container := range containers {
			all = append(all, container.Resources)
		}
		return all
	}
	statuses := func(containers []v1.ContainerStatus) []map[string]any {
		all := []map[string]any{}
		for _, container := range containers {
			all = append(all, map[string]any{
				"allocated": nonNil(container.AllocatedResources),
				"resources": orEmpty(container.Resources),
			})
		}
		return all
	}
	return map[string]any{
		"containers":      resources(pod.Spec.Containers),
		"init_containers": resources(pod.Spec.InitContainers),
		"pod":             orEmpty(pod.Spec.Resources),
		"overhead":        nonNil(pod.Spec.Overhead),
		"statuses":        statuses(pod.Status.ContainerStatuses),
		"init_statuses":   statuses(pod.Status.InitContainerStatuses),
		"allocated":       nonNil(pod.Status.AllocatedResources),
		"actual":          orEmpty(pod.Status.Resources),
	}
}

func nonNil(list v1.ResourceList) v1.ResourceList {
	if list == nil {
		return v1.ResourceList{}
	}
	return list
}

func orEmpty(resources *v1.ResourceRequirements) v1.ResourceRequirements {
	if resources == nil {
		return v1.ResourceRequirements{}
	}
	return *resources
}
