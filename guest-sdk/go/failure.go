package wf

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"runtime/debug"
	"time"

	"wf-host/wf/internal/host"
)

// Failure is an error with a kind, by which retries and catch-error steps choose. A step may fail with any error; its
// kind is then the name of its type.
//
// Errors of calls are failures too; kinds of the host are "timeout", "limit", "denied", "invalid", and for HTTP
// "network", "interrupted" and "secret".
type Failure struct {
	Kind, Message string
	// ForGood: no retry follows.
	ForGood bool
	// RetryAfter is how long a retry waits at least.
	RetryAfter time.Duration
}

func (failure *Failure) Error() string { return failure.Message }

// Fail makes a failure.
func Fail(kind, format string, values ...any) *Failure {
	return &Failure{Kind: kind, Message: fmt.Sprintf(format, values...)}
}

// IsKind says whether an error is a failure of that kind, as in IsKind(err, "timeout").
func IsKind(err error, kind string) bool {
	var failure *Failure
	return errors.As(err, &failure) && failure.Kind == kind
}

// What a call has failed with, as users see it.
func failed(err error) error {
	if it, ok := err.(*host.Failure); ok && it != nil {
		var details struct {
			Retryable *bool `json:"retryable"`
		}
		_ = json.Unmarshal([]byte(it.Details), &details)
		return &Failure{Kind: it.Kind, Message: it.Message, ForGood: details.Retryable != nil && !*details.Retryable}
	}
	return err
}

// What a step has failed with, as the host takes it.
func handedOver(err error, trace string) *host.Failure {
	kind, details := kindOf(err), map[string]any{}
	var failure *Failure
	if errors.As(err, &failure) {
		kind = failure.Kind
		if failure.ForGood {
			details["retryable"] = false
		}
		if failure.RetryAfter > 0 {
			details["retry_after"] = failure.RetryAfter.Seconds()
		}
	}
	if trace != "" {
		details["trace"] = trace
	}
	return &host.Failure{Kind: kind, Message: err.Error(), Details: encode(details)}
}

// The name of an error's type; errors that only have a text are of kind "error".
func kindOf(err error) string {
	of := reflect.TypeOf(err)
	for of.Kind() == reflect.Pointer {
		of = of.Elem()
	}
	switch of.PkgPath() {
	case "errors", "fmt":
		if inner := errors.Unwrap(err); inner != nil {
			return kindOf(inner)
		}
		return "error"
	}
	if of.Name() == "" {
		return "error"
	}
	return of.Name()
}

// A panic of a step, as the failure that it is.
func recovered(reason any) *host.Failure {
	err, is := reason.(error)
	if !is {
		err = &Failure{Kind: "panic", Message: fmt.Sprint(reason)}
	} else if _, is := err.(*Failure); !is {
		err = &Failure{Kind: "panic", Message: err.Error()}
	}
	return handedOver(err, string(debug.Stack()))
}
