package main

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	_ "unsafe" // for go:linkname

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/klog/v2"
	extenderv1 "k8s.io/kube-scheduler/extender/v1"
	fwk "k8s.io/kube-scheduler/framework"
	"k8s.io/kubernetes/pkg/scheduler"
	"k8s.io/kubernetes/pkg/scheduler/framework"
	"k8s.io/kubernetes/pkg/scheduler/framework/preemption"
)

// madeUpExtender is what an extender answers. Fields are explained beside those of the same names in the crate of fixtures.
type madeUpExtender struct {
	Filter struct {
		Status       int               `json:"status"`
		Error        string            `json:"error"`
		Fails        map[string]string `json:"fails"`
		Unresolvable map[string]string `json:"unresolvable"`
		Drops        []string          `json:"drops"`
		Claims       []string          `json:"claims"`
		Reversed     bool              `json:"reversed"`
	} `json:"filter"`
	Prioritize struct {
		Status int      `json:"status"`
		Scores [][2]any `json:"scores"`
	} `json:"prioritize"`
	Preempt struct {
		Status     int                 `json:"status"`
		Drops      []string            `json:"drops"`
		Victims    map[string][]string `json:"victims"`
		Violations map[string]int64    `json:"violations"`
		Reversed   bool                `json:"reversed"`
	} `json:"preempt"`
	Bind struct {
		Status int    `json:"status"`
		Error  string `json:"error"`
	} `json:"bind"`
}

// extenders are those of the case that is being decided.
var extenders madeUpExtenders

// madeUpExtenders answers for extenders as the proxy of all HTTP requests of this program: so upstream's own client asks them, and
// messages tell the addresses of the case.
type madeUpExtenders struct {
	start sync.Once
	// One case has extenders at a time.
	inUse   sync.Mutex
	answers []madeUpExtender
}

// answerWith makes these answers those of the extenders, until the function that it returns is called.
func (e *madeUpExtenders) answerWith(answers []madeUpExtender) func() {
	e.start.Do(func() {
		server := httptest.NewServer(http.HandlerFunc(e.answer))
		// Each case has a client of its own, whose connections nobody would close.
		server.Config.SetKeepAlivesEnabled(false)
		os.Unsetenv("NO_PROXY")
		os.Unsetenv("no_proxy")
		os.Setenv("HTTP_PROXY", server.URL)
	})
	e.inUse.Lock()
	e.answers = answers
	return e.inUse.Unlock
}

// answer answers one request. An extender's place among those of the case stands in its host: extender-0.example.
func (e *madeUpExtenders) answer(writer http.ResponseWriter, request *http.Request) {
	host, _, _ := strings.Cut(request.URL.Host, ".")
	place, err := strconv.Atoi(strings.TrimPrefix(host, "extender-"))
	if err != nil || place >= len(e.answers) {
		http.NotFound(writer, request)
		return
	}
	extender := &e.answers[place]
	var status int
	var answer any
	switch path.Base(request.URL.Path) {
	case "filter":
		status, answer = extender.Filter.Status, extender.filter(request)
	case "prioritize":
		status, answer = extender.Prioritize.Status, extender.prioritize()
	case "preempt":
		status, answer = extender.Preempt.Status, extender.preempt(request)
	case "bind":
		status, answer = extender.Bind.Status, &extenderv1.ExtenderBindingResult{Error: extender.Bind.Error}
	default:
		status = http.StatusNotFound
	}
	if status != 0 {
		writer.WriteHeader(status)
	}
	// Whom it doesn't reach has gone.
	_ = json.NewEncoder(writer).Encode(answer)
}

func (m *madeUpExtender) filter(request *http.Request) *extenderv1.ExtenderFilterResult {
	var asked extenderv1.ExtenderArgs
	if err := json.NewDecoder(request.Body).Decode(&asked); err != nil {
		return &extenderv1.ExtenderFilterResult{Error: err.Error()}
	}
	given := &m.Filter
	result := &extenderv1.ExtenderFilterResult{
		FailedNodes: given.Fails, FailedAndUnresolvableNodes: given.Unresolvable, Error: given.Error,
	}
	isLeftOut := func(name string) bool {
		_, fails := given.Fails[name]
		_, unresolvable := given.Unresolvable[name]
		return fails || unresolvable || slices.Contains(given.Drops, name)
	}
	if asked.NodeNames != nil {
		names := slices.DeleteFunc(slices.Clone(*asked.NodeNames), isLeftOut)
		if given.Reversed {
			slices.Reverse(names)
		}
		names = append(names, given.Claims...)
		result.NodeNames = &names
		return result
	}
	nodes := slices.DeleteFunc(asked.Nodes.Items, func(node v1.Node) bool { return isLeftOut(node.Name) })
	if given.Reversed {
		slices.Reverse(nodes)
	}
	for _, name := range given.Claims {
		nodes = append(nodes, v1.Node{ObjectMeta: metav1.ObjectMeta{Name: name}})
	}
	result.Nodes = &v1.NodeList{Items: nodes}
	return result
}

func (m *madeUpExtender) prioritize() extenderv1.HostPriorityList {
	scores := extenderv1.HostPriorityList{}
	for _, pair := range m.Prioritize.Scores {
		scores = append(scores, extenderv1.HostPriority{Host: pair[0].(string), Score: int64(pair[1].(float64))})
	}
	return scores
}

func (m *madeUpExtender) preempt(request *http.Request) *extenderv1.ExtenderPreemptionResult {
	var asked extenderv1.ExtenderPreemptionArgs
	if err := json.NewDecoder(request.Body).Decode(&asked); err != nil {
		return &extenderv1.ExtenderPreemptionResult{}
	}
	given := &m.Preempt
	victims := asked.NodeNameToMetaVictims
	if victims == nil {
		victims = map[string]*extenderv1.MetaVictims{}
		for name, whole := range asked.NodeNameToVictims {
			victims[name] = &extenderv1.MetaVictims{NumPDBViolations: whole.NumPDBViolations}
			for _, pod := range whole.Pods {
				victims[name].Pods = append(victims[name].Pods, &extenderv1.MetaPod{UID: string(pod.UID)})
			}
		}
	}
	for _, name := range given.Drops {
		delete(victims, name)
	}
	if given.Reversed {
		for _, of := range victims {
			slices.Reverse(of.Pods)
		}
	}
	for name, uids := range given.Victims {
		if victims[name] == nil {
			victims[name] = &extenderv1.MetaVictims{}
		}
		victims[name].Pods = nil
		for _, uid := range uids {
			victims[name].Pods = append(victims[name].Pods, &extenderv1.MetaPod{UID: uid})
		}
	}
	for name, violations := range given.Violations {
		if victims[name] != nil {
			victims[name].NumPDBViolations = violations
		}
	}
	return &extenderv1.ExtenderPreemptionResult{NodeNameToMetaVictims: victims}
}

//go:linkname findNodesThatFitPod k8s.io/kubernetes/pkg/scheduler.(*Scheduler).findNodesThatFitPod
func findNodesThatFitPod(
	*scheduler.Scheduler, context.Context, framework.Framework, fwk.CycleState, *framework.QueuedPodInfo,
) ([]fwk.NodeInfo, framework.Diagnosis, string, error)

//go:linkname prioritizeNodes k8s.io/kubernetes/pkg/scheduler.prioritizeNodes
func prioritizeNodes(
	context.Context, []fwk.Extender, framework.Framework, fwk.CycleState, *v1.Pod, []fwk.NodeInfo,
) ([]fwk.NodePluginScores, error)

//go:linkname extendersBinding k8s.io/kubernetes/pkg/scheduler.(*Scheduler).extendersBinding
func extendersBinding(*scheduler.Scheduler, klog.Logger, *v1.Pod, string) (bool, error)

//go:linkname callExtenders k8s.io/kubernetes/pkg/scheduler/framework/preemption.(*Evaluator).callExtenders
func callExtenders(
	*preemption.Evaluator, klog.Logger, *v1.Pod, []preemption.Candidate,
) ([]preemption.Candidate, *fwk.Status)

// schedulePod decides as upstream's function of that name, of its parts. Of equally good nodes that extenders have scored upstream
// takes any; here all of them are given the same random number, so that its heap decides as it does without extenders.
func (c *schedulerCluster) schedulePod(
	ctx context.Context, state fwk.CycleState, pod *framework.QueuedPodInfo,
) (scheduler.ScheduleResult, error) {
	none := scheduler.ScheduleResult{}
	if len(c.scheduler.Extenders) == 0 || c.snapshot.NumNodesInPlacement() == 0 {
		return c.scheduler.SchedulePod(ctx, c.framework, state, pod)
	}
	feasible, diagnosis, _, err := findNodesThatFitPod(c.scheduler, ctx, c.framework, state, pod)
	if err != nil {
		return none, err
	}
	result := scheduler.ScheduleResult{
		EvaluatedNodes: len(feasible) + diagnosis.NodeToStatus.Len(), FeasibleNodes: len(feasible),
	}
	switch len(feasible) {
	case 0:
		return none, &framework.FitError{Pod: pod.Pod, NumAllNodes: c.snapshot.NumNodesInPlacement(), Diagnosis: diagnosis}
	case 1:
		result.SuggestedHost = feasible[0].Node().Name
		return result, nil
	}
	scored, err := prioritizeNodes(ctx, c.scheduler.Extenders, c.framework, state, pod.Pod, feasible)
	if err != nil {
		return none, err
	}
	for i := range scored {
		scored[i].Randomizer = min(scored[i].Randomizer, 1)
	}
	result.SuggestedHost = framework.NewSortedScoredNodes(scored).Pop().Name
	return result, nil
}
