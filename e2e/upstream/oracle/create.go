package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
	genericapirequest "k8s.io/apiserver/pkg/endpoints/request"
	"k8s.io/apiserver/pkg/registry/rest"
	"k8s.io/apiserver/pkg/warning"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	apiservice "k8s.io/kubernetes/pkg/api/service"
	"k8s.io/kubernetes/pkg/apis/core"
	"k8s.io/kubernetes/pkg/apis/core/validation"
	"k8s.io/kubernetes/pkg/registry/apps/daemonset"
	"k8s.io/kubernetes/pkg/registry/apps/deployment"
	"k8s.io/kubernetes/pkg/registry/apps/replicaset"
	"k8s.io/kubernetes/pkg/registry/apps/statefulset"
	"k8s.io/kubernetes/pkg/registry/batch/cronjob"
	"k8s.io/kubernetes/pkg/registry/batch/job"
	"k8s.io/kubernetes/pkg/registry/core/namespace"
	"k8s.io/kubernetes/pkg/registry/core/node"
	"k8s.io/kubernetes/pkg/registry/core/persistentvolumeclaim"
	"k8s.io/kubernetes/pkg/registry/core/replicationcontroller"
	"k8s.io/kubernetes/pkg/registry/core/service"
	"k8s.io/kubernetes/pkg/registry/node/runtimeclass"
	"k8s.io/kubernetes/pkg/registry/scheduling/priorityclass"
	"k8s.io/kubernetes/pkg/registry/storage/storageclass"

	_ "k8s.io/kubernetes/pkg/apis/apps/install"
	_ "k8s.io/kubernetes/pkg/apis/batch/install"
	_ "k8s.io/kubernetes/pkg/apis/core/install"
	_ "k8s.io/kubernetes/pkg/apis/node/install"
	_ "k8s.io/kubernetes/pkg/apis/scheduling/install"
	_ "k8s.io/kubernetes/pkg/apis/storage/install"
)

// strategies are what the API server does to a new object of each kind.
var strategies = map[string]rest.RESTCreateStrategy{
	"CronJob":               cronjob.Strategy,
	"DaemonSet":             daemonset.Strategy,
	"Deployment":            deployment.Strategy,
	"Job":                   job.Strategy,
	"Namespace":             namespace.Strategy,
	"Node":                  node.Strategy,
	"PersistentVolumeClaim": persistentvolumeclaim.Strategy,
	"PriorityClass":         priorityclass.Strategy,
	"ReplicaSet":            replicaset.Strategy,
	"ReplicationController": replicationcontroller.Strategy,
	"RuntimeClass":          runtimeclass.Strategy,
	"Service":               service.Strategy,
	"StatefulSet":           statefulset.Strategy,
	"StorageClass":          storageclass.Strategy,
}

// newUID stands for the one that the API server would make up.
const newUID = "6b1cbd7c-0a5c-4b83-8bd1-0c1a5b6ef0a1"

func init() {
	register("create", create)
}

// create takes an object of any of these kinds as far as the API server does, except for admission and storage.
func create(input []byte) (any, error) {
	object, kind, err := legacyscheme.Codecs.UniversalDecoder().Decode(input, nil, nil)
	if err != nil {
		return nil, err
	}
	strategy, found := strategies[kind.Kind]
	if !found {
		return nil, fmt.Errorf("no strategy for %v", kind)
	}
	metadata, err := meta.Accessor(object)
	if err != nil {
		return nil, err
	}
	metadata.SetUID(newUID)
	warnings := &warningList{}
	ctx := warning.WithWarningRecorder(context.Background(), warnings)
	ctx = genericapirequest.WithNamespace(ctx, metadata.GetNamespace())
	ctx = genericapirequest.WithRequestInfo(ctx, &genericapirequest.RequestInfo{
		APIGroup: kind.Group, APIVersion: kind.Version, Namespace: metadata.GetNamespace(),
	})
	if service, is := object.(*core.Service); is {
		if errs := handOut(service); len(errs) != 0 {
			return podOutcome{Errors: orderedMessages(errs)}, nil
		}
	}
	strategy.PrepareForCreate(ctx, object)
	if errs := rest.ValidateCreate(ctx, object, strategy); len(errs) != 0 {
		return podOutcome{Errors: orderedMessages(errs)}, nil
	}
	texts := slices.Concat(warnings.texts, strategy.WarningsOnCreate(ctx, object))
	stored, err := versioned(object, *kind)
	return podOutcome{Warnings: orderedTexts(texts), Stored: stored}, err
}

// handOut does what comes before the validation of a new Service, in a cluster with addresses of version 4.
func handOut(service *core.Service) field.ErrorList {
	spec := &service.Spec
	if spec.ClusterIP != "" && len(spec.ClusterIPs) == 0 {
		spec.ClusterIPs = []string{spec.ClusterIP}
	}
	if spec.Type == core.ServiceTypeExternalName {
		return nil
	}
	if spec.IPFamilyPolicy == nil {
		policy := core.IPFamilyPolicySingleStack
		if spec.ClusterIP == core.ClusterIPNone && len(spec.Selector) == 0 {
			policy = core.IPFamilyPolicyRequireDualStack
		}
		spec.IPFamilyPolicy = &policy
	}
	if errs := validation.ValidateServiceClusterIPsRelatedFields(service, nil); len(errs) != 0 {
		return errs
	}
	for index, address := range spec.ClusterIPs {
		if address != core.ClusterIPNone && index >= len(spec.IPFamilies) {
			family := core.IPv4Protocol
			if strings.Contains(address, ":") {
				family = core.IPv6Protocol
			}
			spec.IPFamilies = append(spec.IPFamilies, family)
		}
	}
	if len(spec.IPFamilies) == 0 {
		spec.IPFamilies = []core.IPFamily{core.IPv4Protocol}
	}
	if spec.HealthCheckNodePort == 0 && apiservice.NeedsHealthCheck(service) {
		spec.HealthCheckNodePort = 31234
	}
	return nil
}

// versioned is the object as it is stored, without what was made up for it.
func versioned(object runtime.Object, kind schema.GroupVersionKind) (any, error) {
	text, err := runtime.Encode(legacyscheme.Codecs.LegacyCodec(kind.GroupVersion()), object)
	if err != nil {
		return nil, err
	}
	var tree map[string]any
	if err := json.Unmarshal(text, &tree); err != nil {
		return nil, err
	}
	if metadata, is := tree["metadata"].(map[string]any); is {
		delete(metadata, "uid")
	}
	if spec, is := tree["spec"].(map[string]any); is && kind.Kind == "Service" {
		delete(spec, "ipFamilies")
		delete(spec, "ipFamilyPolicy")
		delete(spec, "healthCheckNodePort")
		delete(tree, "status")
	}
	// Go writes these even where nothing is in them.
	if status, is := tree["status"].(map[string]any); is && kind.Kind == "Node" {
		delete(status, "daemonEndpoints")
		delete(status, "nodeInfo")
	}
	return pruned(tree)
}
