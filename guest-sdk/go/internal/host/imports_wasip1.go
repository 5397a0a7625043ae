package host

import "unsafe"

// The functions of the contract, in the canonical ABI's form: a text is its address and its length, and what is more
// than one number goes to the place that the last parameter names.

//go:wasmimport wf:workflow/events@0.1.0 send
func eventsSend(name, payload, options string, answer unsafe.Pointer)

//go:wasmimport wf:workflow/events@0.1.0 publish
func eventsPublish(name, payload, options string, answer unsafe.Pointer)

//go:wasmimport wf:workflow/events@0.1.0 wait
func eventsWait(options string, answer unsafe.Pointer)

//go:wasmimport wf:workflow/events@0.1.0 collect
func eventsCollect(name, payload, options string, answer unsafe.Pointer)

//go:wasmimport wf:workflow/state@0.1.0 get
func stateGet(path string, answer unsafe.Pointer)

//go:wasmimport wf:workflow/state@0.1.0 set
func stateSet(path, value string, answer unsafe.Pointer)

//go:wasmimport wf:workflow/state@0.1.0 push
func statePush(path, value string, answer unsafe.Pointer)

//go:wasmimport wf:workflow/state@0.1.0 delete
func stateDelete(path string, answer unsafe.Pointer)

//go:wasmimport wf:workflow/state@0.1.0 edit-begin
func stateEditBegin(path string, answer unsafe.Pointer)

//go:wasmimport wf:workflow/state@0.1.0 edit-exclusive
func stateEditExclusive(path string, answer unsafe.Pointer)

//go:wasmimport wf:workflow/state@0.1.0 edit-commit
func stateEditCommit(path string, version uint64, value string, answer unsafe.Pointer)

//go:wasmimport wf:workflow/time@0.1.0 now
func timeNow() uint64

//go:wasmimport wf:workflow/time@0.1.0 sleep
func timeSleep(microseconds uint64)

//go:wasmimport wf:workflow/memo@0.1.0 look-up
func memoLookUp(name string, answer unsafe.Pointer)

//go:wasmimport wf:workflow/memo@0.1.0 keep
func memoKeep(name, value string, answer unsafe.Pointer)

//go:wasmimport wf:workflow/run@0.1.0 run-id
func runRunId(answer unsafe.Pointer)

//go:wasmimport wf:workflow/run@0.1.0 handler-id
func runHandlerId(answer unsafe.Pointer)

//go:wasmimport wf:workflow/run@0.1.0 workflow
func runWorkflow(answer unsafe.Pointer)

//go:wasmimport wf:workflow/run@0.1.0 step
func runStep(answer unsafe.Pointer)

//go:wasmimport wf:workflow/run@0.1.0 retry-info
func runRetryInfo(answer unsafe.Pointer)

//go:wasmimport wf:workflow/run@0.1.0 attempt
func runAttempt() uint32

//go:wasmimport wf:workflow/run@0.1.0 idempotency-key
func runIdempotencyKey(label string, answer unsafe.Pointer)

//go:wasmimport wf:workflow/run@0.1.0 commit
func runCommit()

//go:wasmimport wf:workflow/http@0.1.0 request
func httpRequest(options string, body unsafe.Pointer, length uint32, answer unsafe.Pointer)

//go:wasmimport wf:workflow/http@0.1.0 read
func httpRead(request uint32, answer unsafe.Pointer)

//go:wasmimport wf:workflow/http@0.1.0 close
func httpClose(request uint32)

//go:wasmimport wf:workflow/log@0.1.0 write
func logWrite(level, message, fields string)

type imports struct{}

// Nothing, or a failure.
func done() error {
	defer release()
	if is(place[0]) {
		return failure(1)
	}
	return nil
}

// A text that may not be there.
func optional() (string, bool, error) {
	defer release()
	if is(place[0]) {
		return "", false, failure(1)
	}
	if !is(place[1]) {
		return "", false, nil
	}
	return text(place[2], place[3]), true, nil
}

// A version, and a text that may not be there. They begin at 8, where the version is aligned.
func version() (uint64, string, bool, error) {
	defer release()
	if is(place[0]) {
		return 0, "", false, failure(2)
	}
	number := uint64(place[3])<<32 | uint64(place[2])
	if !is(place[4]) {
		return number, "", false, nil
	}
	return number, text(place[5], place[6]), true, nil
}

func told(function func(unsafe.Pointer)) string {
	function(answer())
	defer release()
	return text(place[0], place[1])
}

func (imports) Send(event Event, options string) error {
	eventsSend(event.Name, event.Payload, options, answer())
	return done()
}

func (imports) Publish(event Event, options string) error {
	eventsPublish(event.Name, event.Payload, options, answer())
	return done()
}

func (imports) Wait(options string) (Event, error) {
	eventsWait(options, answer())
	defer release()
	if is(place[0]) {
		return Event{}, failure(1)
	}
	return Event{text(place[1], place[2]), text(place[3], place[4])}, nil
}

func (imports) Collect(event Event, options string) ([]Event, bool, error) {
	eventsCollect(event.Name, event.Payload, options, answer())
	defer release()
	if is(place[0]) {
		return nil, false, failure(1)
	}
	if !is(place[1]) {
		return nil, false, nil
	}
	return events(place[2], place[3]), true, nil
}

func (imports) Get(path string) (string, bool, error) {
	stateGet(path, answer())
	return optional()
}

func (imports) Set(path, value string) error {
	stateSet(path, value, answer())
	return done()
}

func (imports) Push(path, value string) error {
	statePush(path, value, answer())
	return done()
}

func (imports) Delete(path string) error {
	stateDelete(path, answer())
	return done()
}

func (imports) EditBegin(path string) (uint64, string, bool, error) {
	stateEditBegin(path, answer())
	return version()
}

func (imports) EditExclusive(path string) (uint64, string, bool, error) {
	stateEditExclusive(path, answer())
	return version()
}

func (imports) EditCommit(path string, version uint64, value string) (bool, error) {
	stateEditCommit(path, version, value, answer())
	yes := is(place[1])
	err := done()
	return yes && err == nil, err
}

func (imports) Now() uint64 { return timeNow() }

func (imports) Sleep(microseconds uint64) { timeSleep(microseconds) }

func (imports) LookUp(name string) (string, bool, error) {
	memoLookUp(name, answer())
	return optional()
}

func (imports) Keep(name, value string) error {
	memoKeep(name, value, answer())
	return done()
}

func (imports) RunID() string { return told(runRunId) }

func (imports) HandlerID() string { return told(runHandlerId) }

func (imports) Workflow() string { return told(runWorkflow) }

func (imports) Step() string { return told(runStep) }

func (imports) Attempt() uint32 { return runAttempt() }

func (imports) RetryInfo() string { return told(runRetryInfo) }

func (imports) IdempotencyKey(label string) string {
	runIdempotencyKey(label, answer())
	defer release()
	return text(place[0], place[1])
}

func (imports) Commit() { runCommit() }

func (imports) Request(options string, body []byte) (uint32, string, error) {
	httpRequest(options, unsafe.Pointer(unsafe.SliceData(body)), uint32(len(body)), answer())
	defer release()
	if is(place[0]) {
		return 0, "", failure(1)
	}
	return place[1], text(place[2], place[3]), nil
}

func (imports) Read(request uint32) ([]byte, bool, error) {
	httpRead(request, answer())
	part, more, err := optional()
	return []byte(part), more, err
}

func (imports) Close(request uint32) { httpClose(request) }

func (imports) Log(level, message, fields string) { logWrite(level, message, fields) }
