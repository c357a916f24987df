package main

import (
	"encoding/json"
	"fmt"
	"runtime/debug"
	"slices"
)

// family evaluates one input with upstream's code. An error means that the input can't be evaluated at all; what
// upstream refuses is part of the output. Several inputs are evaluated at the same time.
type family func(input []byte) (any, error)

var (
	families = map[string]family{}
	// benches hold what `oracle bench` times where it is less than the whole family: no JSON in or out.
	benches = map[string]func(inputs [][]byte) (*pass, error){}
)

// register adds a family; each family's file calls it from init.
func register(name string, evaluate family) {
	if _, exists := families[name]; exists {
		panic("family registered twice: " + name)
	}
	families[name] = evaluate
}

// registerBench gives a family a bench of its own: prepare decodes the inputs, which isn't timed.
func registerBench(name string, prepare func(inputs [][]byte) (*pass, error)) {
	benches[name] = prepare
}

func familyNames() []string {
	names := make([]string, 0, len(families))
	for name := range families {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

type question struct {
	Family string          `json:"family"`
	ID     uint64          `json:"id"`
	Input  json.RawMessage `json:"input"`
}

type answer struct {
	ID     uint64 `json:"id"`
	Output any    `json:"output,omitempty"`
	Error  string `json:"error,omitempty"`
	Panic  string `json:"panic,omitempty"`
	// Stack tells where upstream panicked.
	Stack string `json:"stack,omitempty"`
}

// answerLine evaluates one line. It never panics.
func answerLine(line []byte) []byte {
	var asked question
	if err := json.Unmarshal(line, &asked); err != nil {
		return encode(answer{Error: "the case is not JSON: " + err.Error()})
	}
	return encode(evaluate(asked))
}

func evaluate(asked question) (given answer) {
	given.ID = asked.ID
	defer func() {
		if reason := recover(); reason != nil {
			given = answer{ID: asked.ID, Panic: fmt.Sprint(reason), Stack: string(debug.Stack())}
		}
	}()
	evaluate, exists := families[asked.Family]
	if !exists {
		given.Error = fmt.Sprintf("no family %q", asked.Family)
		return given
	}
	output, err := evaluate(asked.Input)
	if err != nil {
		given.Error = err.Error()
		return given
	}
	given.Output = output
	return given
}

func encode(given answer) []byte {
	line, err := json.Marshal(given)
	if err != nil {
		line, _ = json.Marshal(answer{ID: given.ID, Error: "the output can't be encoded: " + err.Error()})
	}
	return line
}
