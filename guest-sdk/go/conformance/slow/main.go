// Sleeps.
package main

import (
	"strconv"
	"strings"
	"time"

	"wf-host/wf"
)

var workflow = wf.New("slow")

func init() { wf.Step(workflow, "nap", nap) }

// Sleeps as long as it is told.
func nap(context *wf.Context, start wf.StartEvent) (wf.StopEvent, error) {
	seconds, err := wf.Field(start, "seconds", 1.0)
	if err != nil {
		return wf.StopEvent{}, err
	}
	context.Sleep(time.Duration(seconds * float64(time.Second)))
	text := strconv.FormatFloat(seconds, 'f', -1, 64)
	if !strings.Contains(text, ".") {
		text += ".0"
	}
	return wf.StopWith("slept " + text), nil
}

func main() {}
