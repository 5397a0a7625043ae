package wf

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"wf-host/wf/internal/host"
)

// Event is a value of any type of event: a struct, named as the type. Its fields are those of its JSON.
type Event any

// None is what a step returns that never returns an event.
type None struct{}

// Embed one of these in a struct that is more than an event between steps.
type (
	// Start begins a run.
	Start struct{}
	// Stop ends a run when a step returns it.
	Stop struct{}
	// InputRequired asks the outside for something; a step that returns one has published it.
	InputRequired struct{}
	// HumanResponse is sent by the outside.
	HumanResponse struct{}
)

// StartEvent begins a run, with any fields.
type StartEvent struct {
	Fields map[string]json.RawMessage
}

// UnmarshalJSON takes all fields.
func (event *StartEvent) UnmarshalJSON(text []byte) error { return json.Unmarshal(text, &event.Fields) }

// MarshalJSON gives all fields.
func (event StartEvent) MarshalJSON() ([]byte, error) { return json.Marshal(event.Fields) }

// Field is a field of a start event, or the fallback where it is missing or null.
func Field[T any](event StartEvent, name string, fallback T) (T, error) {
	text, is := event.Fields[name]
	if !is || string(text) == "null" {
		return fallback, nil
	}
	var value T
	if err := decode(string(text), &value); err != nil {
		return fallback, Fail("TypeError", "field `%s`: %v", name, err)
	}
	return value, nil
}

// StopEvent ends a run with a result.
type StopEvent struct {
	Result any `json:"result"`
}

// StopWith ends a run.
func StopWith(result any) StopEvent { return StopEvent{Result: result} }

// StepFailedEvent is what a catch-error step is given.
type StepFailedEvent struct {
	StepName  string          `json:"step_name"`
	Attempts  int             `json:"attempts"`
	Exception json.RawMessage `json:"exception"`
	Input     json.RawMessage `json:"input_event"`
}

var kinds = map[reflect.Type]string{
	reflect.TypeFor[Start]():         "start",
	reflect.TypeFor[Stop]():          "stop",
	reflect.TypeFor[InputRequired](): "input-required",
	reflect.TypeFor[HumanResponse](): "human-response",
}

// The kind of a type of event; by what is embedded in it.
func kindOfEvent(of reflect.Type) string {
	for i := range of.NumField() {
		if field := of.Field(i); field.Anonymous {
			if kind, is := kinds[field.Type]; is {
				return kind
			}
		}
	}
	return "plain"
}

// Whether the host declares it.
func isBuiltIn(of reflect.Type) bool {
	return of.PkgPath() == reflect.TypeFor[StopEvent]().PkgPath() && strings.HasSuffix(of.Name(), "Event")
}

// The type of an event, or of a pointer to one.
func eventType(of reflect.Type) reflect.Type {
	if of.Kind() == reflect.Pointer {
		of = of.Elem()
	}
	if of.Kind() != reflect.Struct || of.Name() == "" {
		panic(fmt.Sprintf("%s is no type of event: use a struct with a name", of))
	}
	return of
}

// The event as the host takes it.
func written(event Event) (host.Event, error) {
	of := reflect.TypeOf(event)
	if of == nil {
		return host.Event{}, Fail("TypeError", "nil is no event")
	}
	payload, err := encoded(event)
	return host.Event{Name: eventType(of).Name(), Payload: payload}, err
}

// The event of a type, with its defaults.
func read(event host.Event, of reflect.Type) (reflect.Value, error) {
	into := reflect.New(of)
	if err := setDefaults(into.Elem()); err != nil {
		return into, err
	}
	if err := decode(event.Payload, into.Interface()); err != nil {
		return into, Fail("TypeError", "event `%s`: %v", event.Name, err)
	}
	return into.Elem(), nil
}

// What fields are that are not sent: tags `default:"…"`, of texts as they are and of others as JSON.
func setDefaults(value reflect.Value) error {
	for i := range value.NumField() {
		field, text := value.Field(i), value.Type().Field(i).Tag.Get("default")
		if text == "" || !field.CanSet() {
			continue
		}
		if field.Kind() == reflect.String {
			field.SetString(text)
		} else if err := decode(text, field.Addr().Interface()); err != nil {
			return fmt.Errorf("the default of field %s: %w", value.Type().Field(i).Name, err)
		}
	}
	return nil
}
