package main

import (
	"context"
	"errors"
	"reflect"
	"unsafe"

	resourceapi "k8s.io/api/resource/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/dynamic-resource-allocation/cel"
	"k8s.io/dynamic-resource-allocation/deviceclass/extendedresourcecache"
	"k8s.io/dynamic-resource-allocation/resourceslice/tracker"
	fwk "k8s.io/kube-scheduler/framework"
	"k8s.io/kubernetes/pkg/scheduler/framework/plugins/dynamicresources"
	"k8s.io/kubernetes/pkg/scheduler/framework/plugins/noderesources"
	"k8s.io/kubernetes/pkg/scheduler/util/assumecache"
)

//go:linkname addToAssumeCache k8s.io/kubernetes/pkg/scheduler/util/assumecache.(*AssumeCache).add
func addToAssumeCache(*assumecache.AssumeCache, any)

//go:linkname syncSlice k8s.io/dynamic-resource-allocation/resourceslice/tracker.(*Tracker).syncSlice
func syncSlice(*tracker.Tracker, context.Context, string, bool)

// addDevices does what the handlers of started informers would do, without starting any.
func (c *schedulerCluster) addDevices(given *schedulerCase) error {
	manager, ok := c.framework.SharedDRAManager().(*dynamicresources.DefaultDRAManager)
	if !ok {
		return errors.New("not the default DRA manager")
	}
	resources := c.informers.Resource().V1()
	if err := errors.Join(
		addAll(resources.ResourceClaims().Informer(), given.ResourceClaims),
		addAll(resources.DeviceClasses().Informer(), given.DeviceClasses),
		addAll(resources.ResourceSlices().Informer(), given.ResourceSlices),
		addAll(resources.DeviceTaintRules().Informer(), given.DeviceTaintRules),
	); err != nil {
		return err
	}
	claims := c.assumedClaims()
	for _, claim := range given.ResourceClaims {
		addToAssumeCache(claims, claim)
	}
	if cache, ok := manager.DeviceClassResolver().(*extendedresourcecache.ExtendedResourceCache); ok {
		for _, class := range given.DeviceClasses {
			cache.OnAdd(class, true)
		}
	}
	slices := c.sliceTracker()
	for _, slice := range given.ResourceSlices {
		syncSlice(slices, context.Background(), slice.Name, true)
	}
	return nil
}

// readSelectors gives NodeResourcesBalancedAllocation what it needs to read the selectors of device classes. It isn't given that by
// upstream, and ends with a panic there.
func (c *schedulerCluster) readSelectors() {
	plugins := hidden(reflect.ValueOf(c.framework), "pluginsMap").Interface().(map[string]fwk.Plugin)
	if plugin, isEnabled := plugins[noderesources.BalancedAllocationName]; isEnabled {
		features := cel.Features{EnableConsumableCapacity: true}
		hidden(reflect.ValueOf(plugin), "celCache").Set(reflect.ValueOf(cel.NewCache(10, features)))
	}
}

// assumedClaims is where the plugin looks claims up.
func (c *schedulerCluster) assumedClaims() *assumecache.AssumeCache {
	manager := reflect.ValueOf(c.framework.SharedDRAManager().(*dynamicresources.DefaultDRAManager))
	return hidden(hidden(manager, "resourceClaimTracker"), "cache").Interface().(*assumecache.AssumeCache)
}

// hidden is the value of a field that isn't exported, of the struct that a pointer points to.
func hidden(pointer reflect.Value, name string) reflect.Value {
	field := pointer.Elem().FieldByName(name)
	return reflect.NewAt(field.Type(), unsafe.Pointer(field.UnsafeAddr())).Elem()
}

// devicesTaken is what the claims of the pod that was reserved last are about to get, by their names.
func (c *schedulerCluster) devicesTaken() map[string]*resourceapi.AllocationResult {
	taken := map[string]*resourceapi.AllocationResult{}
	manager := c.framework.SharedDRAManager().(*dynamicresources.DefaultDRAManager)
	inFlight := hidden(hidden(reflect.ValueOf(manager), "resourceClaimTracker"), "inFlightAllocations")
	for _, uid := range inFlight.MapKeys() {
		// The map holds copies, which aren't addressable.
		allocation := reflect.New(inFlight.Type().Elem())
		allocation.Elem().Set(inFlight.MapIndex(uid))
		claim := hidden(allocation, "claim").Interface().(*resourceapi.ResourceClaim)
		if c.claimed[claim.UID] {
			continue
		}
		if c.claimed == nil {
			c.claimed = map[types.UID]bool{}
		}
		c.claimed[claim.UID] = true
		// One that is made up for extended resources may ask for nothing.
		if len(claim.Spec.Devices.Requests) > 0 {
			// PreBind writes when it was.
			taken[claim.Name] = claim.Status.Allocation.DeepCopy()
		}
	}
	return taken
}
