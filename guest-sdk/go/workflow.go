// Package wf writes workflows for wf-host in Go: steps that exchange events, durably. README.md is the way in.
package wf

import (
	"fmt"
	"reflect"
	"time"

	"wf-host/wf/internal/host"
)

// Workflow is what a component provides: steps, and what is said about them. A program has one.
type Workflow struct {
	name, description string
	timeout           time.Duration
	steps             []*step
	additional        []string
	// By name, in the order in which they were met.
	events []reflect.Type
	types  map[string]reflect.Type
}

type step struct {
	manifest object
	// Of what it is told beside its types.
	description string
	run         func(context *Context, events []host.Event) ([]host.Event, error)
	accepts     []string
	emits       []string
	sends       []string
}

// The one that the host calls, and what the comments of its source say: filled in while it is built.
var (
	current *Workflow
	docs    = map[string]string{}
)

// Docs tells what comments say, by the names of functions, types and fields. `wf-host build` calls it; the comment of
// the package is under "".
func Docs(all map[string]string) {
	for name, text := range all {
		docs[name] = text
	}
}

// New is the workflow of this program. Call it where a variable is set, so that steps can be added in `init`.
func New(name string, options ...func(*Workflow)) *Workflow {
	workflow := &Workflow{name: name, types: map[string]reflect.Type{}}
	for _, option := range options {
		option(workflow)
	}
	current = workflow
	return workflow
}

// Describe says what it does, where the comment of the package does not.
func Describe(text string) func(*Workflow) {
	return func(workflow *Workflow) { workflow.description = text }
}

// Timeout lets a run fail after so long.
func Timeout(after time.Duration) func(*Workflow) {
	return func(workflow *Workflow) { workflow.timeout = after }
}

// Additional names events that the outside may send although no step takes them: what steps wait for.
func Additional(events ...Event) func(*Workflow) {
	return func(workflow *Workflow) {
		workflow.additional = append(workflow.additional, workflow.names(events)...)
	}
}

// The names of types of events, which are noted.
func (workflow *Workflow) names(events []Event) []string {
	var names []string
	for _, event := range events {
		names = append(names, workflow.note(reflect.TypeOf(event)))
	}
	return names
}

func (workflow *Workflow) note(of reflect.Type) string {
	of = eventType(of)
	before, is := workflow.types[of.Name()]
	if is && before != of {
		panic(fmt.Sprintf("%s and %s have one name: rename one of them", before, of))
	}
	if !is {
		workflow.types[of.Name()] = of
		workflow.events = append(workflow.events, of)
	}
	return of.Name()
}

func (workflow *Workflow) step(name string) *step {
	for _, step := range workflow.steps {
		if step.manifest["name"] == name {
			return step
		}
	}
	return nil
}
