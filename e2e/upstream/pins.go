//go:build pins

// Package upstream names the upstream packages that the oracle's families may call, so that `go mod tidy` keeps
// go.mod and go.sum as they are when a family is added.
package upstream

import (
	_ "k8s.io/apimachinery/pkg/api/resource"
	_ "k8s.io/apiserver/pkg/admission/plugin/resourcequota"
	_ "k8s.io/client-go/informers"
	_ "k8s.io/client-go/kubernetes/fake"
	_ "k8s.io/component-helpers/resource"
	_ "k8s.io/component-helpers/scheduling/corev1/nodeaffinity"
	_ "k8s.io/kubernetes/pkg/api/pod"
	_ "k8s.io/kubernetes/pkg/apis/apps/v1"
	_ "k8s.io/kubernetes/pkg/apis/apps/validation"
	_ "k8s.io/kubernetes/pkg/apis/batch/v1"
	_ "k8s.io/kubernetes/pkg/apis/batch/validation"
	_ "k8s.io/kubernetes/pkg/apis/core/helper/qos"
	_ "k8s.io/kubernetes/pkg/apis/core/install"
	_ "k8s.io/kubernetes/pkg/apis/core/v1"
	_ "k8s.io/kubernetes/pkg/apis/core/v1/helper/qos"
	_ "k8s.io/kubernetes/pkg/apis/core/validation"
	_ "k8s.io/kubernetes/pkg/controller/cronjob"
	_ "k8s.io/kubernetes/pkg/controller/daemon"
	_ "k8s.io/kubernetes/pkg/controller/deployment"
	_ "k8s.io/kubernetes/pkg/controller/job"
	_ "k8s.io/kubernetes/pkg/controller/replicaset"
	_ "k8s.io/kubernetes/pkg/controller/statefulset"
	_ "k8s.io/kubernetes/pkg/controlplane"
	_ "k8s.io/kubernetes/pkg/kubelet/cm"
	_ "k8s.io/kubernetes/pkg/kubelet/qos"
	_ "k8s.io/kubernetes/pkg/quota/v1/evaluator/core"
	_ "k8s.io/kubernetes/pkg/quota/v1/install"
	_ "k8s.io/kubernetes/pkg/registry/core/pod"
	_ "k8s.io/kubernetes/pkg/scheduler"
	_ "k8s.io/kubernetes/plugin/pkg/admission/defaulttolerationseconds"
	_ "k8s.io/kubernetes/plugin/pkg/admission/limitranger"
	_ "k8s.io/kubernetes/plugin/pkg/admission/podtolerationrestriction"
	_ "k8s.io/kubernetes/plugin/pkg/admission/priority"
	_ "k8s.io/kubernetes/plugin/pkg/admission/runtimeclass"
	_ "k8s.io/kubernetes/plugin/pkg/admission/serviceaccount"
	_ "sigs.k8s.io/yaml"
)
