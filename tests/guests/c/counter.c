#include "wf.h"

static wf_json add(wf_json count, void *by) { return wf_integer(wf_as_integer(count, 0) + *(int64_t *)by); }

static wf_events bump(wf_event start) {
  int64_t by = wf_as_integer(wf_field(start.payload, "by"), 1);
  return wf_stop(wf_object({"count", wf_edit("count", add, &by)}));
}

const wf_workflow wf_this_workflow = {
  .name = "counter",
  .description = "Counts on from where the handler's last run left off.",
  WF_STEPS({
    .name = "bump",
    .description = "Adds to the count.",
    .run = bump,
    .accepts = "StartEvent",
    .emits = "StopEvent",
  }),
};
