package main

import (
	"encoding/json"

	v1 "k8s.io/api/core/v1"
	"k8s.io/component-helpers/scheduling/corev1"
	"k8s.io/klog/v2"
)

type tolerationsCase struct {
	Taints      []v1.Taint      `json:"taints"`
	Tolerations []v1.Toleration `json:"tolerations"`
}

func init() {
	register("tolerations", func(input []byte) (any, error) {
		var given tolerationsCase
		if err := json.Unmarshal(input, &given); err != nil {
			return nil, err
		}
		logger := klog.Logger{}
		tolerated := make([]bool, len(given.Taints))
		for i := range given.Taints {
			tolerated[i] = corev1.TolerationsTolerateTaint(logger, given.Tolerations, &given.Taints[i], false)
		}
		forbids := func(taint *v1.Taint) bool {
			return taint.Effect == v1.TaintEffectNoSchedule || taint.Effect == v1.TaintEffectNoExecute
		}
		output := map[string]any{"tolerated": tolerated}
		if taint, found := corev1.FindMatchingUntoleratedTaint(logger, given.Taints, given.Tolerations, nil, false); found {
			output["untolerated"] = []any{taint.Key, taint.Value, taint.Effect}
		}
		if taint, found := corev1.FindMatchingUntoleratedTaint(logger, given.Taints, given.Tolerations, forbids, false); found {
			output["forbids"] = []any{taint.Key, taint.Value, taint.Effect}
		}
		return output, nil
	})
}
