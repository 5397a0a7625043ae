#include "wf.h"

static wf_events nap(wf_event start) {
  double seconds = wf_as_number(wf_field(start.payload, "seconds"), 1);
  wf_sleep(seconds);
  return wf_stop(wf_string(wf_concat(wf_text_of("slept "), wf_number(seconds).text)));
}

const wf_workflow wf_this_workflow = {
  .name = "slow",
  .description = "Sleeps, and says for how long.",
  WF_STEPS({
    .name = "nap",
    .description = "Sleeps as many seconds as the start event says.",
    .run = nap,
    .accepts = "StartEvent",
    .emits = "StopEvent",
  }),
};
