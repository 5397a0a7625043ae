create table run (
    key integer primary key autoincrement,
    id text not null unique,
    handler text not null,
    workflow text not null,
    definition text not null, -- digests, joined by blanks
    status text not null,
    outcome blob, -- the result's envelope, or the message
    started_at integer not null,
    updated_at integer not null,
    completed_at integer,
    generation integer not null,
    next_seq integer not null
) strict;
create index run_handler on run (handler, key);
create index run_unfinished on run (key) where status = 'running';

create table journal (
    run integer not null,
    seq integer not null,
    entries blob not null, -- a JSON array: what one append added
    primary key (run, seq)
) strict, without rowid;

create table stream (
    run integer not null,
    last integer not null, -- the sequence of the last of the frames
    frames blob not null, -- a JSON array of [sequence, flags, envelope]; flags: 1 internal, 2 terminal
    primary key (run, last)
) strict, without rowid;

create table log (
    run integer not null,
    invocation integer not null,
    attempt integer not null,
    source text not null,
    number integer not null,
    at integer not null,
    level text not null,
    message text not null,
    fields text not null,
    primary key (run, invocation, attempt, source, number)
) strict, without rowid;

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

create table component (
    digest text primary key,
    manifest text not null,
    bytes blob not null
) strict;

create table host (
    key text primary key,
    value integer not null
) strict, without rowid;
