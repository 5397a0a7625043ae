// Greets whoever it is told, and asks first where it is told nobody.
package main

import (
	"time"

	"wf-host/wf"
)

// Begin says whom to greet.
type Begin struct {
	wf.Start
	Name string `json:"name,omitempty"`
}

// Progress is how far it is.
type Progress struct {
	Done int `json:"done"`
}

// Ask is a question to a person.
type Ask struct {
	wf.InputRequired
	Question string `json:"question"`
}

// Answer is what the person says.
type Answer struct {
	wf.HumanResponse
	Name string `json:"name"`
}

var workflow = wf.New("{{name}}")

func init() {
	wf.Step(workflow, "begin", begin, wf.Emits(Ask{}, wf.StopEvent{}), wf.Sends(Progress{}))
	wf.Step(workflow, "answered", answered)
}

// Greets at once where it knows whom, else asks.
func begin(context *wf.Context, start Begin) (wf.Event, error) {
	if start.Name == "" {
		return Ask{Question: "Who are you?"}, nil
	}
	for done := range 3 {
		if err := context.Publish(Progress{Done: done}); err != nil {
			return nil, err
		}
		// Durable: the server may be stopped meanwhile.
		context.Sleep(10 * time.Millisecond)
	}
	return wf.StopWith("Hello, " + start.Name + "!"), nil
}

// Greets whoever has answered.
func answered(_ *wf.Context, answer Answer) (wf.StopEvent, error) {
	return wf.StopWith("Hello, " + answer.Name + "!"), nil
}

// The host calls the steps.
func main() {}
