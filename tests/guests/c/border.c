#include <stdlib.h>
#include <unistd.h>

#include "wf.h"

static wf_json text(const char *of) { return wf_string(wf_text_of(of)); }

/* A header of an answer: nothing where there is none. */
static wf_json header(wf_json head, const char *name) {
  wf_json headers = wf_field(head, "headers");
  for (size_t i = 0; i < wf_count(headers); i++) {
    wf_json pair = wf_item(headers, i);
    if (wf_text_equals(wf_as_text(wf_item(pair, 0), wf_text_of("")), name)) return wf_item(pair, 1);
  }
  return wf_null();
}

/* A variable of the environment: empty where it is not granted. */
static wf_text variable(const char *name) {
  const char *value = getenv(name);
  return wf_text_of(value == NULL ? "" : value);
}

/* Makes a request, asks, and tells all that it has come by. */
static wf_events pass(wf_event start) {
  uint32_t drawn = 0;
  if (getentropy(&drawn, sizeof drawn) != 0) return wf_fail("OSError", wf_text_of("no random bytes"));
  wf_json chance = wf_integer(drawn), large = wf_integer(wf_as_integer(wf_field(start.payload, "large"), 0));
  wf_response response = wf_request(
    wf_object(
      {"url", wf_field(start.payload, "url")},
      {"method", text("POST")},
      {"headers", wf_object(
        {"x-mine", text("1")},
        {"authorization", wf_string(wf_concat(wf_text_of("Bearer "), variable("BORDER_KEY")))})},
      {"idempotency_key", text("pay")}),
    wf_object({"large", large}).text);
  wf_text said = wf_text_of("");
  for (wf_text part; (part = wf_read(response.request)).data != NULL;) {
    wf_publish(wf_make("Part", wf_object({"text", wf_string(part)})));
    said = wf_concat(said, part);
  }
  wf_event answer = wf_wait(.type = "Answer", .request = wf_make("Ask", wf_object({"chance", chance}, {"said", wf_string(said)})));
  if (wf_failed()) return wf_nothing();
  wf_json both = wf_list((wf_json[]){large, wf_integer(wf_as_integer(wf_field(answer.payload, "large"), 0))}, 2);
  return wf_stop(wf_object(
    {"chance", chance},
    {"status", wf_field(response.head, "status")},
    {"way", header(response.head, "x-way")},
    {"said", wf_string(said)},
    {"key", wf_string(variable("BORDER_KEY"))},
    {"place", wf_string(variable("BORDER_PLACE"))},
    {"large", both}));
}

const wf_workflow wf_this_workflow = {
  .name = "border",
  .description = "Goes to the outside, and asks a person after it.",
  .additional_events = "Answer",
  WF_EVENTS(
    {
      .name = "Passing",
      .kind = WF_START,
      .description = "Where to go, and with what.",
      WF_FIELDS({"url", WF_TEXT}, {"large", WF_INTEGER}),
    },
    {
      .name = "Part",
      .description = "A part of the answer, as it came.",
      WF_FIELDS({"text", WF_TEXT}),
    },
    {
      .name = "Ask",
      .kind = WF_INPUT_REQUIRED,
      .description = "What was drawn, and what was answered, before it.",
      WF_FIELDS({"chance", WF_INTEGER}, {"said", WF_TEXT}),
    },
    {
      .name = "Answer",
      .kind = WF_HUMAN_RESPONSE,
      .description = "Lets it go on.",
      WF_FIELDS({"large", WF_INTEGER}),
    }),
  WF_STEPS({
    .name = "pass",
    .description = "Makes a request, asks, and tells all that it has come by.",
    .run = pass,
    .accepts = "Passing",
    .emits = "StopEvent",
    .sends = "Part, Ask",
  }),
};
