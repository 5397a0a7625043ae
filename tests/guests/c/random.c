#include <unistd.h>

#include "wf.h"

static wf_json number(void) {
  uint32_t value = 0;
  if (getentropy(&value, sizeof value) != 0) wf_fail("OSError", wf_text_of("no random bytes"));
  return wf_integer(value);
}

static wf_events draw(wf_event start) {
  wf_json a = number(), seconds = wf_field(start.payload, "sleep");
  if (wf_exists(seconds)) wf_sleep(wf_as_number(seconds, 0));
  return wf_stop(wf_object({"a", a}, {"b", number()}));
}

const wf_workflow wf_this_workflow = {
  .name = "random",
  .description = "Gives two numbers by chance.",
  WF_STEPS({
    .name = "draw",
    .description = "Draws one before and one after a wait that drops the instance.",
    .run = draw,
    .accepts = "StartEvent",
    .emits = "StopEvent",
  }),
};
