-- A run keeps its snapshots: what it was after an entry is folded from the one before.
alter table snapshot rename to last_snapshot;
create table snapshot (
    key integer primary key,
    run integer not null,
    seq integer not null, -- the place of the last entry that it tells of
    text blob not null,
    holes text
) strict;
create unique index snapshot_place on snapshot (run, seq);
insert into snapshot (run, seq, text, holes) select run, seq, text, holes from last_snapshot;
drop table last_snapshot;

-- They need their blobs as long as the run needs its others.
alter table blob_use rename to blob_use_before;
drop index blob_use_blob;
create table blob_use (
    run integer not null,
    blob integer not null,
    primary key (run, blob)
) strict, without rowid;
insert or ignore into blob_use (run, blob) select run, blob from blob_use_before;
drop table blob_use_before;
create index blob_use_blob on blob_use (blob);
