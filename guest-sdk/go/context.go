package wf

import (
	"encoding/json"
	"time"

	"wf-host/wf/internal/host"
)

// Context is a step's grip on its run.
type Context struct{ calls host.Calls }

// Send gives an event to the steps that take it, at the next commit point.
func (context *Context) Send(event Event) error { return context.send(event, "{}") }

// SendTo gives an event to one step.
func (context *Context) SendTo(step string, event Event) error {
	return context.send(event, encode(object{"step": step}))
}

func (context *Context) send(event Event, options string) error {
	it, err := written(event)
	if err != nil {
		return err
	}
	return failed(context.calls.Send(it, options))
}

// Publish shows an event to those who read the run's stream.
func (context *Context) Publish(event Event) error {
	it, err := written(event)
	if err != nil {
		return err
	}
	return failed(context.calls.Publish(it, "{}"))
}

// Sleep sleeps durably: from a second on the instance leaves memory, and the step is entered again.
func (context *Context) Sleep(duration time.Duration) {
	context.calls.Sleep(uint64(max(duration, 0).Microseconds()))
}

// Now is the time, the same again when the step is entered again.
func (context *Context) Now() time.Time { return time.UnixMicro(int64(context.calls.Now())).UTC() }

// Commit commits what is buffered: sends and writes of the state.
func (context *Context) Commit() { context.calls.Commit() }

// RunID is the identifier of this run.
func (context *Context) RunID() string { return context.calls.RunID() }

// HandlerID is the identifier of the handler that the outside holds.
func (context *Context) HandlerID() string { return context.calls.HandlerID() }

// Workflow is the name of the workflow.
func (context *Context) Workflow() string { return context.calls.Workflow() }

// StepName is the name of the step.
func (context *Context) StepName() string { return context.calls.Step() }

// Attempt is which try this is, from 0.
func (context *Context) Attempt() int { return int(context.calls.Attempt()) }

// LastFailure is what the attempt before this one failed with, or nil.
func (context *Context) LastFailure() *Failure {
	var info struct {
		LastFailure *struct{ Kind, Message string } `json:"last_failure"`
	}
	if json.Unmarshal([]byte(context.calls.RetryInfo()), &info) != nil || info.LastFailure == nil {
		return nil
	}
	return &Failure{Kind: info.LastFailure.Kind, Message: info.LastFailure.Message}
}

// IdempotencyKey is a UUID for an outside effect: the same over all entries and attempts.
func (context *Context) IdempotencyKey(label string) string {
	return context.calls.IdempotencyKey(label)
}

// Log writes a line of the run's log. Levels are trace, debug, info, warn and error; then keys and values, as of slog.
func (context *Context) Log(level, message string, pairs ...any) {
	fields := object{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if key, is := pairs[i].(string); is {
			fields[key] = pairs[i+1]
		}
	}
	context.calls.Log(level, message, encode(fields))
}

// Calls is for other packages of this SDK.
func (context *Context) Calls() host.Calls { return context.calls }

// NewContext is for other packages of this SDK.
func NewContext(calls host.Calls) *Context { return &Context{calls} }

// Failed is for other packages of this SDK.
func Failed(err error) error { return failed(err) }
