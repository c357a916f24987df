package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/tools/events"
	"k8s.io/klog/v2"
	configv1 "k8s.io/kube-scheduler/config/v1"
	"k8s.io/kubernetes/pkg/scheduler"
	"k8s.io/kubernetes/pkg/scheduler/apis/config"
	"k8s.io/kubernetes/pkg/scheduler/apis/config/scheme"
	"k8s.io/kubernetes/pkg/scheduler/apis/config/validation"
	"k8s.io/kubernetes/pkg/scheduler/profile"
)

func init() {
	register("scheduler_config", func(input []byte) (any, error) {
		configuration, refusal, err := readSchedulerConfig(input)
		if refusal != nil || err != nil {
			return refusal, err
		}
		encoded, err := encodeSchedulerConfig(configuration)
		if err != nil {
			return nil, err
		}
		profiles, err := profilePlugins(configuration)
		if err != nil {
			return map[string]any{"profile": err.Error()}, nil
		}
		return map[string]any{"configuration": encoded, "profiles": profiles}, nil
	})
}

// readSchedulerConfig reads, defaults and validates as the program does with its file. A refusal is part of the answer; how a
// value doesn't fit its type is told in Go's words, which are left out.
func readSchedulerConfig(input []byte) (*config.KubeSchedulerConfiguration, map[string]any, error) {
	object, gvk, err := scheme.Codecs.UniversalDecoder().Decode(input, nil, nil)
	if err != nil {
		if runtime.IsStrictDecodingError(err) {
			return nil, map[string]any{"strict": err.Error()}, nil
		}
		return nil, map[string]any{"decoding": true}, nil
	}
	configuration, ok := object.(*config.KubeSchedulerConfiguration)
	if !ok {
		return nil, map[string]any{"decoding": true}, nil
	}
	configuration.TypeMeta.APIVersion = gvk.GroupVersion().String()
	if err := validation.ValidateKubeSchedulerConfiguration(configuration); err != nil {
		return nil, map[string]any{"invalid": err.Error()}, nil
	}
	return configuration, nil, nil
}

func encodeSchedulerConfig(configuration *config.KubeSchedulerConfiguration) (json.RawMessage, error) {
	info, ok := runtime.SerializerInfoForMediaType(scheme.Codecs.SupportedMediaTypes(), runtime.ContentTypeJSON)
	if !ok {
		return nil, fmt.Errorf("no serializer of %s", runtime.ContentTypeJSON)
	}
	encoder := scheme.Codecs.EncoderForVersion(info.Serializer, configv1.SchemeGroupVersion)
	return runtime.Encode(encoder, configuration)
}

// profilePlugins makes the profiles, and tells for each which plugins are asked at which point.
func profilePlugins(configuration *config.KubeSchedulerConfiguration) (map[string]any, error) {
	ctx, cancel := context.WithCancel(klog.NewContext(context.Background(), logr.Discard()))
	defer cancel()
	client := fake.NewSimpleClientset()
	recorders := profile.NewRecorderFactory(events.NewBroadcaster(&events.EventSinkImpl{Interface: client.EventsV1()}))
	made, err := scheduler.New(ctx, client, informers.NewSharedInformerFactory(client, 0), nil, recorders,
		scheduler.WithProfiles(configuration.Profiles...),
		scheduler.WithExtenders(configuration.Extenders...),
		scheduler.WithParallelism(configuration.Parallelism),
		scheduler.WithPercentageOfNodesToScore(configuration.PercentageOfNodesToScore))
	if err != nil {
		return nil, err
	}
	profiles := map[string]any{}
	for name, framework := range made.Profiles {
		plugins := framework.ListPlugins()
		profiles[name] = map[string]any{
			"PreEnqueue": pointPlugins(plugins.PreEnqueue, false), "QueueSort": pointPlugins(plugins.QueueSort, false),
			"PreFilter": pointPlugins(plugins.PreFilter, false), "Filter": pointPlugins(plugins.Filter, false),
			"PostFilter": pointPlugins(plugins.PostFilter, false), "PreScore": pointPlugins(plugins.PreScore, false),
			"Score": pointPlugins(plugins.Score, true), "Reserve": pointPlugins(plugins.Reserve, false),
			"Permit": pointPlugins(plugins.Permit, false), "PreBind": pointPlugins(plugins.PreBind, false),
			"Bind": pointPlugins(plugins.Bind, false), "PostBind": pointPlugins(plugins.PostBind, false),
		}
	}
	return profiles, nil
}

func pointPlugins(set config.PluginSet, weighted bool) []string {
	names := []string{}
	for _, plugin := range set.Enabled {
		if weighted {
			names = append(names, fmt.Sprintf("%s %d", plugin.Name, plugin.Weight))
		} else {
			names = append(names, plugin.Name)
		}
	}
	return names
}
