package wf

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"wf-host/wf/internal/host"
)

type order struct {
	Start
	Item  string            `json:"item" doc:"What."`
	Count int64             `json:"count" default:"1" minimum:"1"`
	Note  *string           `json:"note"`
	Parts []part            `json:"parts,omitempty"`
	More  map[string]uint32 `json:"more,omitempty"`
	Any   any               `json:"any,omitempty"`
	own   int
}

type part struct {
	Weight float64 `json:"weight"`
	Within []part  `json:"within"`
}

type shipped struct {
	Item string `json:"item"`
}

func testWorkflow() *Workflow {
	workflow := New("shop", Additional(shipped{}))
	Step(workflow, "take", func(_ *Context, order order) (Event, error) {
		if order.Count > 1000 {
			return nil, fmt.Errorf("too many: %w", Fail("OrderError", "%d", order.Count))
		}
		return StopWith(order), nil
	}, Emits(StopEvent{}, shipped{}), About("Takes it."))
	Step(workflow, "panics", func(*Context, shipped) (None, error) { panic("oh") })
	Step(workflow, "splits", func(_ *Context, it StepFailedEvent) ([]shipped, error) { return []shipped{{"a"}, {"b"}}, nil }, Catches())
	return workflow
}

func TestTheManifestSaysWhatTheTypesSay(t *testing.T) {
	var manifest map[string]any
	if err := json.Unmarshal([]byte(describe(testWorkflow())), &manifest); err != nil {
		t.Fatal(err)
	}
	text := func(value any) string { text, _ := json.Marshal(value); return string(text) }
	steps := manifest["steps"].([]any)
	expected := `{"accepts":["order"],"description":"Takes it.","emits":["StopEvent","shipped"],"name":"take","sends":[]}`
	if got := text(steps[0]); got != expected {
		t.Error(got)
	}
	expected = `{"accepts":["StepFailedEvent"],"catch_error":{"steps":[]},"emits":["shipped"],"fan_out":true,"name":"splits","sends":[]}`
	if got := text(steps[2]); got != expected {
		t.Error(got)
	}
	var events []string
	for _, event := range manifest["events"].([]any) {
		events = append(events, text(event))
	}
	if len(events) != 2 || !strings.Contains(events[0], `"name":"shipped"`) {
		t.Error(events)
	}
	for _, wanted := range []string{
		`"kind":"start"`, `"required":["item"]`, `"item":{"description":"What.","type":"string"}`, `"count":{"default":1,"minimum":1,"type":"integer"}`,
		`"note":{"anyOf":[{"type":"string"},{"type":"null"}]}`, `"within":{"items":{},"type":"array"}`, `"any":{}`,
		`"more":{"additionalProperties":{"minimum":0,"type":"integer"},"type":"object"}`,
	} {
		if !strings.Contains(events[1], wanted) {
			t.Error(wanted, events[1])
		}
	}
}

func TestAStepIsGivenItsEventAndReturnsOne(t *testing.T) {
	testWorkflow()
	call := func(step, name, payload string) string {
		events, failure := invoke(nil, step, []host.Event{{Name: name, Payload: payload}})
		if failure != nil {
			return failure.Kind + ": " + failure.Message
		}
		return fmt.Sprint(events)
	}
	if got := call("take", "order", `{"item":"<tea>","any":12345678901234567890,"count":9007199254740993}`); got != "OrderError: too many: 9007199254740993" {
		t.Error(got)
	}
	if got := call("take", "order", `{"item":"<tea>","any":12345678901234567890}`); got != `[{StopEvent {"result":{"item":"<tea>","count":1,"note":null,"any":12345678901234567890}}}]` {
		t.Error(got)
	}
	if got := call("take", "order", `{"item":7}`); !strings.HasPrefix(got, "TypeError: event `order`: ") {
		t.Error(got)
	}
	if got := call("panics", "shipped", `{}`); got != "panic: oh" {
		t.Error(got)
	}
	if got := call("splits", "StepFailedEvent", `{"step_name":"take","attempts":1}`); got != `[{shipped {"item":"a"}} {shipped {"item":"b"}}]` {
		t.Error(got)
	}
	if got := call("nope", "order", `{}`); got != "RuntimeError: there is no step `nope`" {
		t.Error(got)
	}
}

func TestErrorsHaveKinds(t *testing.T) {
	for kind, err := range map[string]error{
		"error": errors.New("x"), "SyntaxError": json.Unmarshal([]byte("x"), new(int)), "ValueError": Fail("ValueError", "x"),
		"denied": failed(&host.Failure{Kind: "denied", Message: "no", Details: "{}"}),
	} {
		if got := handedOver(err, "").Kind; got != kind {
			t.Error(got, kind)
		}
	}
	if got := handedOver(&Failure{Kind: "a", ForGood: true}, "").Details; got != `{"retryable":false}` {
		t.Error(got)
	}
}
