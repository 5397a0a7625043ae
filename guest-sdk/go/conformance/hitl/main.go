// Asks for a name and greets.
package main

import "wf-host/wf"

// RequestEvent asks a person for something.
type RequestEvent struct {
	wf.InputRequired
	Prompt string `json:"prompt" doc:"What to ask."`
}

// ResponseEvent is what the person says.
type ResponseEvent struct {
	wf.HumanResponse
	Response string `json:"response"`
}

// OutEvent is the greeting.
type OutEvent struct {
	wf.Stop
	Output string `json:"output"`
}

var workflow = wf.New("hitl")

func init() {
	wf.Step(workflow, "prompt_human", promptHuman)
	wf.Step(workflow, "greet_human", greetHuman)
}

// Asks for the name.
func promptHuman(*wf.Context, wf.StartEvent) (RequestEvent, error) {
	return RequestEvent{Prompt: "What is your name?"}, nil
}

// Greets whoever answered.
func greetHuman(_ *wf.Context, answer ResponseEvent) (OutEvent, error) {
	return OutEvent{Output: "Hello, " + answer.Response}, nil
}

func main() {}
