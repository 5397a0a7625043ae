// Squares numbers, several at once.
package main

import (
	"slices"
	"time"

	"wf-host/wf"
)

// FanStart is how many numbers to square.
type FanStart struct {
	wf.Start
	N int `json:"n" default:"3" minimum:"0" maximum:"1000"`
}

// WorkEvent is a number to square.
type WorkEvent struct {
	I int `json:"i"`
}

// DoneEvent is a number that is squared.
type DoneEvent struct {
	I      int `json:"i"`
	Square int `json:"square"`
}

var workflow = wf.New("fanout")

func init() {
	wf.Step(workflow, "dispatch", dispatch, wf.Sends(WorkEvent{}))
	wf.Step(workflow, "work", work, wf.Workers(4))
	wf.Step(workflow, "collect", collect)
}

// Sends the numbers out.
func dispatch(context *wf.Context, start FanStart) (*wf.StopEvent, error) {
	if start.N == 0 {
		return &wf.StopEvent{Result: []int{}}, nil
	}
	if err := context.Set("n", start.N); err != nil {
		return nil, err
	}
	for i := range start.N {
		if err := context.SendTo("work", WorkEvent{i}); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// Squares one.
func work(context *wf.Context, event WorkEvent) (DoneEvent, error) {
	context.Sleep(10 * time.Millisecond)
	return DoneEvent{event.I, event.I * event.I}, nil
}

// Gathers them all.
func collect(context *wf.Context, done DoneEvent) (*wf.StopEvent, error) {
	n, err := wf.Get[int](context, "n")
	if err != nil {
		return nil, err
	}
	all, err := wf.Collect(context, done, n)
	if all == nil || err != nil {
		return nil, err
	}
	squares := make([]int, len(all))
	for i, it := range all {
		squares[i] = it.Square
	}
	slices.Sort(squares)
	return &wf.StopEvent{Result: squares}, nil
}

func main() {}
