/* Workflows in C: the whole of the SDK. See README.md for a first workflow.
 *
 * Memory: whatever these functions give lives until the step ends; nothing has to be freed, since each
 * entry into a step has an instance of its own. A step that makes much in a loop gives it back with
 * `wf_mark` and `wf_release`.
 *
 * Failures: a call that fails gives an empty value, and from then on no call does anything; the step
 * fails with that failure when it returns. `wf_failed` asks, `wf_take_failure` takes it and goes on.
 */
#ifndef WF_H
#define WF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- text and JSON ---- */

/* UTF-8 with its length; it may hold a zero byte, and one follows it. */
typedef struct wf_text { const char *data; size_t length; } wf_text;

/* One JSON value as its text, so that numbers keep their digits. Without text: there is no value. */
typedef struct wf_json { wf_text text; } wf_json;

/* A member of an object. */
typedef struct wf_member { const char *name; wf_json value; } wf_member;

wf_text wf_text_of(const char *zero_terminated);
bool wf_text_equals(wf_text text, const char *zero_terminated);
/* Formatted as by `printf`. */
wf_text wf_format(const char *format, ...) __attribute__((format(printf, 1, 2)));
wf_text wf_concat_all(const wf_text *parts, size_t count);

/* Writing. */
wf_json wf_null(void);
wf_json wf_boolean(bool value);
wf_json wf_integer(int64_t value);
/* The shortest text that is this double; always with a fraction or an exponent, as in `1.0`. */
wf_json wf_number(double value);
wf_json wf_string(wf_text value);
wf_json wf_list(const wf_json *items, size_t count);
wf_json wf_object_of(const wf_member *members, size_t count);
/* JSON that is text already; what is none fails the call that it is given to. */
wf_json wf_raw(const char *json);

#ifndef __cplusplus
/* wf_concat(a, b, c) */
#define wf_concat(...) \
  wf_concat_all((const wf_text[]){__VA_ARGS__}, sizeof((const wf_text[]){__VA_ARGS__}) / sizeof(wf_text))
/* wf_object({"name", wf_string(name)}, {"age", wf_integer(7)}) */
#define wf_object(...) \
  wf_object_of((const wf_member[]){__VA_ARGS__}, sizeof((const wf_member[]){__VA_ARGS__}) / sizeof(wf_member))
#endif

/* Reading. A value that is missing or null gives the fallback; one of another type is a failure of
 * kind `TypeError`. */
bool wf_exists(wf_json value);
bool wf_is_null(wf_json value);
/* The member of an object, the item of a list; nothing where there is none. */
wf_json wf_field(wf_json object, const char *name);
wf_json wf_item(wf_json list, size_t index);
/* How many items or members there are. */
size_t wf_count(wf_json list_or_object);
wf_text wf_as_text(wf_json value, wf_text fallback);
/* `1.0` and `1e2` are integers, too; what does not fit is a failure. */
int64_t wf_as_integer(wf_json value, int64_t fallback);
double wf_as_number(wf_json value, double fallback);
bool wf_as_boolean(wf_json value, bool fallback);

/* ---- memory ---- */

typedef struct wf_place { void *chunk; size_t used; } wf_place;
/* Zeroed memory that lives until the step ends. */
void *wf_allocate(size_t size);
wf_place wf_mark(void);
/* Gives back all that was made since the mark. */
void wf_release(wf_place mark);

/* ---- events and what a step returns ---- */

typedef struct wf_event { wf_text name; wf_json payload; } wf_event;
typedef struct wf_events { wf_event *items; size_t count; } wf_events;

wf_event wf_make(const char *type, wf_json payload);

/* What a step returns: */
wf_events wf_nothing(void);
wf_events wf_one(wf_event event);
/* The built-in stop event. */
wf_events wf_stop(wf_json result);
/* A failure, which is retried as the step says. */
wf_events wf_fail(const char *kind, wf_text message);
/* A failure that no retry follows. */
wf_events wf_fail_for_good(const char *kind, wf_text message);

/* ---- failures of calls ---- */

typedef struct wf_failure { wf_text kind, message, details; } wf_failure;
bool wf_failed(void);
/* The failure, which no longer fails the step. Its kind is empty where there is none. */
wf_failure wf_take_failure(void);

/* ---- the context of a step ---- */

/* To the steps that take it, or to one, at the next commit point. */
void wf_send(wf_event event);
void wf_send_to(const char *step, wf_event event);
/* Shown to those who read the run's stream. */
void wf_publish(wf_event event);

/* What to wait for; see README.md, "Waiting for people". */
typedef struct wf_wait_options {
  const char *type;         /* the type, or several with commas between: the first to come */
  wf_json requirements;     /* an object: fields that must be equal */
  const char *id;           /* tells waits of one step apart */
  double timeout;           /* seconds; 0: for ever */
  wf_event request;         /* published once, to ask */
  bool subtypes;            /* takes what derives from the type, too */
  bool fresh;               /* takes only what comes after the wait has begun */
} wf_wait_options;
wf_event wf_wait_for(wf_wait_options options);
#ifndef __cplusplus
/* wf_wait(.type = "AnswerEvent", .timeout = 60) */
#define wf_wait(...) wf_wait_for((wf_wait_options){__VA_ARGS__})
#endif

/* Adds an event to those that the step gathers: `count` of its type. No items until there are so many. */
wf_events wf_collect(wf_event event, size_t count);
/* The same of several types, as in ["A", ["B", 3]]; `id` names the buffer, or is NULL. */
wf_events wf_collect_types(wf_event event, wf_json expected, const char *id);

/* The run's state, by path: keys with dots between. */
wf_json wf_get(const char *path);
void wf_set(const char *path, wf_json value);
void wf_push(const char *path, wf_json value);
void wf_delete(const char *path);
/* Changes a value as one; `change` is called again when another step came between. Gives the new value. */
wf_json wf_edit(const char *path, wf_json (*change)(wf_json before, void *data), void *data);
/* Changes a value in turn with others: gives it, and `wf_edit_end` sets it. */
wf_json wf_edit_exclusive(const char *path);
void wf_edit_end(wf_json value);

/* Results of expensive work, kept over waits, retries and crashes. */
wf_json wf_remembered(const char *name);
void wf_remember(const char *name, wf_json value);

/* Microseconds since 1970. The same again when a step is entered again. */
uint64_t wf_now(void);
/* Sleeps durably. From a second on the instance leaves memory, and the step is entered again. */
void wf_sleep(double seconds);

wf_text wf_run_id(void);
wf_text wf_handler_id(void);
wf_text wf_workflow_name(void);
wf_text wf_step_name(void);
/* From 0. */
uint32_t wf_attempt(void);
/* {"attempts", "elapsed", "last_failure"} */
wf_json wf_retry_info(void);
/* A UUID for an outside effect: the same over all entries and attempts. */
wf_text wf_idempotency_key(const char *label);
void wf_commit(void);

/* HTTP, as far as it is granted. The options are those of `http` in `wit/workflow.wit`. */
typedef struct wf_response { uint32_t request; wf_json head; } wf_response;
wf_response wf_request(wf_json options, wf_text body);
/* More of the body; without data where there is no more. */
wf_text wf_read(uint32_t request);
void wf_close(uint32_t request);

/* Levels: trace, debug, info, warn, error. */
void wf_log(const char *level, wf_text message, wf_json fields);

/* ---- what a workflow declares ---- */

typedef enum wf_kind { WF_PLAIN, WF_START, WF_STOP, WF_INPUT_REQUIRED, WF_HUMAN_RESPONSE } wf_kind;
typedef enum wf_type { WF_ANY, WF_TEXT, WF_INTEGER, WF_NUMBER, WF_BOOLEAN, WF_LIST, WF_OBJECT } wf_type;

/* A field of an event. */
typedef struct wf_field_type {
  const char *name;
  wf_type type;
  const char *description;
  const char *fallback;     /* JSON: the field may be left out, and is this then */
  const char *schema;       /* JSON: a schema of your own, in place of the type */
} wf_field_type;

/* A type of event. */
typedef struct wf_event_type {
  const char *name;
  wf_kind kind;
  const char *description;
  const char *base;         /* the type that it derives from */
  const wf_field_type *fields;
  size_t field_count;
} wf_event_type;
#define WF_FIELDS(...) \
  .fields = (const wf_field_type[]){__VA_ARGS__}, \
  .field_count = sizeof((const wf_field_type[]){__VA_ARGS__}) / sizeof(wf_field_type)

/* A step. Lists of types are texts, with commas between. */
typedef struct wf_step {
  const char *name;
  const char *description;
  wf_events (*run)(wf_event event);              /* takes one event … */
  wf_events (*run_joined)(wf_events events);     /* … or what a join gives */
  const char *accepts, *emits, *sends;
  bool subtypes, fan_out;
  const char *join;         /* "each" or "all" */
  unsigned num_workers;     /* slots; 0: 4 */
  double timeout;           /* seconds of computing; 0: none */
  const char *retry;        /* JSON, as in `wit/manifest.schema.json`: {"delay": 0.1, "attempts_max": 3} */
  const char *catch_error;  /* JSON: {"max_recoveries": 1} */
} wf_step;

typedef struct wf_workflow {
  const char *name;
  const char *description;
  double timeout;           /* seconds; 0: none */
  const char *additional_events;  /* what steps wait for, with commas between */
  const wf_event_type *events;
  size_t event_count;
  const wf_step *steps;
  size_t step_count;
} wf_workflow;
#define WF_EVENTS(...) \
  .events = (const wf_event_type[]){__VA_ARGS__}, \
  .event_count = sizeof((const wf_event_type[]){__VA_ARGS__}) / sizeof(wf_event_type)
#define WF_STEPS(...) \
  .steps = (const wf_step[]){__VA_ARGS__}, \
  .step_count = sizeof((const wf_step[]){__VA_ARGS__}) / sizeof(wf_step)

/* Yours to define. */
extern const wf_workflow wf_this_workflow;

#ifdef __cplusplus
}
#endif
#endif
