#include "wf.h"

static wf_events fail_always(wf_event start) {
  return wf_fail("ValueError", wf_as_text(wf_field(start.payload, "message"), wf_text_of("boom")));
}

const wf_workflow wf_this_workflow = {
  .name = "failing",
  .description = "Fails, with the message that it is given.",
  WF_STEPS({
    .name = "fail",
    .description = "Fails.",
    .run = fail_always,
    .accepts = "StartEvent",
    .emits = "StopEvent",
  }),
};
