// Package host is what a step can ask of whoever runs it: a host of workflows, or a test.
package host

// Event is a typed JSON object.
type Event struct{ Name, Payload string }

// Failure is why something did not succeed. Details is a JSON object.
type Failure struct{ Kind, Message, Details string }

func (failure *Failure) Error() string { return failure.Message }

// Calls are the functions of wit/workflow.wit, which says what each does. Their errors are of type *Failure.
type Calls interface {
	Send(event Event, options string) error
	Publish(event Event, options string) error
	Wait(options string) (Event, error)
	Collect(event Event, options string) (events []Event, complete bool, err error)

	Get(path string) (value string, exists bool, err error)
	Set(path, value string) error
	Push(path, value string) error
	Delete(path string) error
	EditBegin(path string) (version uint64, value string, exists bool, err error)
	EditExclusive(path string) (version uint64, value string, exists bool, err error)
	EditCommit(path string, version uint64, value string) (done bool, err error)

	Now() uint64
	Sleep(microseconds uint64)

	LookUp(name string) (value string, exists bool, err error)
	Keep(name, value string) error

	RunID() string
	HandlerID() string
	Workflow() string
	Step() string
	Attempt() uint32
	RetryInfo() string
	IdempotencyKey(label string) string
	Commit()

	Request(options string, body []byte) (request uint32, head string, err error)
	Read(request uint32) (part []byte, more bool, err error)
	Close(request uint32)

	Log(level, message, fields string)
}

// Describe and Invoke are what the host calls.
var (
	Describe func() string
	Invoke   func(calls Calls, step string, events []Event) ([]Event, *Failure)
)
