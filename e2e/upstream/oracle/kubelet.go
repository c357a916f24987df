package main

import (
	"encoding/json"

	"github.com/opencontainers/cgroups"
	v1 "k8s.io/api/core/v1"
	kubeletconfig "k8s.io/kubernetes/pkg/kubelet/apis/config"
	"k8s.io/kubernetes/pkg/kubelet/cm"
	kubeletqos "k8s.io/kubernetes/pkg/kubelet/qos"
	kubelettypes "k8s.io/kubernetes/pkg/kubelet/types"
)

func init() {
	register("kubelet", kubelet)
}

type kubeletInput struct {
	Pod              v1.Pod   `json:"pod"`
	EnforceCPULimits bool     `json:"enforce_cpu_limits"`
	CPUPeriod        int64    `json:"cpu_period"`
	ReserveMemory    bool     `json:"reserve_memory"`
	ThrottlingFactor *float64 `json:"throttling_factor"`
	MemoryCapacity   int64    `json:"memory_capacity"`
	MilliCPU         int64    `json:"milli_cpu"`
	Shares           uint64   `json:"shares"`
}

func kubelet(input []byte) (any, error) {
	var given kubeletInput
	if err := json.Unmarshal(input, &given); err != nil {
		return nil, err
	}
	pod := &given.Pod
	policy := kubeletconfig.NoneMemoryReservationPolicy
	if given.ReserveMemory {
		policy = kubeletconfig.TieredReservationMemoryReservationPolicy
	}
	// DIFFERENCE: D-PodResources-1: totals may add the overhead into the pod they are given, so each gets its own.
	config := cm.ResourceConfigForPod(pod.DeepCopy(), given.EnforceCPULimits, uint64(given.CPUPeriod), true, policy)
	if given.ThrottlingFactor != nil {
		cm.ApplyPodLevelMemoryHigh(pod.DeepCopy(), config, *given.ThrottlingFactor)
	}
	scores := map[string]int{}
	for _, containers := range [][]v1.Container{pod.Spec.InitContainers, pod.Spec.Containers} {
		for i := range containers {
			scores[containers[i].Name] = kubeletqos.GetContainerOOMScoreAdjust(pod.DeepCopy(), &containers[i], given.MemoryCapacity)
		}
	}
	unified := func(key string) any {
		if value, exists := config.Unified[key]; exists {
			return value
		}
		return nil
	}
	return map[string]any{
		"cpu_shares":      config.CPUShares,
		"cpu_quota":       config.CPUQuota,
		"cpu_period":      config.CPUPeriod,
		"memory":          config.Memory,
		"hugepages":       config.HugePageLimit,
		"memory_min":      unified(cm.Cgroup2MemoryMin),
		"memory_low":      unified(cm.Cgroup2MemoryLow),
		"memory_high":     unified(cm.Cgroup2MemoryHigh),
		"scores":          scores,
		"critical":        kubelettypes.IsNodeCriticalPod(pod),
		"weight":          cgroups.ConvertCPUSharesToCgroupV2Value(given.Shares),
		"milli_to_shares": cm.MilliCPUToShares(given.MilliCPU),
		"milli_to_quota":  cm.MilliCPUToQuota(given.MilliCPU, given.CPUPeriod),
	}, nil
}
