// Command oracle answers what upstream Kubernetes' own code makes of an input.
//
// It reads one JSON object a line from standard input, {"family": "...", "id": N, "input": {...}}, and writes one a
// line to standard output, in the same order: {"id": N, "output": ...}, or "error" or "panic" in place of "output".
//
//	oracle               answer cases until the input ends
//	oracle --list        print the names of the families
//	oracle bench FAMILY  read that family's cases, time them, and print {"family", "operations", "count", "runs", "ns_per_op"}
package main

import (
	"fmt"
	"os"

	"github.com/go-logr/logr"
	"k8s.io/klog/v2"
)

func main() {
	// Upstream's components log as they go; here only their answers count.
	klog.SetLogger(logr.Discard())
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "oracle:", err)
		os.Exit(2)
	}
}

func run(arguments []string) error {
	switch {
	case len(arguments) == 0:
		return serve(os.Stdin, os.Stdout)
	case len(arguments) == 1 && arguments[0] == "--list":
		for _, name := range familyNames() {
			fmt.Println(name)
		}
		return nil
	case len(arguments) == 2 && arguments[0] == "bench":
		return bench(arguments[1], os.Stdin, os.Stdout)
	}
	return fmt.Errorf("usage: oracle [--list | bench FAMILY]")
}
