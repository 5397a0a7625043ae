// Counts over the runs of a handler.
package main

import "wf-host/wf"

var workflow = wf.New("counter")

func init() { wf.Step(workflow, "bump", bump) }

// Adds to what was counted.
func bump(context *wf.Context, start wf.StartEvent) (wf.StopEvent, error) {
	by, err := wf.Field(start, "by", 1)
	if err != nil {
		return wf.StopEvent{}, err
	}
	count, err := wf.Edit(context, "count", func(count int) (int, error) { return count + by, nil })
	return wf.StopWith(map[string]int{"count": count}), err
}

func main() {}
