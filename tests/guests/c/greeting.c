#include "wf.h"

static wf_events greet(wf_event start) {
  wf_text name = wf_as_text(wf_field(start.payload, "name"), wf_text_of("World"));
  double delay = wf_as_number(wf_field(start.payload, "delay"), 0);
  for (int sequence = 0; sequence < 3; sequence++) {
    wf_publish(wf_make("StreamEvent", wf_object({"sequence", wf_integer(sequence)})));
    if (delay > 0) wf_sleep(delay);
  }
  return wf_stop(wf_string(wf_concat(wf_text_of("Hello, "), name, wf_text_of("!"))));
}

const wf_workflow wf_this_workflow = {
  .name = "greeting",
  .description = "Greets by name.",
  WF_EVENTS({
    .name = "StreamEvent",
    .description = "Shown while the greeting is under way.",
    WF_FIELDS({"sequence", WF_INTEGER, "From 0."}),
  }),
  WF_STEPS({
    .name = "greet",
    .description = "Counts to three, and greets.",
    .run = greet,
    .accepts = "StartEvent",
    .emits = "StopEvent",
    .sends = "StreamEvent",
  }),
};
