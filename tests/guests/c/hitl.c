#include "wf.h"

static wf_events prompt_human(wf_event start) {
  (void)start;
  return wf_one(wf_make("RequestEvent", wf_object({"prompt", wf_string(wf_text_of("What is your name?"))})));
}

static wf_events greet_human(wf_event answer) {
  wf_text name = wf_as_text(wf_field(answer.payload, "response"), wf_text_of(""));
  wf_text output = wf_concat(wf_text_of("Hello, "), name);
  return wf_one(wf_make("OutEvent", wf_object({"output", wf_string(output)})));
}

const wf_workflow wf_this_workflow = {
  .name = "hitl",
  .description = "Asks for a name and greets.",
  WF_EVENTS(
    {
      .name = "RequestEvent",
      .kind = WF_INPUT_REQUIRED,
      .description = "Asks a person for something.",
      WF_FIELDS({"prompt", WF_TEXT, "What to ask."}),
    },
    {
      .name = "ResponseEvent",
      .kind = WF_HUMAN_RESPONSE,
      .description = "What the person says.",
      WF_FIELDS({"response", WF_TEXT}),
    },
    {
      .name = "OutEvent",
      .kind = WF_STOP,
      .description = "The greeting.",
      WF_FIELDS({"output", WF_TEXT}),
    }),
  WF_STEPS(
    {
      .name = "prompt_human",
      .description = "Asks for the name.",
      .run = prompt_human,
      .accepts = "StartEvent",
      .emits = "RequestEvent",
    },
    {
      .name = "greet_human",
      .description = "Greets whoever answered.",
      .run = greet_human,
      .accepts = "ResponseEvent",
      .emits = "OutEvent",
    }),
};
