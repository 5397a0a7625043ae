package main

import (
	"testing"

	"wf-host/wf/wftest"
)

// A step is a function.
func TestItAsksWhereItIsToldNobody(t *testing.T) {
	run := wftest.New()
	if event, err := begin(run.Context(), Begin{}); event != (Ask{Question: "Who are you?"}) || err != nil {
		t.Fatal(event, err)
	}
}

// The whole, as a component: it needs wf-host.
func TestItGreetsWhereverTheHostIsRestarted(t *testing.T) {
	harness := wftest.Open(t, ".")
	run := harness.Start(t, wftest.Plan{Event: Begin{Name: "Ada"}, RestartAtEvery: true})
	run.Finish()
	if greeting := wftest.Result[string](run); greeting != "Hello, Ada!" || len(run.Events) != 4 {
		t.Fatal(run.Story())
	}
	run = harness.Start(t, wftest.Plan{})
	run.Send(Answer{Name: "Grace"})
	if greeting := wftest.Result[string](run); greeting != "Hello, Grace!" {
		t.Fatal(run.Story())
	}
}
