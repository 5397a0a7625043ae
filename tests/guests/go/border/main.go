// Goes to the outside, and asks a person after it.
package main

import (
	"encoding/json"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"strings"

	"wf-host/wf"
	"wf-host/wf/wfhttp"
)

// Passing says where to go, and with what.
type Passing struct {
	wf.Start
	URL   string `json:"url"`
	Large int64  `json:"large"`
	Fails bool   `json:"fails,omitempty"`
}

// Part is a part of the answer, as it came.
type Part struct {
	Text string `json:"text"`
}

// Ask tells what was drawn, and what was answered, before it.
type Ask struct {
	wf.InputRequired
	Chance float64 `json:"chance"`
	Said   string  `json:"said"`
}

// Answer lets it go on.
type Answer struct {
	wf.HumanResponse
	Large int64 `json:"large"`
}

var workflow = wf.New("border", wf.Additional(Answer{}))

func init() { wf.Step(workflow, "pass", pass, wf.Sends(Part{}, Ask{})) }

// Makes a request, asks, and tells all that it has come by.
func pass(context *wf.Context, start Passing) (wf.StopEvent, error) {
	if start.Fails {
		_ = []int64{}[start.Large] // fails here
	}
	chance := rand.Float64()
	body, err := json.Marshal(map[string]int64{"large": start.Large})
	if err != nil {
		return wf.StopEvent{}, err
	}
	request, err := http.NewRequest(http.MethodPost, start.URL, strings.NewReader(string(body)))
	if err != nil {
		return wf.StopEvent{}, err
	}
	request.Header.Set("X-Mine", "1")
	request.Header.Set("Authorization", "Bearer "+os.Getenv("BORDER_KEY"))
	request.Header.Set(wfhttp.IdempotencyKey, "pay")
	response, err := wfhttp.Client(context).Do(request)
	if err != nil {
		return wf.StopEvent{}, err
	}
	defer response.Body.Close()
	said, buffer := "", make([]byte, 4096)
	for {
		count, err := response.Body.Read(buffer)
		if count > 0 {
			text := string(buffer[:count])
			if err := context.Publish(Part{text}); err != nil {
				return wf.StopEvent{}, err
			}
			said += text
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return wf.StopEvent{}, err
		}
	}
	answer, err := wf.Wait[Answer](context, wf.Waiting{Ask: Ask{Chance: chance, Said: said}})
	if err != nil {
		return wf.StopEvent{}, err
	}
	return wf.StopWith(map[string]any{
		"chance": chance,
		"status": response.StatusCode,
		"way":    response.Header.Get("X-Way"),
		"said":   said,
		"key":    os.Getenv("BORDER_KEY"),
		"place":  os.Getenv("BORDER_PLACE"),
		"large":  []int64{start.Large, answer.Large},
	}), nil
}

func main() {}
