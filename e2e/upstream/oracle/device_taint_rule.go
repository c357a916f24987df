package main

import (
	"context"
	"reflect"
	_ "unsafe" // for go:linkname

	resourceapi "k8s.io/api/resource/v1"
	resourceinformers "k8s.io/client-go/informers/resource/v1"
	toolscache "k8s.io/client-go/tools/cache"
	"k8s.io/dynamic-resource-allocation/resourceslice/tracker"
	"k8s.io/klog/v2"
	fwk "k8s.io/kube-scheduler/framework"
	"k8s.io/kubernetes/pkg/scheduler/framework/plugins/dynamicresources"
)

//go:linkname deviceTaintAdd k8s.io/dynamic-resource-allocation/resourceslice/tracker.(*Tracker).deviceTaintAdd
func deviceTaintAdd(*tracker.Tracker, context.Context) func(*resourceapi.DeviceTaintRule)

//go:linkname deviceTaintUpdate k8s.io/dynamic-resource-allocation/resourceslice/tracker.(*Tracker).deviceTaintUpdate
func deviceTaintUpdate(*tracker.Tracker, context.Context) func(_, _ *resourceapi.DeviceTaintRule)

//go:linkname deviceTaintDelete k8s.io/dynamic-resource-allocation/resourceslice/tracker.(*Tracker).deviceTaintDelete
func deviceTaintDelete(*tracker.Tracker, context.Context) func(resourceinformers.DeletedDeviceTaintRule)

// sliceTracker is what gives the devices of slices the taints of rules.
func (c *schedulerCluster) sliceTracker() *tracker.Tracker {
	manager := c.framework.SharedDRAManager().(*dynamicresources.DefaultDRAManager)
	return hidden(hidden(reflect.ValueOf(manager), "resourceSliceLister"), "tracker").Interface().(*tracker.Tracker)
}

// followSlices has the queue hear of slices whose devices get other taints.
func (w *queueWorld) followSlices(logger klog.Logger) error {
	_, err := w.cluster.sliceTracker().AddEventHandler(toolscache.ResourceEventHandlerDetailedFuncs{
		UpdateFunc: func(old, new any) {
			event := fwk.ClusterEvent{Resource: fwk.ResourceSlice, ActionType: fwk.Update}
			w.queue.MoveAllToActiveOrBackoffQueue(logger, event, old, new, nil)
		},
	})
	return err
}

// setTaintRule does what the handlers of a started informer would do when a rule comes, changes or goes.
func (w *queueWorld) setTaintRule(ctx context.Context, name string, rule *resourceapi.DeviceTaintRule) error {
	store := w.cluster.informers.Resource().V1().DeviceTaintRules().Informer().GetStore()
	found, isThere, err := store.GetByKey(name)
	if err != nil {
		return err
	}
	slices := w.cluster.sliceTracker()
	switch {
	case rule == nil && isThere:
		if err := store.Delete(found); err != nil {
			return err
		}
		old := found.(*resourceapi.DeviceTaintRule)
		deviceTaintDelete(slices, ctx)(resourceinformers.DeletedDeviceTaintRule{OptionalObj: old})
	case rule == nil:
	case isThere:
		if err := store.Update(rule); err != nil {
			return err
		}
		deviceTaintUpdate(slices, ctx)(found.(*resourceapi.DeviceTaintRule), rule)
	default:
		if err := store.Add(rule); err != nil {
			return err
		}
		deviceTaintAdd(slices, ctx)(rule)
	}
	return nil
}
