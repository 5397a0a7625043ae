package main

import (
	"testing"

	"wf-host/wf/wftest"
)

func TestItAsksWhereItIsToldNobody(t *testing.T) {
	run := wftest.New()
	if event, err := begin(run.Context(), Begin{}); event != (Ask{Question: "Who are you?"}) || err != nil {
		t.Fatal(event, err)
	}
}

func TestItGreetsAtOnce(t *testing.T) {
	run := wftest.New()
	if _, err := begin(run.Context(), Begin{Name: "Ada"}); err != nil {
		t.Fatal(err)
	}
	if len(run.Published) != 3 {
		t.Fatal(run.Published)
	}
}
