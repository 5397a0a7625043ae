#include "wf.h"

static wf_events nap(wf_event start) {
  double seconds = wf_as_number(wf_field(start.payload, "seconds"), 1);
  wf_sleep(seconds);
  return wf_stop(wf_string(wf_concat(wf_text_of("slept "), wf_number(seconds).text)));
}

const wf_workflow wf_this_workflow = {
  .name = "timeout",
  .description = "Sleeps for longer than its run may take.",
  .timeout = 0.3,
  WF_STEPS({
    .name = "nap",
    .description = "Sleeps as many seconds as the start event says.",
    .run = nap,
    .accepts = "StartEvent",
    .emits = "StopEvent",
  }),
};
