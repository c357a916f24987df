package main

import (
	"bufio"
	"bytes"
	"io"
	"runtime"
)

// queueLength bounds how many cases are read ahead of the answers.
const queueLength = 256

// serve answers each line of input in order, several at a time. Answers are flushed whenever no question is waiting,
// so that a caller may ask one by one or in bulk.
func serve(input io.Reader, output io.Writer) error {
	pending := make(chan chan []byte, queueLength)
	failed := make(chan error, 1)
	go func() {
		defer close(pending)
		failed <- ask(input, pending)
	}()
	writer := bufio.NewWriterSize(output, 1<<16)
	for waiting := range pending {
		var line []byte
		select {
		case line = <-waiting:
		default:
			// Not ready yet: the caller may be waiting for what is buffered.
			if err := writer.Flush(); err != nil {
				return err
			}
			line = <-waiting
		}
		writer.Write(line)
		writer.WriteByte('\n')
		if len(pending) == 0 {
			if err := writer.Flush(); err != nil {
				return err
			}
		}
	}
	if err := writer.Flush(); err != nil {
		return err
	}
	return <-failed
}

// ask reads questions and hands each to a worker, with its place in the queue of answers.
func ask(input io.Reader, pending chan<- chan []byte) error {
	type job struct {
		line []byte
		done chan<- []byte
	}
	jobs := make(chan job)
	defer close(jobs)
	for range runtime.GOMAXPROCS(0) {
		go func() {
			for work := range jobs {
				work.done <- answerLine(work.line)
			}
		}()
	}
	reader := bufio.NewReaderSize(input, 1<<16)
	for {
		line, err := reader.ReadBytes('\n')
		if line = bytes.TrimSpace(line); len(line) > 0 {
			done := make(chan []byte, 1)
			pending <- done
			jobs <- job{line, done}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
