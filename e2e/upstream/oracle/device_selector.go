package main

import (
	"context"
	"encoding/json"

	resourceapi "k8s.io/api/resource/v1"
	"k8s.io/dynamic-resource-allocation/cel"
)

// deviceSelectorCase is a selector and the device that it is asked about.
type deviceSelectorCase struct {
	Expression string             `json:"expression"`
	Driver     string             `json:"driver"`
	Device     resourceapi.Device `json:"device"`
}

func init() {
	register("device_selector", func(input []byte) (any, error) {
		var given deviceSelectorCase
		if err := json.Unmarshal(input, &given); err != nil {
			return nil, err
		}
		compiler := cel.GetCompiler(cel.Features{EnableConsumableCapacity: true, EnableListTypeAttributes: true})
		compiled := compiler.CompileCELExpression(given.Expression, cel.Options{DisableCostEstimation: true})
		if compiled.Error != nil {
			return map[string]any{"compile_error": compiled.Error.Detail}, nil
		}
		matches, _, err := compiled.DeviceMatches(context.Background(), cel.Device{
			Driver:                   given.Driver,
			AllowMultipleAllocations: given.Device.AllowMultipleAllocations,
			Attributes:               given.Device.Attributes,
			Capacity:                 given.Device.Capacity,
		})
		if err != nil {
			return map[string]any{"runtime_error": cel.EnhanceRuntimeError(err).Error()}, nil
		}
		return map[string]any{"matches": matches}, nil
	})
}
