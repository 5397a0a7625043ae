package wftest

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"wf-host/wf"
)

// The components of `make guests`, and the program, where WF_HOST names none.
const guests = "../../../target/guests/"

func TestMain(m *testing.M) {
	if os.Getenv("WF_HOST") == "" {
		program, _ := filepath.Abs("../../../target/release/wf-host")
		_ = os.Setenv("WF_HOST", program)
	}
	os.Exit(m.Run())
}

type AskEvent struct {
	wf.InputRequired
	Question string `json:"question"`
}

type AnswerEvent struct {
	wf.HumanResponse
	User   string `json:"user"`
	Answer string `json:"answer"`
}

type tries struct {
	Tries int `json:"tries"`
}

func expect[T comparable](t *testing.T, got, wanted T) {
	t.Helper()
	if got != wanted {
		t.Fatalf("%v, and not %v", got, wanted)
	}
}

func contains(t *testing.T, text, part string) {
	t.Helper()
	if !strings.Contains(text, part) {
		t.Fatalf("`%s` is not in %s", part, text)
	}
}

func TestWholeRuns(t *testing.T) {
	harness := Open(t, guests+"go/waiter.wasm", guests+"go/retry.wasm", guests+"rust/slow.wasm", guests+"rust/counter.wasm", guests+"rust/outside.wasm")
	expect(t, harness.Workflows[0], "waiter")

	t.Run("answers come when they are asked for", func(t *testing.T) {
		answer := func(fields json.RawMessage) wf.Event {
			expect(t, string(fields), `{"question":"who?"}`)
			return AnswerEvent{User: "laurie", Answer: "me"}
		}
		plan := Plan{Workflow: "waiter", Answers: map[string]func(json.RawMessage) wf.Event{"AskEvent": answer}, RestartAtEvery: true}
		run := harness.Start(t, plan)
		expect(t, Result[map[string]string](run)["answer"], "me")
		if !slices.Equal(run.Types(), []string{"AskEvent", "StopEvent"}) || run.Restarts == 0 {
			t.Fatal(run.Story())
		}
		expect(t, EventsOf[AskEvent](run)[0].Question, "who?")
		expect(t, len(run.Replay()), 0)
	})

	t.Run("the clock moves as far as it is told", func(t *testing.T) {
		run := harness.Start(t, Plan{Workflow: "waiter", Event: map[string]any{"wait": 3600}})
		run.Advance(3599 * time.Second)
		expect(t, run.Next, time.Second)
		expect(t, run.Waits[0][0], "AnswerEvent")
		run.Advance(time.Second)
		expect(t, run.Status, "failed")
		contains(t, run.Story(), "AnswerEvent")
		run = harness.Start(t, Plan{Workflow: "slow", Event: map[string]any{"seconds": 1000}})
		run.Restart()
		run.Finish()
		expect(t, Result[string](run), "slept 1000.0")
		expect(t, run.Now, 1000*time.Second)
	})

	t.Run("attempts fail on demand", func(t *testing.T) {
		plan := Plan{Workflow: "retry", State: tries{2}, Fail: []Fault{{Step: "flaky", Message: "not today", Kind: "Boom"}}}
		run := harness.Start(t, plan)
		run.Finish()
		expect(t, Result[tries](run).Tries, 4)
		expect(t, State[tries](run).Tries, 4)
		attempts := run.Attempts()
		expect(t, len(attempts), 2)
		expect(t, *attempts[0].Failure, struct{ Kind, Message string }{"Boom", "not today"})
		plan.Fail[0].ForGood = true
		run = harness.Start(t, plan)
		expect(t, run.Failure, "not today")
		log := run.Log()
		expect(t, log[len(log)-1].Source, "failure")
	})

	t.Run("requests are answered here", func(t *testing.T) {
		task := map[string]any{"url": "https://api.example.com/tea", "method": "POST", "body": "hello", "fails": true}
		http := []Reply{{URL: "https://api.*", Status: 503, Times: 1}, {URL: "https://api.*", JSON: map[string]string{"is": "green"}}}
		run := harness.Start(t, Plan{Workflow: "outside", Event: map[string]any{"tasks": []any{task}}, HTTP: http})
		run.Finish()
		contains(t, string(run.result), "green")
		requests := run.Requests()
		expect(t, len(requests), 2)
		expect(t, requests[1].Text, "hello")
	})

	t.Run("numbers keep their digits", func(t *testing.T) {
		run := harness.Start(t, Plan{Workflow: "counter", State: map[string]int64{"count": 12345678901234567}})
		expect(t, Result[map[string]int64](run)["count"], 12345678901234568)
	})

	t.Run("what a server refuses is an error", func(t *testing.T) {
		_, err := harness.TryStart(t, Plan{Workflow: "nope"})
		contains(t, err.Error(), "there is no workflow `nope`\nhint: there are `waiter`")
		run := harness.Start(t, Plan{Workflow: "waiter"})
		contains(t, run.TrySend(ask{}).Error(), "unknown event type ask")
		run.Cancel()
		expect(t, run.Status, "cancelled")
	})
}

func TestANewProjectPassesItsOwnTestsWhichTheReadmeShows(t *testing.T) {
	folder := t.TempDir()
	made := exec.Command(os.Getenv("WF_HOST"), "new", "hello", "--lang", "go")
	made.Dir = folder
	if said, err := made.CombinedOutput(); err != nil {
		t.Fatal(string(said))
	}
	project := filepath.Join(folder, "hello")
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	own, err := os.ReadFile(filepath.Join(project, "main_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	contains(t, string(readme), string(own))
	tested := exec.Command("go", "test", ".")
	tested.Dir = project
	if said, err := tested.CombinedOutput(); err != nil {
		t.Fatal(string(said))
	}
}
