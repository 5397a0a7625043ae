create table run (
    key integer primary key autoincrement, -- none is used twice
    id text not null unique,
    handler text not null,
    newest integer not null, -- 1: the newest of its handler, else 0
    workflow text not null,
    definition integer not null,
    status text not null,
    started_at integer not null,
    updated_at integer not null,
    completed_at integer,
    owner integer, -- a host; null: it waits for nobody, or has ended
    generation integer not null,
    next_seq integer not null,
    wake_at integer,
    wake_alive integer,
    waiting text,
    queue text,
    preview text not null,
    result_preview text
) strict;
create index run_handler on run (handler, newest);
-- Each ends with the key by itself. Lists are these, merged: see `lists`.
create index run_status on run (newest, status);
create index run_workflow on run (newest, workflow, status);
create index run_over on run (workflow, completed_at) where newest = 1 and completed_at is not null;
create index run_owner on run (owner) where owner is not null;
create index run_due_at on run (wake_at) where owner is null and wake_at is not null;
create index run_due_alive on run (wake_alive) where owner is null and wake_alive is not null;
create index run_queue on run (queue) where queue is not null;
create index run_definition on run (definition);

create table definition (
    key integer primary key,
    digests text not null unique -- joined by blanks
) strict;

create table part (
    digest text not null,
    definition integer not null,
    primary key (digest, definition)
) strict, without rowid;

-- Texts are kept with their large values taken out; `holes` says where, and which blobs they are:
-- a JSON array of [offset, blob]. At the offset stands `null` instead. No holes: null.
create table journal (
    key integer primary key,
    run integer not null,
    last integer not null, -- the place of the last of the entries
    text blob not null, -- a JSON array: what one append added
    holes text
) strict;
create unique index journal_place on journal (run, last);

create table stream (
    key integer primary key,
    run integer not null,
    last integer not null, -- the sequence of the last of the frames
    text blob not null, -- a JSON array of [sequence, flags, envelope]; flags: 1 internal, 2 terminal
    holes text
) strict;
create unique index stream_place on stream (run, last);

create table log (
    key integer primary key,
    run integer not null,
    text blob not null, -- a JSON array of [invocation, attempt, source, number, at, level, message, fields]
    holes text
) strict;
create index log_run on log (run);

create table snapshot (
    run integer primary key,
    seq integer not null,
    text blob not null,
    holes text
) strict;

-- How a run ended, apart from what lists look through.
create table ending (
    run integer primary key,
    outcome blob, -- the result's envelope, or the message
    outcome_holes text,
    state blob not null,
    state_holes text
) strict;

create table blob (
    key integer primary key,
    digest blob not null unique, -- SHA-256
    bytes blob not null
) strict;

create table blob_use (
    run integer not null,
    snapshot integer not null, -- 1: the run's snapshot needs it, 0: something else of it
    blob integer not null,
    primary key (run, snapshot, blob)
) strict, without rowid;
create index blob_use_blob on blob_use (blob);

create table idempotency (
    scope text not null,
    key text not null,
    body blob not null,
    run integer not null,
    made_run text,
    made_event text,
    primary key (scope, key)
) strict, without rowid;
create index idempotency_run on idempotency (run);

create table command (
    key integer primary key autoincrement,
    run integer not null,
    command blob not null,
    answer blob
) strict;
create index command_run on command (run);
create index command_open on command (run) where answer is null;

create table component (
    digest text primary key,
    manifest text not null,
    bytes blob not null
) strict;

create table host (
    key integer primary key autoincrement,
    lease_until integer not null -- UTC
) strict;

create table clock (
    key integer primary key check (key = 1),
    alive integer not null
) strict;

-- Runs that were deleted, and of which rows are left.
create table deleted (
    run integer primary key
) strict;
