#include "wf.h"

#ifndef SERVED
#define SERVED "served"
#endif

static wf_events serve(wf_event priced) {
  wf_text guest = wf_as_text(wf_get("guest"), wf_text_of("somebody"));
  wf_text item = wf_as_text(wf_field(priced.payload, "item"), wf_text_of(""));
  int64_t count = wf_as_integer(wf_field(priced.payload, "count"), 0);
  int64_t cents = wf_as_integer(wf_field(priced.payload, "cents"), 0);
  wf_text said = wf_format("%s: %lld %s, %lld.%02lld, " SERVED, guest.data, (long long)count, item.data, (long long)(cents / 100), (long long)(cents % 100));
  return wf_stop(wf_string(said));
}

const wf_workflow wf_this_workflow = {
  .name = "serve",
  .description = "Serves what was priced.",
  WF_EVENTS({
    .name = "Priced",
    .description = "What it costs.",
    WF_FIELDS({"item", WF_TEXT}, {"count", WF_INTEGER}, {"cents", WF_INTEGER}),
  }),
  WF_STEPS({
    .name = "serve",
    .description = "Says who gets what, and what it costs.",
    .run = serve,
    .accepts = "Priced",
    .emits = "StopEvent",
  }),
};
