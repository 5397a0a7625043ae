// Package wfhttp makes requests with net/http, as far as the workflow is granted them (`--allow-http`). A request and
// what is read of its answer are recorded: a step that is entered again gets them again, and nothing is sent twice.
package wfhttp

import (
	"encoding/json"
	"io"
	"net/http"

	"wf-host/wf"
	"wf-host/wf/internal/host"
)

// Client is a client for one step: it is good as long as the step's context is. Redirects are the host's.
func Client(context *wf.Context) *http.Client {
	return &http.Client{
		Transport:     transport{context.Calls()},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// IdempotencyKey is a header of requests that is not sent: the label of the key that the host puts into `Idempotency-Key`.
const IdempotencyKey = "Wf-Idempotency-Label"

type transport struct{ calls host.Calls }

func (transport transport) RoundTrip(request *http.Request) (*http.Response, error) {
	var body []byte
	if request.Body != nil {
		var err error
		body, err = io.ReadAll(request.Body)
		_ = request.Body.Close()
		if err != nil {
			return nil, err
		}
	}
	headers := [][2]string{}
	for name, values := range request.Header {
		for _, value := range values {
			if name != IdempotencyKey {
				headers = append(headers, [2]string{name, value})
			}
		}
	}
	asked := map[string]any{"url": request.URL.String(), "method": request.Method, "headers": headers}
	if request.Method == "" {
		asked["method"] = http.MethodGet
	}
	if label := request.Header.Get(IdempotencyKey); label != "" {
		asked["idempotency_key"] = label
	}
	options, err := json.Marshal(asked)
	if err != nil {
		return nil, err
	}
	number, text, err := transport.calls.Request(string(options), body)
	if err != nil {
		return nil, wf.Failed(err)
	}
	var head struct {
		Status  int
		Headers [][2]string
	}
	if err := json.Unmarshal([]byte(text), &head); err != nil {
		return nil, err
	}
	response := &http.Response{
		Status:        http.StatusText(head.Status),
		StatusCode:    head.Status,
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        http.Header{},
		Body:          &reading{calls: transport.calls, request: number},
		ContentLength: -1,
		Request:       request,
	}
	for _, header := range head.Headers {
		response.Header.Add(header[0], header[1])
	}
	return response, nil
}

// The body of an answer.
type reading struct {
	calls   host.Calls
	request uint32
	part    []byte
	ended   bool
}

func (reading *reading) Read(into []byte) (int, error) {
	for len(reading.part) == 0 {
		if reading.ended {
			return 0, io.EOF
		}
		part, more, err := reading.calls.Read(reading.request)
		if err != nil {
			return 0, wf.Failed(err)
		}
		reading.part, reading.ended = part, !more
	}
	count := copy(into, reading.part)
	reading.part = reading.part[count:]
	return count, nil
}

func (reading *reading) Close() error {
	reading.ended = true
	reading.calls.Close(reading.request)
	return nil
}
