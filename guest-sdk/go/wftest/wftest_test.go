package wftest

import (
	"slices"
	"testing"

	"wf-host/wf"
)

type ask struct {
	wf.InputRequired
	Question string `json:"question"`
}

type answer struct {
	wf.HumanResponse
	Text string `json:"text"`
}

func TestTheStateIsAMap(t *testing.T) {
	run := New()
	context := run.Context()
	for range 3 {
		if err := context.Push("a.list", 1); err != nil {
			t.Fatal(err)
		}
	}
	if list, err := wf.Get[[]int](context, "a.list"); !slices.Equal(list, []int{1, 1, 1}) || err != nil {
		t.Fatal(list, err)
	}
	if one, err := wf.Get[int](context, "a.list.1"); one != 1 || err != nil {
		t.Fatal(one, err)
	}
	count, err := wf.Edit(context, "count", func(before int) (int, error) { return before + 2, nil })
	if count != 2 || err != nil {
		t.Fatal(count, err)
	}
	if err := context.Delete("a"); err != nil || len(run.State) != 1 {
		t.Fatal(run.State, err)
	}
	if none, err := wf.Get[string](context, "nope"); none != "" || err != nil {
		t.Fatal(none, err)
	}
}

func TestWaitsAreAnsweredInOrder(t *testing.T) {
	run := New()
	run.Answers = []wf.Event{answer{Text: "yes"}}
	waiting := wf.Waiting{Ask: ask{Question: "well?"}}
	if got, err := wf.Wait[answer](run.Context(), waiting); got.Text != "yes" || err != nil {
		t.Fatal(got, err)
	}
	if _, err := wf.Wait[answer](run.Context(), waiting); !wf.IsKind(err, "timeout") {
		t.Fatal(err)
	}
	if !slices.Equal(run.Published, []Event{{"ask", `{"question":"well?"}`}, {"ask", `{"question":"well?"}`}}) {
		t.Fatal(run.Published)
	}
}
