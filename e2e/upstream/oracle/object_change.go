package main

import (
	"encoding/json"
	"fmt"

	v1 "k8s.io/api/core/v1"
	resourceapi "k8s.io/api/resource/v1"
	storagev1 "k8s.io/api/storage/v1"
	fwk "k8s.io/kube-scheduler/framework"
	"k8s.io/kubernetes/pkg/scheduler/framework"
)

// objectChange is an object before and after something happened to it; nil where it isn't there.
type objectChange struct {
	resource fwk.EventResource
	old, new any
}

// changedKinds tell what events of an object are about, and what to read it into.
var changedKinds = map[string]struct {
	resource fwk.EventResource
	empty    func() any
}{
	"Pod":                   {fwk.AssignedPod, func() any { return new(v1.Pod) }},
	"Node":                  {fwk.Node, func() any { return new(v1.Node) }},
	"PersistentVolume":      {fwk.PersistentVolume, func() any { return new(v1.PersistentVolume) }},
	"PersistentVolumeClaim": {fwk.PersistentVolumeClaim, func() any { return new(v1.PersistentVolumeClaim) }},
	"StorageClass":          {fwk.StorageClass, func() any { return new(storagev1.StorageClass) }},
	"CSINode":               {fwk.CSINode, func() any { return new(storagev1.CSINode) }},
	"CSIDriver":             {fwk.CSIDriver, func() any { return new(storagev1.CSIDriver) }},
	"CSIStorageCapacity":    {fwk.CSIStorageCapacity, func() any { return new(storagev1.CSIStorageCapacity) }},
	"VolumeAttachment":      {fwk.VolumeAttachment, func() any { return new(storagev1.VolumeAttachment) }},
	"ResourceClaim":         {fwk.ResourceClaim, func() any { return new(resourceapi.ResourceClaim) }},
	"ResourceSlice":         {fwk.ResourceSlice, func() any { return new(resourceapi.ResourceSlice) }},
	"DeviceClass":           {fwk.DeviceClass, func() any { return new(resourceapi.DeviceClass) }},
}

func (c *objectChange) UnmarshalJSON(data []byte) error {
	var given struct {
		Kind string          `json:"kind"`
		Old  json.RawMessage `json:"old"`
		New  json.RawMessage `json:"new"`
	}
	if err := json.Unmarshal(data, &given); err != nil {
		return err
	}
	kind, isKnown := changedKinds[given.Kind]
	c.resource = kind.resource
	read := func(data json.RawMessage, object *any) error {
		if len(data) == 0 || string(data) == "null" {
			return nil
		}
		if !isKnown {
			return fmt.Errorf("no kind %q", given.Kind)
		}
		*object = kind.empty()
		return json.Unmarshal(data, *object)
	}
	if err := read(given.Old, &c.old); err != nil {
		return err
	}
	return read(given.New, &c.new)
}

// events are those that the scheduler's handlers make of the change, with the objects that they pass on.
func (c *objectChange) events(isTarget bool) ([]fwk.ClusterEvent, any, any) {
	one := func(action fwk.ActionType) ([]fwk.ClusterEvent, any, any) {
		return []fwk.ClusterEvent{{Resource: c.resource, ActionType: action}}, c.old, c.new
	}
	switch {
	case c.old == nil && c.new == nil:
		return nil, nil, nil
	case c.old == nil:
		return one(fwk.Add)
	case c.new == nil:
		return one(fwk.Delete)
	}
	switch old := c.old.(type) {
	case *v1.Pod:
		return framework.PodSchedulingPropertiesChange(c.new.(*v1.Pod), old, isTarget), c.old, c.new
	case *v1.Node:
		return framework.NodeSchedulingPropertiesChange(c.new.(*v1.Node), old), c.old, c.new
	}
	return one(fwk.Update)
}
