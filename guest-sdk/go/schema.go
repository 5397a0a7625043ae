package wf

import (
	"encoding/json"
	"reflect"
	"strings"
	"time"
)

type object = map[string]any

// The JSON Schema of a type of event.
func schemaOfEvent(of reflect.Type) object {
	schema := fields(of, map[reflect.Type]bool{})
	schema["title"] = of.Name()
	if doc := docs[of.Name()]; doc != "" {
		schema["description"] = doc
	}
	return schema
}

// Types within themselves are left open.
func schemaOf(of reflect.Type, within map[reflect.Type]bool) object {
	switch {
	case of == reflect.TypeFor[time.Time]():
		return object{"type": "string", "format": "date-time"}
	case of == reflect.TypeFor[json.RawMessage](), within[of]:
		return object{}
	case of == reflect.TypeFor[json.Number]():
		return object{"type": "number"}
	case of.Kind() == reflect.Pointer:
		return object{"anyOf": []any{schemaOf(of.Elem(), within), object{"type": "null"}}}
	case of.Implements(reflect.TypeFor[json.Marshaler]()) || reflect.PointerTo(of).Implements(reflect.TypeFor[json.Unmarshaler]()):
		return object{}
	}
	switch of.Kind() {
	case reflect.Bool:
		return object{"type": "boolean"}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return object{"type": "integer"}
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return object{"type": "integer", "minimum": 0}
	case reflect.Float32, reflect.Float64:
		return object{"type": "number"}
	case reflect.String:
		return object{"type": "string"}
	case reflect.Slice, reflect.Array:
		if of.Elem().Kind() == reflect.Uint8 {
			return object{"type": "string", "contentEncoding": "base64"}
		}
		return object{"type": "array", "items": schemaOf(of.Elem(), within)}
	case reflect.Map:
		return object{"type": "object", "additionalProperties": schemaOf(of.Elem(), within)}
	case reflect.Struct:
		return fields(of, within)
	}
	return object{}
}

func fields(of reflect.Type, within map[reflect.Type]bool) object {
	within[of] = true
	defer delete(within, of)
	properties, required := object{}, []string{}
	for _, field := range reflect.VisibleFields(of) {
		name, optional := jsonName(field)
		if name == "" || len(field.Index) > 1 && shadowed(of, field) {
			continue
		}
		schema := schemaOf(field.Type, within)
		doc := field.Tag.Get("doc")
		if doc == "" {
			doc = docs[of.Name()+"."+field.Name]
		}
		if doc != "" {
			schema["description"] = doc
		}
		for _, bound := range []string{"minimum", "maximum"} {
			if text := field.Tag.Get(bound); text != "" {
				schema[bound] = json.RawMessage(text)
			}
		}
		if text := field.Tag.Get("default"); text != "" {
			optional = true
			if schema["default"] = json.RawMessage(text); field.Type.Kind() == reflect.String {
				schema["default"] = text
			}
		}
		properties[name] = schema
		if !optional {
			required = append(required, name)
		}
	}
	schema := object{"type": "object", "properties": properties}
	if len(required) > 0 {
		schema["required"] = required
	}
	return schema
}

// Whether it is not a field of the JSON, since another of its name is nearer.
func shadowed(of reflect.Type, field reflect.StructField) bool {
	found, is := of.FieldByName(field.Name)
	return !is || len(found.Index) != len(field.Index)
}

// The name of a field in JSON; none: it is not there. And whether it may be left out.
func jsonName(field reflect.StructField) (string, bool) {
	tag, options, _ := strings.Cut(field.Tag.Get("json"), ",")
	if !field.IsExported() || tag == "-" && options == "" || field.Anonymous && tag == "" {
		return "", false
	}
	optional := strings.Contains(options, "omitempty") || strings.Contains(options, "omitzero") || field.Type.Kind() == reflect.Pointer
	if tag == "" {
		tag = field.Name
	}
	return tag, optional
}
