-- SQLite sees where its own structure is damaged, and not that a letter within a text is another.
-- So each row of these has a checksum of what stands in it: see `seal`. -1: it was written before.
alter table journal add column seal integer not null default -1;
alter table stream add column seal integer not null default -1;
alter table log add column seal integer not null default -1;
alter table snapshot add column seal integer not null default -1;
alter table queued add column seal integer not null default -1;
alter table ending add column seal integer not null default -1;
alter table idempotency add column seal integer not null default -1;
alter table command add column seal integer not null default -1;
alter table component add column seal integer not null default -1;

-- A number that nothing else tells stands in an index as well: a check of the file compares the two.
drop index run_definition;
create index run_definition on run (definition, generation);
create index host_lease on host (lease_until);
create index clock_alive on clock (alive);

-- When a run is due is said while nobody owns it. Its journal says it, too.
update run set wake_at = null, wake_alive = null where owner is not null;
