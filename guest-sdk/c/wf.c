/* The calls of a step, and what the host calls. The layout of what crosses is that of the component
 * model's canonical ABI for `wit/workflow.wit`. */
#include <string.h>

#include "internal.h"

#define IMPORT(interface, function) \
  __attribute__((import_module("wf:workflow/" interface "@0.1.0"), import_name(function)))
#define TEXT const char *, size_t

/* What comes back: a tag, and then a value or a failure. */
typedef union answer {
  uint8_t tag;
  struct { uint32_t tag; union { wf_event event; wf_failure failure; uint32_t yes; }; } of;
  struct { uint32_t tag, some; wf_text text; } text;
  struct { uint32_t tag, some; wf_events events; } events;
  struct { uint32_t tag, number; wf_text head; } response;
  struct { uint64_t tag; union { struct { uint64_t version; uint32_t some; wf_text text; } value; wf_failure failure; }; } edit;
} answer;

IMPORT("events", "send") extern void events_send(TEXT, TEXT, TEXT, answer *);
IMPORT("events", "publish") extern void events_publish(TEXT, TEXT, TEXT, answer *);
IMPORT("events", "wait") extern void events_wait(TEXT, answer *);
IMPORT("events", "collect") extern void events_collect(TEXT, TEXT, TEXT, answer *);
IMPORT("state", "get") extern void state_get(TEXT, answer *);
IMPORT("state", "set") extern void state_set(TEXT, TEXT, answer *);
IMPORT("state", "push") extern void state_push(TEXT, TEXT, answer *);
IMPORT("state", "delete") extern void state_delete(TEXT, answer *);
IMPORT("state", "edit-begin") extern void state_edit_begin(TEXT, answer *);
IMPORT("state", "edit-exclusive") extern void state_edit_exclusive(TEXT, answer *);
IMPORT("state", "edit-commit") extern void state_edit_commit(TEXT, uint64_t, TEXT, answer *);
IMPORT("time", "now") extern uint64_t time_now(void);
IMPORT("time", "sleep") extern void time_sleep(uint64_t);
IMPORT("memo", "look-up") extern void memo_look_up(TEXT, answer *);
IMPORT("memo", "keep") extern void memo_keep(TEXT, TEXT, answer *);
IMPORT("run", "run-id") extern void run_run_id(wf_text *);
IMPORT("run", "handler-id") extern void run_handler_id(wf_text *);
IMPORT("run", "workflow") extern void run_workflow(wf_text *);
IMPORT("run", "step") extern void run_step(wf_text *);
IMPORT("run", "attempt") extern uint32_t run_attempt(void);
IMPORT("run", "retry-info") extern void run_retry_info(wf_text *);
IMPORT("run", "idempotency-key") extern void run_idempotency_key(TEXT, wf_text *);
IMPORT("run", "commit") extern void run_commit(void);
IMPORT("http", "request") extern void http_request(TEXT, TEXT, answer *);
IMPORT("http", "read") extern void http_read(uint32_t, answer *);
IMPORT("http", "close") extern void http_close(uint32_t);
IMPORT("log", "write") extern void log_write(TEXT, TEXT, TEXT);

/* ---- failures ---- */

static bool failed;
static wf_failure failure;

static void fail_with(wf_failure it) {
  if (failed) return;
  failed = true;
  failure = it;
}

void fail(const char *kind, wf_text message) { fail_with((wf_failure){wf_text_of(kind), message, wf_text_of("{}")}); }

bool wf_failed(void) { return failed; }

wf_failure wf_take_failure(void) {
  wf_failure it = failed ? failure : (wf_failure){0};
  failed = false;
  return it;
}

wf_events wf_fail(const char *kind, wf_text message) {
  fail(kind, message);
  return wf_nothing();
}

wf_events wf_fail_for_good(const char *kind, wf_text message) {
  fail_with((wf_failure){wf_text_of(kind), message, wf_text_of("{\"retryable\":false}")});
  return wf_nothing();
}

/* Whether the call went well. */
static bool well(const answer *it) {
  if (it->tag) fail_with(it->of.failure);
  return !it->tag;
}

/* ---- calls ---- */

#define OF(it) (it).data, (it).length
#define NAME(it) (it), strlen(it)
#define CALL(function, ...) \
  answer it = {0}; \
  if (!failed) function(__VA_ARGS__, &it)

wf_events wf_nothing(void) { return (wf_events){NULL, 0}; }

wf_event wf_make(const char *type, wf_json payload) { return (wf_event){wf_text_of(type), payload}; }

wf_events wf_one(wf_event event) {
  wf_event *items = wf_allocate(sizeof *items);
  *items = event;
  return (wf_events){items, 1};
}

wf_events wf_stop(wf_json result) { return wf_one(wf_make("StopEvent", wf_object({"result", result}))); }

void wf_send(wf_event event) {
  CALL(events_send, OF(event.name), OF(event.payload.text), "{}", 2);
  well(&it);
}

void wf_send_to(const char *step, wf_event event) {
  wf_text options = wf_object({"step", wf_string(wf_text_of(step))}).text;
  CALL(events_send, OF(event.name), OF(event.payload.text), OF(options));
  well(&it);
}

void wf_publish(wf_event event) {
  CALL(events_publish, OF(event.name), OF(event.payload.text), "{}", 2);
  well(&it);
}

wf_event wf_wait_for(wf_wait_options options) {
  wf_member members[7];
  size_t count = 0;
  members[count++] = (wf_member){"types", names(options.type)};
  if (wf_exists(options.requirements)) members[count++] = (wf_member){"requirements", options.requirements};
  if (options.id) members[count++] = (wf_member){"id", wf_string(wf_text_of(options.id))};
  if (options.timeout != 0) members[count++] = (wf_member){"timeout", wf_number(options.timeout)};
  if (options.subtypes) members[count++] = (wf_member){"subtypes", wf_boolean(true)};
  if (options.fresh) members[count++] = (wf_member){"fresh", wf_boolean(true)};
  if (options.request.name.length)
    members[count++] = (wf_member){
        "request", wf_object({"name", wf_string(options.request.name)}, {"payload", wf_string(options.request.payload.text)})};
  wf_text text = wf_object_of(members, count).text;
  CALL(events_wait, OF(text));
  return well(&it) ? it.of.event : (wf_event){0};
}

wf_events wf_collect_types(wf_event event, wf_json expected, const char *id) {
  wf_member members[] = {{"expected", expected}, {"id", id ? wf_string(wf_text_of(id)) : wf_null()}};
  wf_text options = wf_object_of(members, id ? 2 : 1).text;
  CALL(events_collect, OF(event.name), OF(event.payload.text), OF(options));
  return well(&it) && it.events.some & 1 ? it.events.events : wf_nothing();
}

wf_events wf_collect(wf_event event, size_t count) {
  wf_json pair = wf_list((wf_json[]){wf_string(event.name), wf_integer((int64_t)count)}, 2);
  return wf_collect_types(event, wf_list(&pair, 1), NULL);
}

/* What may be there or not. */
static wf_text optional(const answer *it) { return well(it) && it->text.some & 1 ? it->text.text : (wf_text){0}; }

wf_json wf_get(const char *path) {
  CALL(state_get, NAME(path));
  return (wf_json){optional(&it)};
}

void wf_set(const char *path, wf_json value) {
  CALL(state_set, NAME(path), OF(value.text));
  well(&it);
}

void wf_push(const char *path, wf_json value) {
  CALL(state_push, NAME(path), OF(value.text));
  well(&it);
}

void wf_delete(const char *path) {
  CALL(state_delete, NAME(path));
  well(&it);
}

/* The version and the value of an edit that begins. */
static wf_json edited(const answer *it, uint64_t *version) {
  if (it->tag) {
    fail_with(it->edit.failure);
    return (wf_json){{0}};
  }
  *version = it->edit.value.version;
  return (wf_json){it->edit.value.some & 1 ? it->edit.value.text : (wf_text){0}};
}

static bool edit_commit(const char *path, uint64_t version, wf_json value) {
  CALL(state_edit_commit, NAME(path), version, OF(value.text));
  return well(&it) && it.of.yes & 1;
}

wf_json wf_edit(const char *path, wf_json (*change)(wf_json before, void *data), void *data) {
  while (!failed) {
    CALL(state_edit_begin, NAME(path));
    uint64_t version = 0;
    wf_json before = edited(&it, &version);
    wf_json after = failed ? before : change(before, data);
    if (edit_commit(path, version, after)) return after;
  }
  return (wf_json){{0}};
}

static const char *exclusive_path;
static uint64_t exclusive_version;

wf_json wf_edit_exclusive(const char *path) {
  exclusive_path = path;
  CALL(state_edit_exclusive, NAME(path));
  return edited(&it, &exclusive_version);
}

void wf_edit_end(wf_json value) {
  if (!exclusive_path) fail("RuntimeError", wf_text_of("`wf_edit_end` without `wf_edit_exclusive`"));
  else if (!edit_commit(exclusive_path, exclusive_version, value)) fail("RuntimeError", wf_text_of("the exclusive edit was lost"));
  exclusive_path = NULL;
}

wf_json wf_remembered(const char *name) {
  CALL(memo_look_up, NAME(name));
  return (wf_json){optional(&it)};
}

void wf_remember(const char *name, wf_json value) {
  CALL(memo_keep, NAME(name), OF(value.text));
  well(&it);
}

uint64_t wf_now(void) { return time_now(); }

void wf_sleep(double seconds) {
  if (!(seconds >= 0 && seconds < 9e12)) fail("ValueError", wf_format("cannot sleep for %g seconds", seconds));
  if (!failed) time_sleep((uint64_t)(seconds * 1e6 + 0.5));
}

static wf_text told(void (*function)(wf_text *)) {
  wf_text text = {0};
  function(&text);
  return text;
}

wf_text wf_run_id(void) { return told(run_run_id); }
wf_text wf_handler_id(void) { return told(run_handler_id); }
wf_text wf_workflow_name(void) { return told(run_workflow); }
wf_text wf_step_name(void) { return told(run_step); }
uint32_t wf_attempt(void) { return run_attempt(); }
wf_json wf_retry_info(void) { return (wf_json){told(run_retry_info)}; }

wf_text wf_idempotency_key(const char *label) {
  wf_text text = {0};
  run_idempotency_key(NAME(label), &text);
  return text;
}

void wf_commit(void) {
  if (!failed) run_commit();
}

wf_response wf_request(wf_json options, wf_text body) {
  CALL(http_request, OF(options.text), OF(body));
  return well(&it) && !failed ? (wf_response){it.response.number, {it.response.head}} : (wf_response){0};
}

wf_text wf_read(uint32_t request) {
  CALL(http_read, request);
  return optional(&it);
}

void wf_close(uint32_t request) { http_close(request); }

void wf_log(const char *level, wf_text message, wf_json fields) {
  log_write(NAME(level), OF(message), wf_exists(fields) ? fields.text.data : "{}", wf_exists(fields) ? fields.text.length : 2);
}

/* ---- what the host calls ---- */

static answer result;

__attribute__((export_name("wf:workflow/steps@0.1.0#describe"))) wf_text *wf_describe(void) {
  static wf_text text;
  text = manifest();
  return &text;
}

__attribute__((export_name("wf:workflow/steps@0.1.0#invoke"))) answer *wf_invoke(const char *name, size_t length, wf_event *items, size_t count) {
  wf_text wanted = {name, length};
  wf_events events = {items, count}, next = {NULL, 0};
  const wf_step *step = NULL;
  for (size_t i = 0; i < wf_this_workflow.step_count; i++)
    if (wf_text_equals(wanted, wf_this_workflow.steps[i].name)) step = &wf_this_workflow.steps[i];
  if (step && step->run_joined) next = step->run_joined(events);
  else if (step && step->run && count == 1) next = step->run(items[0]);
  else fail("RuntimeError", wf_format("step `%.*s` has no function for %zu events", (int)length, name, count));
  result = (answer){0};
  result.of.tag = failed;
  if (failed) result.of.failure = failure;
  else memcpy(&result.of.event, &next, sizeof next);
  return &result;
}
