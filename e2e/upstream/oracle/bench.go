package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"time"
)

// benchTime is how long a bench repeats its cases, at the least.
const benchTime = 2 * time.Second

// bench reads cases of one family, runs all of them over and over on one thread, and prints the time of one.
func bench(name string, input io.Reader, output io.Writer) error {
	inputs, err := benchInputs(name, input)
	if err != nil {
		return err
	}
	pass, err := benchPass(name, inputs)
	if err != nil {
		return err
	}
	// The first pass warms caches and the allocator up.
	count, err := pass.run()
	if err != nil {
		return err
	}
	runs, started := 0, time.Now()
	for time.Since(started) < benchTime {
		if count, err = pass.run(); err != nil {
			return err
		}
		runs++
	}
	elapsed := time.Since(started)
	return json.NewEncoder(output).Encode(map[string]any{
		"family":     name,
		"operations": pass.operations,
		"count":      count,
		"runs":       runs,
		"ns_per_op":  float64(elapsed.Nanoseconds()) / float64(runs*pass.operations),
	})
}

// pass is what a bench times, over and over.
type pass struct {
	// operations are how many one pass has.
	operations int
	// run makes one pass. It returns a count that must come out the same on our side.
	run func() (count int, err error)
}

func benchPass(name string, inputs [][]byte) (*pass, error) {
	if prepare, exists := benches[name]; exists {
		return prepare(inputs)
	}
	evaluate, exists := families[name]
	if !exists {
		return nil, fmt.Errorf("no family %q", name)
	}
	return &pass{operations: len(inputs), run: func() (int, error) {
		for _, input := range inputs {
			if _, err := evaluate(input); err != nil {
				return 0, err
			}
		}
		return 0, nil
	}}, nil
}

func benchInputs(name string, input io.Reader) ([][]byte, error) {
	var inputs [][]byte
	reader := bufio.NewReader(input)
	for {
		line, err := reader.ReadBytes('\n')
		if line = bytes.TrimSpace(line); len(line) > 0 {
			var asked question
			if err := json.Unmarshal(line, &asked); err != nil {
				return nil, err
			}
			if asked.Family == "" || asked.Family == name {
				inputs = append(inputs, asked.Input)
			}
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
	}
	if len(inputs) == 0 {
		return nil, fmt.Errorf("no cases of family %q", name)
	}
	return inputs, nil
}
