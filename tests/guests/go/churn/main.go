// Allocates and calls the host, in turn, without an end of the instance between.
package main

import (
	"strings"
	"time"

	"wf-host/wf"
)

var workflow = wf.New("churn")

func init() { wf.Step(workflow, "churn", churn) }

var kept [64][]byte

// Makes `n` calls that give a text, and garbage beside each, while goroutines wait and a timer runs.
func churn(context *wf.Context, start wf.StartEvent) (wf.StopEvent, error) {
	n, err := wf.Field(start, "n", 20000)
	if err != nil {
		return wf.StopEvent{}, err
	}
	if err := context.Set("text", strings.Repeat("tea ", 500)); err != nil {
		return wf.StopEvent{}, err
	}
	done := make(chan int)
	go func() {
		select {
		case <-time.After(time.Hour):
		case <-done:
		}
	}()
	letters := 0
	for i := range n {
		kept[i%len(kept)] = make([]byte, 16<<10)
		text, err := wf.Get[string](context, "text")
		if err != nil {
			return wf.StopEvent{}, err
		}
		letters += len(text)
		go func() { done <- 0 }()
		if i%1000 == 0 {
			<-done
		}
	}
	return wf.StopWith(letters), nil
}

func main() {}
