#include "wf.h"

static wf_json one_more(wf_json tries, void *data) {
  (void)data;
  return wf_integer(wf_as_integer(tries, 0) + 1);
}

static wf_events flaky(wf_event start) {
  (void)start;
  int64_t tries = wf_as_integer(wf_edit("tries", one_more, NULL), 0);
  if (tries < 3) return wf_fail("ValueError", wf_format("try %d", (int)tries - 1));
  return wf_stop(wf_object({"tries", wf_integer(tries)}));
}

const wf_workflow wf_this_workflow = {
  .name = "retry",
  .description = "Succeeds at the third attempt.",
  WF_STEPS({
    .name = "flaky",
    .description = "Counts its attempts in the run's state, and fails twice.",
    .run = flaky,
    .accepts = "StartEvent",
    .emits = "StopEvent",
    .retry = "{\"delay\": 0.05, \"attempts_max\": 3}",
  }),
};
