package wf

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
)

// JSON as it is: no letters are escaped for the sake of web pages.
func encode(value any) string {
	text, err := encoded(value)
	if err != nil {
		panic(&Failure{Kind: "TypeError", Message: err.Error()})
	}
	return text
}

func encoded(value any) (string, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return "", &Failure{Kind: "TypeError", Message: fmt.Sprintf("%T is no JSON: %v", value, err)}
	}
	return strings.TrimSuffix(text.String(), "\n"), nil
}

// Into a pointer. What is read into an interface keeps the digits of its numbers: they are of type json.Number.
func decode(text string, into any) error {
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(into); err != nil {
		return &Failure{Kind: "TypeError", Message: fmt.Sprintf("this is no %s: %v", reflect.TypeOf(into).Elem(), err)}
	}
	return nil
}
