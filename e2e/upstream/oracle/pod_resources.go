package main

import (
	"encoding/json"

	v1 "k8s.io/api/core/v1"
	resourcehelper "k8s.io/component-helpers/resource"
)

func init() {
	register("pod_resources", podResources)
}

// podResourcesInput is a pod and what is to be counted. Status is "ignored", "containers" or "containers-and-pod".
type podResourcesInput struct {
	Pod     v1.Pod `json:"pod"`
	Options struct {
		Status          string          `json:"status"`
		ExcludeOverhead bool            `json:"exclude_overhead"`
		SkipPodLevel    bool            `json:"skip_pod_level"`
		SkipContainers  bool            `json:"skip_containers"`
		Missing         v1.ResourceList `json:"missing"`
	} `json:"options"`
}

func podResources(input []byte) (any, error) {
	var given podResourcesInput
	if err := json.Unmarshal(input, &given); err != nil {
		return nil, err
	}
	options := resourcehelper.PodResourcesOptions{
		UseStatusResources: given.Options.Status != "ignored",
		InPlacePodLevelResourcesVerticalScalingEnabled: given.Options.Status == "containers-and-pod",
		ExcludeOverhead:             given.Options.ExcludeOverhead,
		SkipPodLevelResources:       given.Options.SkipPodLevel,
		SkipContainerLevelResources: given.Options.SkipContainers,
		NonMissingContainerRequests: given.Options.Missing,
	}
	// DIFFERENCE: D-PodResources-1: totals may add the overhead into the pod they are given, so each gets its own.
	pod := &given.Pod
	return map[string]any{
		"requests":           resourcehelper.PodRequests(pod.DeepCopy(), options),
		"limits":             resourcehelper.PodLimits(pod.DeepCopy(), options),
		"container_requests": resourcehelper.AggregateContainerRequests(pod.DeepCopy(), options),
		"container_limits":   resourcehelper.AggregateContainerLimits(pod.DeepCopy(), options),
		"pod_level_set":      resourcehelper.IsPodLevelResourcesSet(pod),
		"resize_infeasible":  resourcehelper.IsPodResizeInfeasible(pod),
	}, nil
}
