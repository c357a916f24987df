package main

import (
	v1 "k8s.io/api/core/v1"
	"k8s.io/kubernetes/pkg/apis/core/v1/helper/qos"
)

func init() {
	register("qos", onObject(func(pod *v1.Pod) (any, error) {
		return map[string]any{"computed": qos.ComputePodQOS(pod), "stored": qos.GetPodQOS(pod)}, nil
	}))
}
