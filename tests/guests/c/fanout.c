#include <stdlib.h>

#include "wf.h"

static wf_events dispatch(wf_event start) {
  int64_t n = wf_as_integer(wf_field(start.payload, "n"), 3);
  wf_set("n", wf_integer(n));
  for (int64_t i = 0; i < n; i++) wf_send_to("work", wf_make("WorkEvent", wf_object({"i", wf_integer(i)})));
  return n == 0 ? wf_stop(wf_list(NULL, 0)) : wf_nothing();
}

static wf_events work(wf_event event) {
  int64_t i = wf_as_integer(wf_field(event.payload, "i"), 0);
  wf_sleep(0.01);
  return wf_one(wf_make("DoneEvent", wf_object({"i", wf_integer(i)}, {"square", wf_integer(i * i)})));
}

static int ascending(const void *a, const void *b) {
  int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
  return (left > right) - (left < right);
}

static wf_events collect(wf_event done) {
  wf_events all = wf_collect(done, (size_t)wf_as_integer(wf_get("n"), 0));
  if (all.count == 0) return wf_nothing();
  int64_t *squares = wf_allocate(all.count * sizeof *squares);
  for (size_t i = 0; i < all.count; i++) squares[i] = wf_as_integer(wf_field(all.items[i].payload, "square"), 0);
  qsort(squares, all.count, sizeof *squares, ascending);
  wf_json *items = wf_allocate(all.count * sizeof *items);
  for (size_t i = 0; i < all.count; i++) items[i] = wf_integer(squares[i]);
  return wf_stop(wf_list(items, all.count));
}

const wf_workflow wf_this_workflow = {
  .name = "fanout",
  .description = "Squares numbers, several at once.",
  WF_EVENTS(
    {
      .name = "FanStart",
      .kind = WF_START,
      .description = "How many numbers to square.",
      WF_FIELDS({
        .name = "n",
        .fallback = "3",
        .schema = "{\"type\": \"integer\", \"minimum\": 0, \"maximum\": 1000, \"default\": 3}",
      }),
    },
    {
      .name = "WorkEvent",
      .description = "A number to square.",
      WF_FIELDS({"i", WF_INTEGER}),
    },
    {
      .name = "DoneEvent",
      .description = "A number that is squared.",
      WF_FIELDS({"i", WF_INTEGER}, {"square", WF_INTEGER}),
    }),
  WF_STEPS(
    {
      .name = "dispatch",
      .description = "Sends the numbers out.",
      .run = dispatch,
      .accepts = "FanStart",
      .emits = "StopEvent",
      .sends = "WorkEvent",
    },
    {
      .name = "work",
      .description = "Squares one.",
      .run = work,
      .accepts = "WorkEvent",
      .emits = "DoneEvent",
      .num_workers = 4,
    },
    {
      .name = "collect",
      .description = "Gathers them all.",
      .run = collect,
      .accepts = "DoneEvent",
      .emits = "StopEvent",
    }),
};
