package main

import (
	"context"
	"errors"
	"reflect"

	v1 "k8s.io/api/core/v1"
	resourceapi "k8s.io/api/resource/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/client-go/tools/cache"
	"k8s.io/dynamic-resource-allocation/resourceclaim"
	fwk "k8s.io/kube-scheduler/framework"
	"k8s.io/kubernetes/pkg/scheduler/framework/plugins/names"
	"k8s.io/kubernetes/pkg/scheduler/util/assumecache"
)

// postFilter does what the framework does, but for the pods that DefaultPreemption would remove.
func (c *schedulerCluster) postFilter(
	ctx context.Context, state fwk.CycleState, pod *v1.Pod, statuses fwk.NodeToStatusReader,
) (*fwk.PostFilterResult, *fwk.Status) {
	var reasons []string
	for _, enabled := range c.framework.ListPlugins().PostFilter.Enabled {
		var plugin fwk.PostFilterPlugin = c.preemption
		if enabled.Name != names.DefaultPreemption {
			plugin = c.enqueuePlugin(enabled.Name).(fwk.PostFilterPlugin)
		}
		result, status := plugin.PostFilter(ctx, state, pod, statuses)
		if code := status.Code(); code == fwk.Success || code == fwk.UnschedulableAndUnresolvable {
			return result, status
		}
		if !status.IsRejected() {
			return nil, fwk.AsStatus(status.AsError())
		}
		reasons = append(reasons, status.Reasons()...)
	}
	return nil, fwk.NewStatus(fwk.Unschedulable, reasons...)
}

// enqueuePlugin is a plugin of the framework, which shows those of no other kind.
func (c *schedulerCluster) enqueuePlugin(name string) fwk.PreEnqueuePlugin {
	for _, plugin := range c.framework.PreEnqueuePlugins() {
		if plugin.Name() == name {
			return plugin
		}
	}
	return nil
}

// storeClaims puts claims where a plugin that writes them finds them.
func storeClaims(client *fake.Clientset, claims []*resourceapi.ResourceClaim) error {
	for _, claim := range claims {
		if err := client.Tracker().Add(claim.DeepCopy()); err != nil {
			return err
		}
	}
	return nil
}

// released are the claims that were written since the actions were cleared, with what was done to them last.
func (c *schedulerCluster) released() map[string]string {
	released := map[string]string{}
	for _, action := range c.client.Actions() {
		if action.GetResource().Resource != "resourceclaims" {
			continue
		}
		switch action := action.(type) {
		case clienttesting.UpdateAction:
			if action.GetSubresource() == "status" {
				claim := action.GetObject().(*resourceapi.ResourceClaim)
				released[claim.Namespace+"/"+claim.Name] = "deallocated"
			}
		case clienttesting.DeleteAction:
			released[action.GetNamespace()+"/"+action.GetName()] = "deleted"
		}
	}
	return released
}

// volumesTaken are the volumes and claims as VolumeBinding is about to write them.
func volumesTaken(state fwk.CycleState, node string) map[string]any {
	data, err := state.Read(names.VolumeBinding)
	if err != nil {
		return nil
	}
	pointer := reflect.ValueOf(data)
	if hidden(pointer, "allBound").Bool() {
		return nil
	}
	podVolumes := hidden(pointer, "podVolumesByNode").MapIndex(reflect.ValueOf(node))
	if !podVolumes.IsValid() {
		return nil
	}
	volumes, claims := map[string]any{}, map[string]any{}
	bindings := podVolumes.Elem().FieldByName("StaticBindings")
	for i := range bindings.Len() {
		volume := hidden(bindings.Index(i), "pv").Interface().(*v1.PersistentVolume)
		volumes[volume.Name] = map[string]any{"annotations": volume.Annotations, "claimRef": volume.Spec.ClaimRef}
	}
	provisions := podVolumes.Elem().FieldByName("DynamicProvisions")
	for i := range provisions.Len() {
		claim := provisions.Index(i).Elem().FieldByName("PVC").Interface().(*v1.PersistentVolumeClaim)
		claims[claim.Name] = claim.Annotations
	}
	return map[string]any{"volumes": volumes, "claims": claims}
}

// preBindDevices lets DynamicResources write the claims of a pod, and tells how they and the pod's status are then. The claims of later
// pods would be found otherwise than ours, so it is for the last one.
func (c *schedulerCluster) preBindDevices(ctx context.Context, state fwk.CycleState, pod *v1.Pod, node string) (any, error) {
	plugin, ok := c.enqueuePlugin(names.DynamicResources).(fwk.PreBindPlugin)
	if !ok {
		return nil, nil
	}
	if _, status := plugin.PreBindPreFlight(ctx, state, pod, node); status.IsSkip() {
		return nil, nil
	}
	if err := c.client.Tracker().Add(pod.DeepCopy()); err != nil {
		return nil, err
	}
	c.client.PrependReactor("create", "resourceclaims", func(action clienttesting.Action) (bool, runtime.Object, error) {
		claim := action.(clienttesting.CreateAction).GetObject().(*resourceapi.ResourceClaim).DeepCopy()
		claim.Name, claim.UID = claim.GenerateName+"x", "created"
		addToAssumeCache(c.assumedClaims(), claim)
		return true, claim, c.client.Tracker().Add(claim)
	})
	c.client.ClearActions()
	if status := plugin.PreBind(ctx, state, pod, node); !status.IsSuccess() {
		return map[string]any{"error": status.Message()}, nil
	}
	claims := map[string]any{}
	for _, action := range c.client.Actions() {
		update, ok := action.(clienttesting.UpdateAction)
		if !ok || action.GetVerb() != "update" || action.GetResource().Resource != "resourceclaims" {
			continue
		}
		claim := update.GetObject().(*resourceapi.ResourceClaim)
		written := map[string]any{"finalizers": claim.Finalizers, "reservedFor": claim.Status.ReservedFor}
		if allocation := claim.Status.Allocation; allocation != nil {
			written["isStamped"] = allocation.AllocationTimestamp != nil
			written["results"] = append([]resourceapi.DeviceRequestAllocationResult{}, allocation.Devices.Results...)
		}
		if claim.UID == "created" {
			written["annotations"], written["owners"] = claim.Annotations, claim.OwnerReferences
			written["requests"] = claim.Spec.Devices.Requests
		}
		claims[claim.Name] = written
	}
	stored, err := c.client.CoreV1().Pods(pod.Namespace).Get(ctx, pod.Name, metav1.GetOptions{})
	if err != nil {
		return nil, errors.Join(errors.New("the pod is gone"), err)
	}
	return map[string]any{"claims": claims, "pod": stored.Status.ExtendedResourceClaimStatus}, nil
}

// useClaims notes that claims which have devices are reserved for a pod that has got a node. Upstream learns of it once PreBind has
// written it, beside the decision about the next pod.
func (c *schedulerCluster) useClaims(pod *v1.Pod) {
	claims := c.assumedClaims()
	for i := range pod.Spec.ResourceClaims {
		name, _, err := resourceclaim.Name(pod, &pod.Spec.ResourceClaims[i])
		if err != nil || name == nil {
			continue
		}
		stored, err := claims.Get(cache.NewObjectName(pod.Namespace, *name).String())
		if err != nil {
			continue
		}
		claim := stored.(*resourceapi.ResourceClaim)
		if claim.Status.Allocation == nil || resourceclaim.IsReservedForPod(pod, claim, false) {
			continue
		}
		used := claim.DeepCopy()
		reference := resourceapi.ResourceClaimConsumerReference{Resource: "pods", Name: pod.Name, UID: pod.UID}
		used.Status.ReservedFor = append(used.Status.ReservedFor, reference)
		assumecache.DeleteTestObject(claims, claim)
		assumecache.AddTestObject(claims, used)
	}
}
