// Package wftest runs steps as the functions that they are, without a host: what they send and publish is kept, and the
// state is a map. Whole workflows run with `wf-host run`.
package wftest

import (
	"encoding/json"
	"strconv"
	"strings"

	"wf-host/wf"
	"wf-host/wf/internal/host"
)

// Event is one that a step has sent or published.
type Event struct{ Name, Payload string }

// Run stands for the host.
type Run struct {
	// Sent and Published are what steps have done, in order.
	Sent, Published []Event
	// Answers are what waits get, in order; without one left a wait fails with kind "timeout".
	Answers []wf.Event
	// State is the run's.
	State map[string]any
	// Logged has the messages that were written.
	Logged []string

	clock   uint64
	memos   map[string]string
	batches map[string][]host.Event
}

// New is a run without a state.
func New() *Run {
	return &Run{State: map[string]any{}, clock: 1_800_000_000_000_000, memos: map[string]string{}, batches: map[string][]host.Event{}}
}

// Context is for a step.
func (run *Run) Context() *wf.Context { return wf.NewContext((*calls)(run)) }

type calls Run

func (run *calls) Send(event host.Event, _ string) error {
	run.Sent = append(run.Sent, Event(event))
	return nil
}

func (run *calls) Publish(event host.Event, _ string) error {
	run.Published = append(run.Published, Event(event))
	return nil
}

func (run *calls) Wait(options string) (host.Event, error) {
	var asked struct {
		Type    string
		Request *host.Event
	}
	if err := json.Unmarshal([]byte(options), &asked); err != nil {
		return host.Event{}, invalid(err)
	}
	if asked.Request != nil {
		run.Published = append(run.Published, Event(*asked.Request))
	}
	if len(run.Answers) == 0 {
		return host.Event{}, &host.Failure{Kind: "timeout", Message: "nobody has answered", Details: "{}"}
	}
	answer := run.Answers[0]
	run.Answers = run.Answers[1:]
	payload, err := json.Marshal(answer)
	return host.Event{Name: asked.Type, Payload: string(payload)}, err
}

func (run *calls) Collect(event host.Event, options string) ([]host.Event, bool, error) {
	var asked struct{ Expected [][2]any }
	if err := json.Unmarshal([]byte(options), &asked); err != nil || len(asked.Expected) != 1 {
		return nil, false, invalid(err)
	}
	count, _ := asked.Expected[0][1].(float64)
	batch := append(run.batches[options], event)
	run.batches[options] = batch
	if len(batch) < int(count) {
		return nil, false, nil
	}
	delete(run.batches, options)
	return batch, true, nil
}

func (run *calls) Get(path string) (string, bool, error) {
	var at any = run.State
	if path != "" {
		for _, key := range strings.Split(path, ".") {
			switch within := at.(type) {
			case map[string]any:
				next, is := within[key]
				if !is {
					return "", false, nil
				}
				at = next
			case []any:
				index, err := strconv.Atoi(key)
				if err != nil || index < 0 || index >= len(within) {
					return "", false, nil
				}
				at = within[index]
			default:
				return "", false, nil
			}
		}
	}
	text, err := json.Marshal(at)
	return string(text), true, err
}

func (run *calls) Set(path, value string) error {
	return run.change(path, func(map[string]any, string) (any, error) { return decoded(value) })
}

func (run *calls) Push(path, value string) error {
	return run.change(path, func(within map[string]any, key string) (any, error) {
		it, err := decoded(value)
		list, _ := within[key].([]any)
		return append(list, it), err
	})
}

func (run *calls) Delete(path string) error {
	return run.change(path, func(map[string]any, string) (any, error) { return nil, nil })
}

// Changes what is in an object; nil takes it away.
func (run *calls) change(path string, to func(within map[string]any, key string) (any, error)) error {
	keys := strings.Split(path, ".")
	at := run.State
	for _, key := range keys[:len(keys)-1] {
		next, is := at[key].(map[string]any)
		if !is {
			if at[key] != nil {
				return &host.Failure{Kind: "invalid", Message: "`" + key + "` is no object", Details: "{}"}
			}
			next = map[string]any{}
			at[key] = next
		}
		at = next
	}
	last := keys[len(keys)-1]
	value, err := to(at, last)
	if err != nil {
		return err
	}
	if value == nil {
		delete(at, last)
	} else {
		at[last] = value
	}
	return nil
}

func (run *calls) EditBegin(path string) (uint64, string, bool, error) {
	value, is, err := run.Get(path)
	return 0, value, is, err
}

func (run *calls) EditExclusive(path string) (uint64, string, bool, error) {
	return run.EditBegin(path)
}

func (run *calls) EditCommit(path string, _ uint64, value string) (bool, error) {
	return true, run.Set(path, value)
}

func (run *calls) Now() uint64 {
	run.clock++
	return run.clock
}

func (run *calls) Sleep(microseconds uint64) { run.clock += microseconds }

func (run *calls) LookUp(name string) (string, bool, error) {
	value, is := run.memos[name]
	return value, is, nil
}

func (run *calls) Keep(name, value string) error {
	run.memos[name] = value
	return nil
}

func (run *calls) RunID() string     { return "run" }
func (run *calls) HandlerID() string { return "handler" }
func (run *calls) Workflow() string  { return "test" }
func (run *calls) Step() string      { return "test" }
func (run *calls) Attempt() uint32   { return 0 }
func (run *calls) RetryInfo() string { return `{"attempts":0,"elapsed":0,"last_failure":null}` }
func (run *calls) Commit()           {}
func (run *calls) Close(uint32)      {}

func (run *calls) IdempotencyKey(label string) string { return "00000000-0000-4000-8000-" + label }

func (run *calls) Request(string, []byte) (uint32, string, error) {
	return 0, "", &host.Failure{Kind: "denied", Message: "a test makes no requests", Details: "{}"}
}

func (run *calls) Read(uint32) ([]byte, bool, error) { return nil, false, nil }

func (run *calls) Log(_, message, _ string) { run.Logged = append(run.Logged, message) }

func decoded(text string) (any, error) {
	var value any
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		return nil, invalid(err)
	}
	return value, nil
}

func invalid(err error) error {
	message := "it cannot be read"
	if err != nil {
		message = err.Error()
	}
	return &host.Failure{Kind: "invalid", Message: message, Details: "{}"}
}
