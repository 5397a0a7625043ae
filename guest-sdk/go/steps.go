package wf

import (
	"fmt"
	"reflect"
	"runtime"
	"strings"
	"time"

	"wf-host/wf/internal/host"
)

// Option changes how a step behaves.
type Option func(workflow *Workflow, step *step)

// Step adds a step. It is given one event at a time: of type In, or, where In is Event, of a type that Accepts names.
//
// What it may return follows from Out: one type; a pointer, nil for nothing; None, for nothing ever; a slice, which
// opens a fan-out; or Event, where Emits names the types, and nil is nothing.
func Step[In, Out any](workflow *Workflow, name string, run func(*Context, In) (Out, error), options ...Option) {
	step := add[Out](workflow, name, run, options)
	step.accept(workflow, reflect.TypeFor[In]())
	step.run = func(context *Context, events []host.Event) ([]host.Event, error) {
		in, err := taken[In](workflow, events, 0)
		if err != nil {
			return nil, err
		}
		return returned(run(context, in))
	}
}

// Join adds a step that is given all events of type In that a fan-out gave rise to, in the order of their origins.
func Join[In, Out any](workflow *Workflow, name string, run func(*Context, []In) (Out, error), options ...Option) {
	step := add[Out](workflow, name, run, options)
	step.accept(workflow, reflect.TypeFor[In]())
	step.manifest["join"] = "all"
	step.run = func(context *Context, events []host.Event) ([]host.Event, error) {
		all := make([]In, len(events))
		for i := range events {
			in, err := taken[In](workflow, events, i)
			if err != nil {
				return nil, err
			}
			all[i] = in
		}
		return returned(run(context, all))
	}
}

// JoinBoth adds a step that is given one event of each of two types, first in, first out.
func JoinBoth[One, Other, Out any](workflow *Workflow, name string, run func(*Context, One, Other) (Out, error), options ...Option) {
	step := add[Out](workflow, name, run, options)
	step.accept(workflow, reflect.TypeFor[One]())
	step.accept(workflow, reflect.TypeFor[Other]())
	step.manifest["join"] = "each"
	step.run = func(context *Context, events []host.Event) ([]host.Event, error) {
		at := func(name string) int {
			for i := range events {
				if events[i].Name == name {
					return i
				}
			}
			return -1
		}
		one, err := taken[One](workflow, events, at(reflect.TypeFor[One]().Name()))
		if err != nil {
			return nil, err
		}
		other, err := taken[Other](workflow, events, at(reflect.TypeFor[Other]().Name()))
		if err != nil {
			return nil, err
		}
		return returned(run(context, one, other))
	}
}

func add[Out any](workflow *Workflow, name string, run any, options []Option) *step {
	if workflow.step(name) != nil {
		panic(fmt.Sprintf("step %s is there twice: rename one of them", name))
	}
	it := &step{manifest: object{"name": name}}
	function := runtime.FuncForPC(reflect.ValueOf(run).Pointer()).Name()
	it.manifest["function"] = function[strings.LastIndex(function, ".")+1:]
	it.emit(workflow, reflect.TypeFor[Out]())
	for _, option := range options {
		option(workflow, it)
	}
	workflow.steps = append(workflow.steps, it)
	return it
}

func (step *step) accept(workflow *Workflow, of reflect.Type) {
	if of.Kind() == reflect.Interface {
		if len(step.accepts) == 0 {
			panic(fmt.Sprintf("step %s takes any event: name its types, as in wf.Accepts(Order{})", step.manifest["name"]))
		}
		return
	}
	step.accepts = append(step.accepts, workflow.note(of))
}

func (step *step) emit(workflow *Workflow, of reflect.Type) {
	if of.Kind() == reflect.Slice {
		step.manifest["fan_out"] = true
		of = of.Elem()
	}
	if of.Kind() != reflect.Interface && of != reflect.TypeFor[None]() {
		step.emits = append(step.emits, workflow.note(of))
	}
}

// The event at a place, as a step takes it.
func taken[In any](workflow *Workflow, events []host.Event, at int) (In, error) {
	var in In
	if at < 0 || at >= len(events) {
		return in, Fail("RuntimeError", "the step was given no %s", reflect.TypeFor[In]())
	}
	of := reflect.TypeFor[In]()
	if of.Kind() == reflect.Interface {
		is := false
		if of, is = workflow.types[events[at].Name]; !is {
			return in, Fail("RuntimeError", "the step was given an event `%s`, which it does not know", events[at].Name)
		}
	}
	value, err := read(events[at], of)
	if err != nil {
		return in, err
	}
	return value.Interface().(In), nil
}

// What a step has returned, as the host takes it.
func returned(out any, err error) ([]host.Event, error) {
	if err != nil || out == nil || out == (None{}) {
		return nil, err
	}
	value := reflect.ValueOf(out)
	var all []any
	switch {
	case value.Kind() == reflect.Pointer && value.IsNil():
	case value.Kind() == reflect.Slice:
		for i := range value.Len() {
			all = append(all, value.Index(i).Interface())
		}
	default:
		all = []any{out}
	}
	events := make([]host.Event, len(all))
	for i, it := range all {
		if events[i], err = written(it); err != nil {
			return nil, err
		}
	}
	return events, nil
}

// Accepts names the types that a step takes whose parameter is Event.
func Accepts(events ...Event) Option {
	return func(workflow *Workflow, step *step) { step.accepts = append(step.accepts, workflow.names(events)...) }
}

// Emits names what a step may return beside what its result says.
func Emits(events ...Event) Option {
	return func(workflow *Workflow, step *step) { step.emits = append(step.emits, workflow.names(events)...) }
}

// Sends names what a step sends, publishes, or asks with.
func Sends(events ...Event) Option {
	return func(workflow *Workflow, step *step) { step.sends = append(step.sends, workflow.names(events)...) }
}

// About says what a step does, where the comment of its function does not.
func About(text string) Option {
	return func(_ *Workflow, step *step) { step.description = text }
}

// Workers is how many of a step run at once (4).
func Workers(count int) Option {
	return func(_ *Workflow, step *step) { step.manifest["num_workers"] = count }
}

// ComputesAtMost is how long an attempt may compute.
func ComputesAtMost(limit time.Duration) Option {
	return func(_ *Workflow, step *step) { step.manifest["timeout"] = limit.Seconds() }
}

// Retry is how a step is tried again when it fails.
type Retry struct {
	// Attempts, the first included; 0: without end.
	Attempts int
	// Delay before the second attempt; each further one is Factor times as long (1), up to Longest.
	Delay, Longest time.Duration
	Factor         float64
	// Jitter is the part of a delay, 0 to 1, that chance adds or takes away.
	Jitter float64
	// Kinds of failures that are tried again; none: all.
	Kinds []string
}

// Retries tries a step again.
func Retries(retry Retry) Option {
	return func(_ *Workflow, step *step) {
		it := object{"delay": retry.Delay.Seconds()}
		if retry.Attempts > 0 {
			it["attempts_max"] = retry.Attempts
		}
		if retry.Factor > 0 && retry.Factor != 1 {
			it["backoff"], it["factor"] = "exponential", retry.Factor
		}
		if retry.Longest > 0 {
			it["delay_max"] = retry.Longest.Seconds()
		}
		if retry.Jitter > 0 {
			it["jitter"] = retry.Jitter
		}
		if len(retry.Kinds) > 0 {
			it["kinds"] = retry.Kinds
		}
		step.manifest["retry"] = it
	}
}

// Catches makes a step, which takes StepFailedEvent, one that is given the failures of others: of those named, or of
// all that nobody else catches.
func Catches(steps ...string) Option {
	return func(_ *Workflow, step *step) {
		step.manifest["catch_error"] = object{"steps": append([]string{}, steps...)}
	}
}

// InOrderOfArrival gives a Join its events as they came.
func InOrderOfArrival() Option {
	return func(_ *Workflow, step *step) { step.manifest["order"] = "arrival" }
}
