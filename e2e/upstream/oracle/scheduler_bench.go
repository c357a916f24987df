package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/go-logr/logr"
	v1 "k8s.io/api/core/v1"
	"k8s.io/klog/v2"
	"k8s.io/kubernetes/pkg/scheduler/framework"
)

func init() {
	registerBench("scheduler", schedulerBench)
}

// schedulerBench times upstream's scheduling cycle on the pods of one cluster: the snapshot brought up to date, the pod decided about,
// and assumed on its node. At the end of a pass the pods are taken away again.
func schedulerBench(inputs [][]byte) (*pass, error) {
	if len(inputs) != 1 {
		return nil, fmt.Errorf("%d clusters where one is timed", len(inputs))
	}
	var given schedulerCase
	if err := json.Unmarshal(inputs[0], &given); err != nil {
		return nil, err
	}
	ctx := klog.NewContext(context.Background(), logr.Discard())
	cluster, err := newSchedulerCluster(ctx, &given)
	if err != nil {
		return nil, err
	}
	for _, pod := range given.Pods {
		if err := cluster.informers.Core().V1().Pods().Informer().GetStore().Add(identified(pod)); err != nil {
			return nil, err
		}
	}
	logger := klog.FromContext(ctx)
	return &pass{operations: len(given.Pods), run: func() (int, error) {
		withNode := 0
		var placed []*v1.Pod
		for _, pod := range given.Pods {
			assumed, isNominated, err := cluster.cycle(ctx, pod)
			if err != nil {
				return 0, err
			}
			if assumed != nil {
				placed = append(placed, assumed)
			}
			if assumed != nil || isNominated {
				withNode++
			}
		}
		for _, pod := range placed {
			if err := cluster.scheduler.Cache.ForgetPod(logger, pod); err != nil {
				return 0, err
			}
		}
		return withNode, nil
	}}, nil
}

// cycle decides about one pod as a scheduling cycle does. It returns the pod that is counted on its node, if it gets one, and whether
// removing others would make room.
func (c *schedulerCluster) cycle(ctx context.Context, pod *v1.Pod) (*v1.Pod, bool, error) {
	logger := klog.FromContext(ctx)
	if err := c.scheduler.Cache.UpdateSnapshot(logger, c.snapshot); err != nil {
		return nil, false, err
	}
	podInfo, err := framework.NewPodInfo(pod)
	if err != nil {
		return nil, false, err
	}
	state := framework.NewCycleState()
	result, err := c.scheduler.SchedulePod(ctx, c.framework, state, &framework.QueuedPodInfo{PodInfo: podInfo})
	var fitError *framework.FitError
	switch {
	case errors.As(err, &fitError):
		nominated, status := c.postFilter(ctx, state, pod, fitError.Diagnosis.NodeToStatus)
		fitError.Diagnosis.PostFilterMsg = status.Message()
		// What is told of the pod is part of the work.
		_ = fitError.Error()
		return nil, status.IsSuccess() && nominated.NominatedNodeName != "", nil
	case err != nil:
		return nil, false, err
	}
	assumed := pod.DeepCopy()
	assumed.Spec.NodeName = result.SuggestedHost
	if status := c.framework.RunReservePluginsReserve(ctx, state, assumed, result.SuggestedHost); !status.IsSuccess() {
		return nil, false, status.AsError()
	}
	return assumed, false, c.scheduler.Cache.AssumePod(logger, assumed)
}
