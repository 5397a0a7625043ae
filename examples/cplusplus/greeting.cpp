// A workflow in C++: `wf-host build greeting.cpp && wf-host run greeting.wasm --param name=Ada`.
#include <iterator>

#include "wf.h"

namespace {

wf_text operator""_text(const char *data, size_t length) { return {data, length}; }

// Greets by name.
wf_events greet(wf_event start) {
  const wf_text parts[] = {"Hello, "_text, wf_as_text(wf_field(start.payload, "name"), "World"_text), "!"_text};
  return wf_stop(wf_string(wf_concat_all(parts, std::size(parts))));
}

const wf_step steps[] = {
    {.name = "greet", .description = "Greets by name.", .run = greet, .accepts = "StartEvent", .emits = "StopEvent"},
};

}  // namespace

const wf_workflow wf_this_workflow = {
    .name = "greeting-cplusplus",
    .description = "Greets by name, in C++.",
    .steps = steps,
    .step_count = std::size(steps),
};
