// Greets by name, and shows how far it is.
package main

import (
	"time"

	"wf-host/wf"
)

// StreamEvent is how far it is.
type StreamEvent struct {
	Sequence int `json:"sequence"`
}

var workflow = wf.New("greeting")

func init() { wf.Step(workflow, "greet", greet, wf.Sends(StreamEvent{})) }

// Publishes three events and greets.
func greet(context *wf.Context, start wf.StartEvent) (wf.StopEvent, error) {
	name, err := wf.Field(start, "name", "World")
	if err != nil {
		return wf.StopEvent{}, err
	}
	delay, err := wf.Field(start, "delay", 0.0)
	if err != nil {
		return wf.StopEvent{}, err
	}
	for sequence := range 3 {
		if err := context.Publish(StreamEvent{sequence}); err != nil {
			return wf.StopEvent{}, err
		}
		if delay != 0 {
			context.Sleep(time.Duration(delay * float64(time.Second)))
		}
	}
	return wf.StopWith("Hello, " + name + "!"), nil
}

func main() {}
