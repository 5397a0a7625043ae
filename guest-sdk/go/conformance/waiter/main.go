// Waits for an answer of one person.
package main

import (
	"time"

	"wf-host/wf"
)

// AskEvent asks.
type AskEvent struct {
	wf.InputRequired
	Question string `json:"question"`
}

// AnswerEvent is an answer, and whose it is.
type AnswerEvent struct {
	wf.HumanResponse
	User   string `json:"user" default:"anyone"`
	Answer string `json:"answer"`
}

var workflow = wf.New("waiter", wf.Additional(AskEvent{}, AnswerEvent{}))

func init() { wf.Step(workflow, "ask", ask, wf.Sends(AskEvent{})) }

// Waits for what laurie says.
func ask(context *wf.Context, start wf.StartEvent) (wf.StopEvent, error) {
	seconds, err := wf.Field(start, "wait", 60.0)
	if err != nil {
		return wf.StopEvent{}, err
	}
	answer, err := wf.Wait[AnswerEvent](context, wf.Waiting{
		Ask:     AskEvent{Question: "who?"},
		Where:   map[string]any{"user": "laurie"},
		Timeout: time.Duration(seconds * float64(time.Second)),
	})
	if err != nil {
		return wf.StopEvent{}, err
	}
	return wf.StopWith(map[string]string{"answer": answer.Answer}), nil
}

func main() {}
