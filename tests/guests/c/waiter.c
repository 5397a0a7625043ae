#include "wf.h"

static wf_events ask(wf_event start) {
  wf_event answer = wf_wait(
    .type = "AnswerEvent",
    .requirements = wf_object({"user", wf_string(wf_text_of("laurie"))}),
    .timeout = wf_as_number(wf_field(start.payload, "wait"), 60),
    .request = wf_make("AskEvent", wf_object({"question", wf_string(wf_text_of("who?"))})));
  return wf_stop(wf_object({"answer", wf_field(answer.payload, "answer")}));
}

const wf_workflow wf_this_workflow = {
  .name = "waiter",
  .description = "Waits for Laurie's answer.",
  .additional_events = "AskEvent, AnswerEvent",
  WF_EVENTS(
    {
      .name = "AskEvent",
      .kind = WF_INPUT_REQUIRED,
      .description = "Asks for an answer.",
      WF_FIELDS({"question", WF_TEXT}),
    },
    {
      .name = "AnswerEvent",
      .kind = WF_HUMAN_RESPONSE,
      .description = "An answer, of somebody.",
      WF_FIELDS({"user", WF_TEXT, .fallback = "\"anyone\""}, {"answer", WF_TEXT}),
    }),
  WF_STEPS({
    .name = "ask",
    .description = "Asks, and waits as many seconds as the start event says.",
    .run = ask,
    .accepts = "StartEvent",
    .emits = "StopEvent",
    .sends = "AskEvent",
  }),
};
