// Gives two numbers of Go's own chance.
package main

import (
	"math/rand/v2"

	"wf-host/wf"
)

var workflow = wf.New("random")

func init() { wf.Step(workflow, "throw", throw) }

// Throws twice.
func throw(*wf.Context, wf.StartEvent) (wf.StopEvent, error) {
	return wf.StopWith(map[string]float64{"a": rand.Float64(), "b": rand.Float64()}), nil
}

func main() {}
