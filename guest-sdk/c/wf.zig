//! wf.h for Zig, as `zig translate-c` writes it, without what no workflow needs. What each function does stands in wf.h.

pub const wf_text = extern struct {
    data: [*c]const u8 = null,
    length: usize = 0,
};
pub const wf_json = extern struct {
    text: wf_text = .{},
};
pub const wf_member = extern struct {
    name: [*c]const u8 = null,
    value: wf_json = .{},
};
pub extern fn wf_text_of(zero_terminated: [*c]const u8) wf_text;
pub extern fn wf_text_equals(text: wf_text, zero_terminated: [*c]const u8) bool;
pub extern fn wf_format(format: [*c]const u8, ...) wf_text;
pub extern fn wf_concat_all(parts: [*c]const wf_text, count: usize) wf_text;
pub extern fn wf_null() wf_json;
pub extern fn wf_boolean(value: bool) wf_json;
pub extern fn wf_integer(value: i64) wf_json;
pub extern fn wf_number(value: f64) wf_json;
pub extern fn wf_string(value: wf_text) wf_json;
pub extern fn wf_list(items: [*c]const wf_json, count: usize) wf_json;
pub extern fn wf_object_of(members: [*c]const wf_member, count: usize) wf_json;
pub extern fn wf_raw(json: [*c]const u8) wf_json;
pub extern fn wf_exists(value: wf_json) bool;
pub extern fn wf_is_null(value: wf_json) bool;
pub extern fn wf_field(object: wf_json, name: [*c]const u8) wf_json;
pub extern fn wf_item(list: wf_json, index: usize) wf_json;
pub extern fn wf_count(list_or_object: wf_json) usize;
pub extern fn wf_as_text(value: wf_json, fallback: wf_text) wf_text;
pub extern fn wf_as_integer(value: wf_json, fallback: i64) i64;
pub extern fn wf_as_number(value: wf_json, fallback: f64) f64;
pub extern fn wf_as_boolean(value: wf_json, fallback: bool) bool;
pub const wf_place = extern struct {
    chunk: ?*anyopaque = null,
    used: usize = 0,
};
pub extern fn wf_allocate(size: usize) ?*anyopaque;
pub extern fn wf_mark() wf_place;
pub extern fn wf_release(mark: wf_place) void;
pub const wf_event = extern struct {
    name: wf_text = .{},
    payload: wf_json = .{},
};
pub const wf_events = extern struct {
    items: [*c]wf_event = null,
    count: usize = 0,
};
pub extern fn wf_make(@"type": [*c]const u8, payload: wf_json) wf_event;
pub extern fn wf_nothing() wf_events;
pub extern fn wf_one(event: wf_event) wf_events;
pub extern fn wf_stop(result: wf_json) wf_events;
pub extern fn wf_fail(kind: [*c]const u8, message: wf_text) wf_events;
pub extern fn wf_fail_for_good(kind: [*c]const u8, message: wf_text) wf_events;
pub const wf_failure = extern struct {
    kind: wf_text = .{},
    message: wf_text = .{},
    details: wf_text = .{},
};
pub extern fn wf_failed() bool;
pub extern fn wf_take_failure() wf_failure;
pub extern fn wf_send(event: wf_event) void;
pub extern fn wf_send_to(step: [*c]const u8, event: wf_event) void;
pub extern fn wf_publish(event: wf_event) void;
pub const wf_wait_options = extern struct {
    type: [*c]const u8 = null,
    requirements: wf_json = .{},
    id: [*c]const u8 = null,
    timeout: f64 = 0,
    request: wf_event = .{},
    subtypes: bool = false,
    fresh: bool = false,
};
pub extern fn wf_wait_for(options: wf_wait_options) wf_event;
pub extern fn wf_collect(event: wf_event, count: usize) wf_events;
pub extern fn wf_collect_types(event: wf_event, expected: wf_json, id: [*c]const u8) wf_events;
pub extern fn wf_get(path: [*c]const u8) wf_json;
pub extern fn wf_set(path: [*c]const u8, value: wf_json) void;
pub extern fn wf_push(path: [*c]const u8, value: wf_json) void;
pub extern fn wf_delete(path: [*c]const u8) void;
pub extern fn wf_edit(path: [*c]const u8, change: ?*const fn (before: wf_json, data: ?*anyopaque) callconv(.c) wf_json, data: ?*anyopaque) wf_json;
pub extern fn wf_edit_exclusive(path: [*c]const u8) wf_json;
pub extern fn wf_edit_end(value: wf_json) void;
pub extern fn wf_remembered(name: [*c]const u8) wf_json;
pub extern fn wf_remember(name: [*c]const u8, value: wf_json) void;
pub extern fn wf_now() u64;
pub extern fn wf_sleep(seconds: f64) void;
pub extern fn wf_run_id() wf_text;
pub extern fn wf_handler_id() wf_text;
pub extern fn wf_workflow_name() wf_text;
pub extern fn wf_step_name() wf_text;
pub extern fn wf_attempt() u32;
pub extern fn wf_retry_info() wf_json;
pub extern fn wf_idempotency_key(label: [*c]const u8) wf_text;
pub extern fn wf_commit() void;
pub const wf_response = extern struct {
    request: u32 = 0,
    head: wf_json = .{},
};
pub extern fn wf_request(options: wf_json, body: wf_text) wf_response;
pub extern fn wf_read(request: u32) wf_text;
pub extern fn wf_close(request: u32) void;
pub extern fn wf_log(level: [*c]const u8, message: wf_text, fields: wf_json) void;
pub const wf_kind = c_uint;
pub const WF_PLAIN: wf_kind = 0;
pub const WF_START: wf_kind = 1;
pub const WF_STOP: wf_kind = 2;
pub const WF_INPUT_REQUIRED: wf_kind = 3;
pub const wf_type = c_uint;
pub const WF_ANY: wf_type = 0;
pub const WF_TEXT: wf_type = 1;
pub const WF_INTEGER: wf_type = 2;
pub const WF_NUMBER: wf_type = 3;
pub const WF_BOOLEAN: wf_type = 4;
pub const WF_LIST: wf_type = 5;
pub const WF_OBJECT: wf_type = 6;
pub const wf_field_type = extern struct {
    name: [*c]const u8 = null,
    type: wf_type = 0,
    description: [*c]const u8 = null,
    fallback: [*c]const u8 = null,
    schema: [*c]const u8 = null,
};
pub const wf_event_type = extern struct {
    name: [*c]const u8 = null,
    kind: wf_kind = 0,
    description: [*c]const u8 = null,
    base: [*c]const u8 = null,
    fields: [*c]const wf_field_type = null,
    field_count: usize = 0,
};
pub const wf_step = extern struct {
    name: [*c]const u8 = null,
    description: [*c]const u8 = null,
    run: ?*const fn (event: wf_event) callconv(.c) wf_events = null,
    run_joined: ?*const fn (events: wf_events) callconv(.c) wf_events = null,
    accepts: [*c]const u8 = null,
    emits: [*c]const u8 = null,
    sends: [*c]const u8 = null,
    subtypes: bool = false,
    fan_out: bool = false,
    join: [*c]const u8 = null,
    num_workers: c_uint = 0,
    timeout: f64 = 0,
    retry: [*c]const u8 = null,
    catch_error: [*c]const u8 = null,
};
pub const wf_workflow = extern struct {
    name: [*c]const u8 = null,
    description: [*c]const u8 = null,
    timeout: f64 = 0,
    additional_events: [*c]const u8 = null,
    events: [*c]const wf_event_type = null,
    event_count: usize = 0,
    steps: [*c]const wf_step = null,
    step_count: usize = 0,
};
