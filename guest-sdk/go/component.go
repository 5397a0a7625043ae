package wf

import (
	"wf-host/wf/internal/host"
)

func init() {
	host.Describe = func() string { return describe(current) }
	host.Invoke = invoke
}

// The manifest, as wit/manifest.schema.json has it.
func describe(workflow *Workflow) string {
	if workflow == nil {
		panic("there is no workflow: var workflow = wf.New(\"name\")")
	}
	manifest := object{"name": workflow.name, "language": "go", "additional_events": nonNil(workflow.additional)}
	text(manifest, "description", workflow.description, docs[""])
	if workflow.timeout > 0 {
		manifest["timeout"] = workflow.timeout.Seconds()
	}
	events, steps := []any{}, []any{}
	for _, of := range workflow.events {
		if !isBuiltIn(of) {
			events = append(events, object{"name": of.Name(), "kind": kindOfEvent(of), "schema": schemaOfEvent(of)})
		}
	}
	for _, step := range workflow.steps {
		it := object{"accepts": nonNil(step.accepts), "emits": nonNil(step.emits), "sends": nonNil(step.sends)}
		for key, value := range step.manifest {
			it[key] = value
		}
		function, _ := it["function"].(string)
		delete(it, "function")
		text(it, "description", step.description, docs[function])
		steps = append(steps, it)
	}
	manifest["events"], manifest["steps"] = events, steps
	return encode(manifest)
}

func text(to object, key string, texts ...string) {
	for _, text := range texts {
		if text != "" {
			to[key] = text
			return
		}
	}
}

func nonNil(names []string) []string {
	if names == nil {
		return []string{}
	}
	return names
}

func invoke(calls host.Calls, name string, events []host.Event) (next []host.Event, failure *host.Failure) {
	defer func() {
		if reason := recover(); reason != nil {
			next, failure = nil, recovered(reason)
		}
	}()
	step := current.step(name)
	if step == nil {
		return nil, handedOver(Fail("RuntimeError", "there is no step `%s`", name), "")
	}
	next, err := step.run(&Context{calls}, events)
	if err != nil {
		return nil, handedOver(err, "")
	}
	return next, nil
}
