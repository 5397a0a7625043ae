package wf

import (
	"reflect"
	"time"

	"wf-host/wf/internal/host"
)

// Waiting is what to wait for, and how to ask for it.
type Waiting struct {
	// Ask is published once, to ask for the answer.
	Ask Event
	// Where are fields of the answer that must be equal, by their JSON names.
	Where map[string]any
	// Timeout: after it the wait fails with kind "timeout". It stands while no host is up.
	Timeout time.Duration
	// ID tells waits of one step apart that are alike.
	ID string
	// Fresh takes only what comes after the wait has begun.
	Fresh bool
}

// Wait suspends the step until an event of type T comes from outside. Meanwhile it takes no memory.
func Wait[T any](context *Context, waiting Waiting) (T, error) {
	var none T
	of := reflect.TypeFor[T]()
	options := object{"type": of.Name()}
	if waiting.Ask != nil {
		ask, err := written(waiting.Ask)
		if err != nil {
			return none, err
		}
		options["request"] = object{"name": ask.Name, "payload": ask.Payload}
	}
	if len(waiting.Where) > 0 {
		options["requirements"] = waiting.Where
	}
	if waiting.Timeout > 0 {
		options["timeout"] = waiting.Timeout.Seconds()
	}
	if waiting.ID != "" {
		options["id"] = waiting.ID
	}
	if waiting.Fresh {
		options["fresh"] = true
	}
	text, err := encoded(options)
	if err != nil {
		return none, err
	}
	event, err := context.calls.Wait(text)
	if err != nil {
		return none, failed(err)
	}
	value, err := read(event, of)
	if err != nil {
		return none, err
	}
	return value.Interface().(T), nil
}

// Collect gathers events of one type over invocations: nil until there are `count`, then all of them.
func Collect[T any](context *Context, event T, count int) ([]T, error) {
	it, err := written(event)
	if err != nil {
		return nil, err
	}
	events, complete, err := context.calls.Collect(it, encode(object{"expected": []any{[]any{it.Name, count}}}))
	if err != nil || !complete {
		return nil, failed(err)
	}
	return readAll[T](events)
}

func readAll[T any](events []host.Event) ([]T, error) {
	all := make([]T, len(events))
	for i, event := range events {
		value, err := read(event, reflect.TypeFor[T]())
		if err != nil {
			return nil, err
		}
		all[i] = value.Interface().(T)
	}
	return all, nil
}
