// A workflow in Zig: `wf-host build greeting.zig && wf-host run greeting.wasm --param name=Ada`.
const wf = @import("wf");

fn text(of: []const u8) wf.wf_text {
    return .{ .data = of.ptr, .length = of.len };
}

/// Greets by name.
fn greet(start: wf.wf_event) callconv(.c) wf.wf_events {
    const parts = [_]wf.wf_text{ text("Hello, "), wf.wf_as_text(wf.wf_field(start.payload, "name"), text("World")), text("!") };
    return wf.wf_stop(wf.wf_string(wf.wf_concat_all(&parts, parts.len)));
}

const steps = [_]wf.wf_step{.{ .name = "greet", .description = "Greets by name.", .run = greet, .accepts = "StartEvent", .emits = "StopEvent" }};

export const wf_this_workflow: wf.wf_workflow = .{
    .name = "greeting-zig",
    .description = "Greets by name, in Zig.",
    .steps = &steps,
    .step_count = steps.len,
};
