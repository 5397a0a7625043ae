// Succeeds at the third attempt.
package main

import (
	"time"

	"wf-host/wf"
)

var workflow = wf.New("retry")

func init() {
	wf.Step(workflow, "flaky", flaky, wf.Retries(wf.Retry{Attempts: 3, Delay: 50 * time.Millisecond}))
}

// Counts its attempts in the run's state, and fails twice.
func flaky(context *wf.Context, _ wf.StartEvent) (wf.StopEvent, error) {
	tries, err := wf.Edit(context, "tries", func(tries int) (int, error) { return tries + 1, nil })
	if err != nil {
		return wf.StopEvent{}, err
	}
	if tries < 3 {
		return wf.StopEvent{}, wf.Fail("ValueError", "try %d", tries-1)
	}
	return wf.StopWith(map[string]int{"tries": tries}), nil
}

func main() {}
