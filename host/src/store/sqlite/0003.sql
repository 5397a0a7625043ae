-- Runs that queue for their workflow's turn, or whose turn has come: what each begins with.
create table queued (
    run integer primary key,
    text blob not null, -- a JSON array of its first entry, but for when that is made
    holes text
) strict;

-- How many of a workflow's runs have begun and not ended.
create index run_begun on run (workflow) where status = 'running' and queue is null;

-- Nobody queued before.
update run set queue = null;
