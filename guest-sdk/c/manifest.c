/* What the workflow declares, as JSON. */
#include <string.h>

#include "internal.h"

static const char *const kinds[] = {"plain", "start", "stop", "input-required", "human-response"};
static const char *const types[] = {NULL, "string", "integer", "number", "boolean", "array", "object"};

/* A key and its value, after a comma. */
static void key(writer *to, const char *name, wf_json value) {
  write_bytes(to, ",", 1);
  write_quoted(to, wf_text_of(name));
  write_bytes(to, ":", 1);
  write_bytes(to, value.text.data, value.text.length);
}

static void text_key(writer *to, const char *name, const char *value) {
  if (value) key(to, name, wf_string(wf_text_of(value)));
}

/* "A, B" as ["A","B"]. */
wf_json names(const char *list) {
  writer to = {0};
  write_bytes(&to, "[", 1);
  for (const char *at = list ? list : ""; *(at += strspn(at, ", ")); ) {
    size_t length = strcspn(at, ", ");
    if (to.length > 1) write_bytes(&to, ",", 1);
    write_quoted(&to, (wf_text){at, length});
    at += length;
  }
  write_bytes(&to, "]", 1);
  return (wf_json){written(&to)};
}



static wf_json field_schema(const wf_field_type *field) {
  if (field->schema) return wf_raw(field->schema);
  writer to = {0};
  write_bytes(&to, "{", 1);
  write_zero_terminated(&to, "\"title\":");
  write_quoted(&to, wf_text_of(field->name));
  text_key(&to, "type", types[field->type]);
  text_key(&to, "description", field->description);
  if (field->type == WF_INTEGER) {
    key(&to, "minimum", wf_raw("-9223372036854775807"));
    key(&to, "maximum", wf_raw("9223372036854775807"));
  }
  if (field->fallback) key(&to, "default", wf_raw(field->fallback));
  write_bytes(&to, "}", 1);
  return (wf_json){written(&to)};
}

static void event(writer *to, const wf_event_type *type) {
  wf_member *properties = wf_allocate((type->field_count + 1) * sizeof *properties);
  wf_json *required = wf_allocate((type->field_count + 1) * sizeof *required);
  size_t required_count = 0;
  for (size_t i = 0; i < type->field_count; i++) {
    properties[i] = (wf_member){type->fields[i].name, field_schema(&type->fields[i])};
    if (!type->fields[i].fallback) required[required_count++] = wf_string(wf_text_of(type->fields[i].name));
  }
  write_zero_terminated(to, "{\"name\":");
  write_quoted(to, wf_text_of(type->name));
  text_key(to, "kind", kinds[type->kind]);
  text_key(to, "base", type->base);
  text_key(to, "module", wf_this_workflow.name);
  writer schema = {0};
  write_zero_terminated(&schema, "{\"type\":\"object\"");
  text_key(&schema, "title", type->name);
  text_key(&schema, "description", type->description);
  key(&schema, "properties", wf_object_of(properties, type->field_count));
  if (required_count) key(&schema, "required", wf_list(required, required_count));
  write_bytes(&schema, "}", 1);
  key(to, "schema", (wf_json){written(&schema)});
  write_bytes(to, "}", 1);
}

static void step(writer *to, const wf_step *step) {
  write_zero_terminated(to, "{\"name\":");
  write_quoted(to, wf_text_of(step->name));
  text_key(to, "description", step->description);
  key(to, "accepts", names(step->accepts));
  key(to, "emits", names(step->emits));
  key(to, "sends", names(step->sends));
  if (step->subtypes) key(to, "subtypes", wf_boolean(true));
  if (step->fan_out) key(to, "fan_out", wf_boolean(true));
  text_key(to, "join", step->join);
  if (step->num_workers) key(to, "num_workers", wf_integer(step->num_workers));
  if (step->timeout > 0) key(to, "timeout", wf_number(step->timeout));
  if (step->retry) key(to, "retry", wf_raw(step->retry));
  if (step->catch_error) key(to, "catch_error", wf_raw(step->catch_error));
  write_bytes(to, "}", 1);
}

wf_text manifest(void) {
  const wf_workflow *workflow = &wf_this_workflow;
  writer to = {0};
  write_zero_terminated(&to, "{\"name\":");
  write_quoted(&to, wf_text_of(workflow->name));
  text_key(&to, "description", workflow->description);
  text_key(&to, "language", "c");
  if (workflow->timeout > 0) key(&to, "timeout", wf_number(workflow->timeout));
  if (workflow->additional_events) key(&to, "additional_events", names(workflow->additional_events));
  write_zero_terminated(&to, ",\"events\":[");
  for (size_t i = 0; i < workflow->event_count; i++) {
    if (i) write_bytes(&to, ",", 1);
    event(&to, &workflow->events[i]);
  }
  write_zero_terminated(&to, "],\"steps\":[");
  for (size_t i = 0; i < workflow->step_count; i++) {
    if (i) write_bytes(&to, ",", 1);
    step(&to, &workflow->steps[i]);
  }
  write_zero_terminated(&to, "]}");
  return written(&to);
}
