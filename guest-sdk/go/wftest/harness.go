package wftest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"wf-host/wf"
)

// Of the lines between the two.
const protocol = 1

// Harness runs whole workflows, as components, as `wf-host serve` runs them: in their sandbox, with each event checked
// where it comes in. The clock stands still but where a test moves it, so sleeps, retries and timeouts take no time. It is
// a program `wf-host harness` that is asked, one line of JSON at a time.
type Harness struct {
	// Workflows has their names.
	Workflows []string

	command *exec.Cmd
	input   io.WriteCloser
	output  *bufio.Reader
}

// Plan is a run, and what is to go wrong in it.
type Plan struct {
	// Workflow is not needed where there is one.
	Workflow string
	// Event is the start event, or a map of its fields.
	Event any
	// State is what the run begins with: a struct or a map.
	State any
	// Answers says by types of events what answers them, as soon as they are published: a function is given the fields.
	Answers map[string]func(fields json.RawMessage) wf.Event
	// Fail has the attempts that fail after they have done their work.
	Fail []Fault
	// RestartAtEvery restarts the host at each point, and lets the run go on from its journal; RestartAt does at some.
	RestartAtEvery bool
	RestartAt      []int
	// HTTP has the answers to requests. Others are refused, and none leaves.
	HTTP []Reply
	// Variables are those that the workflow has.
	Variables map[string]string
	// Internal shows the events of the run's inner life, too.
	Internal bool
	// Seed is what chance goes by.
	Seed uint64
}

// Fault makes attempts of a step fail: what they had not committed is lost.
type Fault struct {
	Step string `json:"step"`
	// Times is how many attempts of each invocation fail, from the first; 0 is 1.
	Times int `json:"times,omitempty"`
	// Delivery is the only invocation that is meant, the first being 0; nil: each.
	Delivery *int   `json:"delivery,omitempty"`
	Kind     string `json:"kind,omitempty"`
	Message  string `json:"message,omitempty"`
	// ForGood keeps it from being tried again.
	ForGood bool `json:"-"`
}

// Reply is what requests to a URL, in which * stands for any text, are answered.
type Reply struct {
	Method string `json:"method,omitempty"`
	URL    string `json:"url"`
	// Times is how often, before the next one that fits; 0: always.
	Times int `json:"times,omitempty"`
	// Status 0 is 200.
	Status  int               `json:"status,omitempty"`
	Headers map[string]string `json:"headers,omitempty"`
	// JSON or Text is the body.
	JSON any    `json:"json,omitempty"`
	Text string `json:"text,omitempty"`
}

// Published is an event of a run's stream.
type Published struct {
	Type  string          `json:"type"`
	Value json.RawMessage `json:"value"`
}

// Line is one of a run's log.
type Line struct {
	Step, Source, Level, Message string
	Attempt                      int
	Fields                       map[string]any
}

// Request is one that a step has made.
type Request struct {
	Method, URL, Text string
	Headers           [][2]string
	Base64            []byte
}

// Attempt is one that was begun.
type Attempt struct {
	Step                string
	Invocation, Attempt int
	// Failure is nil where it has not failed.
	Failure *struct{ Kind, Message string }
}

// Differing is an attempt that does another thing when it is run again; Call is the number of the call, or nil for its end.
type Differing struct {
	Step                string
	Invocation, Attempt int
	Call                *int
	Then, Now           string
}

// Trial is a run under test. It stands still until the test sends something or moves the clock.
type Trial struct {
	// Events are all of its stream so far.
	Events []Published
	// Status is running, completed, failed or cancelled.
	Status string
	// Failure is the message that it has failed with.
	Failure string
	// Now is how far its clock has gone; Next is when something is due, from now on, or negative where nothing is.
	Now, Next time.Duration
	// Waits has the types of events that it waits for.
	Waits [][]string
	// Points is how many reports of steps its journal has: a host can be restarted after each. Restarts is how often.
	Points, Restarts int

	harness *Harness
	t       testing.TB
	answers map[string]func(json.RawMessage) wf.Event
	result  json.RawMessage
}

type standing struct {
	Status, Failure  string
	Now              float64
	Next, Left       *float64
	Waits            []struct{ Types []string }
	Events           []Published
	Result           json.RawMessage
	Points, Restarts int
}

// Open loads workflows: `.wasm` files, or folders of programs, which are built first. The program is what the variable
// WF_HOST names, else the wf-host in PATH. It ends with the test; to load takes a moment, so that one is for many runs.
func Open(t testing.TB, components ...string) *Harness {
	t.Helper()
	program := os.Getenv("WF_HOST")
	if program == "" {
		program = "wf-host"
	}
	command := exec.Command(program, append([]string{"harness"}, components...)...)
	command.Stderr = os.Stderr
	input, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	output, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatalf("`%s` cannot be started: %v\nhint: `pip install wf-host`, or name it in WF_HOST", program, err)
	}
	harness := &Harness{command: command, input: input, output: bufio.NewReader(output)}
	t.Cleanup(harness.close)
	var hello struct {
		Harness   int
		Workflows []struct{ Name string }
	}
	if err := harness.read(&hello); err != nil {
		t.Fatal(err)
	}
	if hello.Harness != protocol {
		t.Fatalf("`%s` speaks version %d of the protocol, and this is %d", program, hello.Harness, protocol)
	}
	for _, workflow := range hello.Workflows {
		harness.Workflows = append(harness.Workflows, workflow.Name)
	}
	return harness
}

func (harness *Harness) close() {
	_ = harness.input.Close()
	_ = harness.command.Wait()
}

// Start starts a run, and lets it go on until it has ended or needs time or an event. The run before is over with that.
func (harness *Harness) Start(t testing.TB, plan Plan) *Trial {
	t.Helper()
	trial, err := harness.TryStart(t, plan)
	if err != nil {
		t.Fatal(err)
	}
	return trial
}

// TryStart is Start where the error is what is tested.
func (harness *Harness) TryStart(t testing.TB, plan Plan) (*Trial, error) {
	t.Helper()
	request := map[string]any{"do": "start", "seed": plan.Seed}
	for name, value := range map[string]any{
		"workflow": plan.Workflow, "event": plan.Event, "state": plan.State, "http": plan.HTTP,
		"variables": plan.Variables, "internal": plan.Internal, "restart_at": plan.RestartAt,
	} {
		if value != nil && !reflect.ValueOf(value).IsZero() {
			request[name] = value
		}
	}
	if plan.RestartAtEvery {
		request["restart_at"] = "every"
	}
	faults := []map[string]any{}
	for _, fault := range plan.Fail {
		fields := map[string]any{"retryable": !fault.ForGood}
		text, _ := json.Marshal(fault)
		_ = json.Unmarshal(text, &fields)
		faults = append(faults, fields)
	}
	request["fail"] = faults
	types := []string{}
	for name := range plan.Answers {
		types = append(types, name)
	}
	slices.Sort(types)
	request["pause_at"] = types
	trial := &Trial{harness: harness, t: t, answers: plan.Answers}
	return trial, trial.ask(request)
}

// Send sends an event, as the outside would.
func (trial *Trial) Send(event wf.Event) {
	trial.t.Helper()
	trial.must(trial.TrySend(event))
}

// TrySend is Send where the error is what is tested.
func (trial *Trial) TrySend(event wf.Event) error {
	return trial.ask(map[string]any{"do": "send", "event": envelope(event)})
}

// Advance moves its clock on. What is due on the way happens in its order.
func (trial *Trial) Advance(by time.Duration) {
	trial.t.Helper()
	left := by.Seconds()
	for {
		stands, err := trial.stands(map[string]any{"do": "advance", "seconds": left})
		trial.must(err)
		trial.must(trial.take(stands))
		if stands.Left == nil {
			return
		}
		left = *stands.Left
	}
}

// Finish moves its clock on from one thing that is due to the next, timeouts too, until it has ended or only an event
// helps.
func (trial *Trial) Finish() {
	trial.t.Helper()
	for {
		trial.must(trial.ask(map[string]any{"do": "finish"}))
		if trial.Next < 0 {
			return
		}
	}
}

// Cancel cancels it.
func (trial *Trial) Cancel() {
	trial.t.Helper()
	trial.must(trial.ask(map[string]any{"do": "cancel"}))
}

// Restart stops the host, and has another go on with what is stored.
func (trial *Trial) Restart() {
	trial.t.Helper()
	trial.must(trial.ask(map[string]any{"do": "restart"}))
}

// Result is what it has completed with; the test fails, with the whole story, where it has not.
func Result[T any](trial *Trial) T {
	trial.t.Helper()
	if trial.Status != "completed" {
		trial.t.Fatalf("the run has not completed\n%s", trial.Story())
	}
	return decode[T](trial, trial.result)
}

// State is its committed state.
func State[T any](trial *Trial) T {
	trial.t.Helper()
	var answer struct{ State json.RawMessage }
	trial.must(trial.harness.ask(map[string]any{"do": "state"}, &answer))
	return decode[T](trial, answer.State)
}

// EventsOf are those of one type.
func EventsOf[T any](trial *Trial) []T {
	trial.t.Helper()
	var found []T
	for _, event := range trial.Events {
		if event.Type == reflect.TypeFor[T]().Name() {
			found = append(found, decode[T](trial, event.Value))
		}
	}
	return found
}

// Types are the types of its events, in order.
func (trial *Trial) Types() []string {
	types := []string{}
	for _, event := range trial.Events {
		types = append(types, event.Type)
	}
	return types
}

// Log is what its steps have logged and printed, and how attempts have failed.
func (trial *Trial) Log() []Line {
	trial.t.Helper()
	var answer struct{ Log []Line }
	trial.must(trial.harness.ask(map[string]any{"do": "log"}, &answer))
	return answer.Log
}

// Requests are the HTTP requests that its steps have made.
func (trial *Trial) Requests() []Request {
	trial.t.Helper()
	var answer struct{ Requests []Request }
	trial.must(trial.harness.ask(map[string]any{"do": "requests"}, &answer))
	return answer.Requests
}

// Attempts are those that were begun.
func (trial *Trial) Attempts() []Attempt {
	trial.t.Helper()
	var answer struct{ Attempts []Attempt }
	trial.must(trial.harness.ask(map[string]any{"do": "attempts"}, &answer))
	return answer.Attempts
}

// Replay runs its finished attempts again, against what was recorded of them, and gives those that do another thing.
func (trial *Trial) Replay() []Differing {
	trial.t.Helper()
	var answer struct{ Differing []Differing }
	trial.must(trial.harness.ask(map[string]any{"do": "replay"}, &answer))
	return answer.Differing
}

// Story is how it stands and what came before, for people.
func (trial *Trial) Story() string {
	var text strings.Builder
	fmt.Fprint(&text, trial.Status)
	if trial.Failure != "" {
		fmt.Fprintf(&text, ": %s", trial.Failure)
	}
	if trial.Next >= 0 {
		fmt.Fprintf(&text, "\nsomething is due in %v", trial.Next)
	}
	for _, types := range trial.Waits {
		fmt.Fprintf(&text, "\nit waits for %s", strings.Join(types, ", "))
	}
	for _, event := range trial.Events {
		fmt.Fprintf(&text, "\n  %s %s", event.Type, event.Value)
	}
	for _, line := range trial.Log() {
		fmt.Fprintf(&text, "\n  %s %s: %s", line.Step, line.Level, line.Message)
	}
	return text.String()
}

func (trial *Trial) must(err error) {
	trial.t.Helper()
	if err != nil {
		trial.t.Fatal(err)
	}
}

func (trial *Trial) ask(request map[string]any) error {
	stands, err := trial.stands(request)
	if err != nil {
		return err
	}
	return trial.take(stands)
}

func (trial *Trial) stands(request map[string]any) (standing, error) {
	var stands standing
	err := trial.harness.ask(request, &stands)
	return stands, err
}

func (trial *Trial) take(stands standing) error {
	trial.Status, trial.Failure, trial.result = stands.Status, stands.Failure, stands.Result
	trial.Points, trial.Restarts = stands.Points, stands.Restarts
	trial.Now, trial.Next = seconds(stands.Now), -1
	if stands.Next != nil {
		trial.Next = seconds(*stands.Next)
	}
	trial.Waits = nil
	for _, waits := range stands.Waits {
		trial.Waits = append(trial.Waits, waits.Types)
	}
	trial.Events = append(trial.Events, stands.Events...)
	for _, event := range stands.Events {
		if answer, is := trial.answers[event.Type]; is && trial.Status == "running" {
			if err := trial.TrySend(answer(event.Value)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (harness *Harness) ask(request map[string]any, answer any) error {
	text, err := json.Marshal(request)
	if err != nil {
		return err
	}
	if _, err := harness.input.Write(append(text, '\n')); err != nil {
		return fmt.Errorf("the harness has ended: %w", err)
	}
	return harness.read(answer)
}

func (harness *Harness) read(answer any) error {
	line, err := harness.output.ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("the harness has ended; stderr says why: %w", err)
	}
	var mistake struct{ Error, Hint string }
	if err := json.Unmarshal(line, &mistake); err != nil {
		return err
	}
	if mistake.Error != "" {
		return errors.New(mistake.Error + "\nhint: " + mistake.Hint)
	}
	decoder := json.NewDecoder(bytes.NewReader(line))
	decoder.UseNumber()
	return decoder.Decode(answer)
}

func envelope(event wf.Event) map[string]any {
	kind := reflect.TypeOf(event)
	for kind.Kind() == reflect.Pointer {
		kind = kind.Elem()
	}
	return map[string]any{"type": kind.Name(), "value": event}
}

func decode[T any](trial *Trial, text json.RawMessage) T {
	trial.t.Helper()
	var value T
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&value); err != nil {
		trial.t.Fatalf("%s: %v", text, err)
	}
	return value
}

func seconds(seconds float64) time.Duration { return time.Duration(seconds * float64(time.Second)) }
