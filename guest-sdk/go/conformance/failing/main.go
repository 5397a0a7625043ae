// Fails.
package main

import "wf-host/wf"

var workflow = wf.New("failing")

func init() { wf.Step(workflow, "fail", fail) }

// Fails with what it is told.
func fail(_ *wf.Context, start wf.StartEvent) (wf.StopEvent, error) {
	message, err := wf.Field(start, "message", "boom")
	if err != nil {
		return wf.StopEvent{}, err
	}
	return wf.StopEvent{}, wf.Fail("ValueError", "%s", message)
}

func main() {}
