//! Every statement that is asked of the tables, so that a test can look at all their plans.

macro_rules! statements {
    ($($name:ident = $sql:expr;)*) => {
        $(pub(super) const $name: &str = $sql;)*
        #[cfg(test)]
        pub(super) const ALL: &[(&str, &str)] = &[$((stringify!($name), $name)),*];
    };
}

/// Runs as others see them.
macro_rules! summary {
    ($condition:literal) => {
        concat!(
            "select run.key, run.id, handler, workflow, digests, status, started_at, updated_at, completed_at, preview, ",
            "result_preview, waiting, queue, outcome, outcome_holes, ",
            "(select scope from idempotency where idempotency.run = run.key and scope >= 'fork/' and scope < 'fork0') from run ",
            "left join definition on definition.key = run.definition left join ending on ending.run = run.key where ",
            $condition
        )
    };
}

/// Runs as they are carried elsewhere.
macro_rules! carried {
    ($condition:literal) => {
        concat!(
            "select run.key, id, handler, newest, workflow, digests, status, started_at, updated_at, completed_at, generation, next_seq, ",
            "waiting, queue, preview, result_preview from run join definition on definition.key = run.definition where ",
            $condition
        )
    };
}

/// Runs that have not ended, by whether they wait: from the index that has no others.
macro_rules! list {
    ($index:literal, $waiting:literal, $condition:literal) => {
        concat!(
            "select key from run indexed by ",
            $index,
            " where status = 'running' and waiting ",
            $waiting,
            " and newest = ?1 and status = ?2 and key < ?3 ",
            $condition,
            "order by key desc limit ?4"
        )
    };
}

statements! {
    RUN = summary!("run.id = ?1");
    RUN_BY_KEY = summary!("run.key = ?1");
    NEWEST = summary!("run.handler = ?1 and run.newest = 1");
    KEY = "select key from run where id = ?1";
    KEYS_UP = "select key from run where newest = ?1 and status = ?2 and key > ?3 order by key limit ?4";
    KEYS_UP_OF = "select key from run where newest = ?1 and status = ?2 and key > ?3 and workflow = ?5 order by key limit ?4";
    KEYS_DOWN = "select key from run where newest = ?1 and status = ?2 and key < ?3 order by key desc limit ?4";
    KEYS_DOWN_OF = "select key from run where newest = ?1 and status = ?2 and key < ?3 and workflow = ?5 order by key desc limit ?4";
    NEXT_NAME = "select min(workflow) from run where newest = ?1 and workflow > ?2";
    WAITS_DOWN = list!("run_waits", "is not null", "");
    WAITS_DOWN_OF = list!("run_waits_of", "is not null", "and workflow = ?5 ");
    GOES_ON_DOWN = list!("run_goes_on", "is null", "");
    GOES_ON_DOWN_OF = list!("run_goes_on_of", "is null", "and workflow = ?5 ");
    KEYS_OF_HANDLER = "select key from run where handler = ?1 and newest = ?2 and key < ?3 order by key desc limit ?4";
    STARTED_DOWN = "select started_at, key from run where (started_at, key) < (?1, ?2) and started_at >= ?3 \
                    order by started_at desc, key desc limit ?4";
    STARTED_UP = "select started_at, key from run where (started_at, key) > (?1, ?2) and started_at < ?3 order by started_at, key limit ?4";
    ENDED_DOWN = "select completed_at, key from run where completed_at is not null and (completed_at, key) < (?1, ?2) \
                  and completed_at >= ?3 order by completed_at desc, key desc limit ?4";
    ENDED_UP = "select completed_at, key from run where completed_at is not null and (completed_at, key) > (?1, ?2) \
                and completed_at < ?3 order by completed_at, key limit ?4";
    LOOKED_AT = "select iif(status = 'running' and waiting is not null, 'waiting', status), workflow, newest from run where key = ?1";
    SEARCHED = "select instr(lower(id), ?2) > 0 or instr(lower(handler), ?2) > 0 or instr(lower(preview), ?2) > 0 \
                or instr(lower(ifnull(result_preview, '')), ?2) > 0 from run where key = ?1";

    LAST_KEY = "select seq from sqlite_sequence where name = 'run'";
    NEWEST_STATUS = "select key, status from run where handler = ?1 and newest = 1";
    NOT_NEWEST = "update run set newest = 0 where key = ?1";
    CREATE = "insert into run (key, id, handler, newest, workflow, definition, status, started_at, updated_at, owner, generation, next_seq, \
              wake_at, wake_alive, waiting, queue, preview, completed_at, result_preview) \
              values (?1, ?2, ?3, 1, ?4, ?5, ?6, ?7, ?8, ?9, 1, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)";
    STANDING = "select id, owner, generation, next_seq from run where key = ?1";
    APPENDED = "update run set next_seq = ?2, updated_at = ?3, wake_at = ?4, wake_alive = ?5 where key = ?1";
    WAITS = "update run set waiting = ?2 where key = ?1 and waiting is not ?2";
    ENDED = "update run set next_seq = ?2, updated_at = ?3, status = ?4, completed_at = ?5, result_preview = ?6, owner = null, \
             wake_at = null, wake_alive = null, waiting = null, queue = null where key = ?1";
    BEGUN = "select key from run where workflow = ?1 and status = 'running' and queue is null limit ?2";
    ANY_QUEUED = "select 1 from run where queue = ?1";
    QUEUED = "select key from run where queue = ?1 order by key limit ?2";
    NEXT_QUEUE = "select min(queue) from run where queue > ?1";
    GIVE_TURN = "update run set queue = null, wake_at = ?2 where key = ?1";
    KEEP_FIRST = "insert into queued (run, text, holes, seal) values (?1, ?2, ?3, ?4)";
    FIRST = "select text, holes, run.queue is not null from queued join run on run.key = queued.run where queued.run = ?1";
    BEGIN = "update run set queue = null, started_at = ?2 where key = ?1";
    FORGET_FIRST = "delete from queued where run = ?1";
    ADD_ENDING = "insert into ending (run, outcome, outcome_holes, state, state_holes, seal) values (?1, ?2, ?3, ?4, ?5, ?6)";
    STATE = "select state, state_holes from ending where run = ?1";
    DEFINITION = "select key from definition where digests = ?1";
    ADD_DEFINITION = "insert into definition (digests) values (?1)";
    ADD_PART = "insert or ignore into part (digest, definition) values (?1, ?2)";

    ADD_ENTRIES = "insert into journal (run, last, text, holes, seal) values (?1, ?2, ?3, ?4, ?5)";
    ENTRIES = "select last, text, holes from journal where run = ?1 and last > ?2 order by last";
    ADD_FRAMES = "insert into stream (run, last, text, holes, seal) values (?1, ?2, ?3, ?4, ?5)";
    FRAMES = "select text, holes from stream where run = ?1 and last > ?2 order by last";
    LAST_FRAME = "select max(last) from stream where run = ?1";
    ADD_LINES = "insert into log (run, text, holes, seal) values (?1, ?2, ?3, ?4)";
    LINES = "select text, holes from log where run = ?1 order by key";
    LINES_AFTER = "select text, holes, key from log where run = ?1 and key > ?2 order by key";
    SNAPSHOT = "select seq, text, holes from snapshot where run = ?1 and seq <= ?2 order by seq desc limit 1";
    ADD_SNAPSHOT = "insert into snapshot (run, seq, text, holes, seal) values (?1, ?2, ?3, ?4, ?5)";

    BLOB_KEY = "select key from blob where digest = ?1";
    BLOB = "select bytes from blob where key = ?1";
    ADD_BLOB = "insert into blob (digest, bytes) values (?1, ?2)";
    USE_BLOB = "insert or ignore into blob_use (run, blob) values (?1, ?2)";
    BLOBS_OF_RUN = "select blob_use.blob, length(bytes) from blob_use left join blob on blob.key = blob_use.blob where run = ?1 limit ?2";
    UNUSE_BLOB = "delete from blob_use where run = ?1 and blob = ?2";
    BLOB_USED = "select 1 from blob_use where blob = ?1";
    DELETE_BLOB = "delete from blob where key = ?1";

    REMEMBERED = "select body, made_run, made_event from idempotency where scope = ?1 and key = ?2";
    REMEMBER = "insert into idempotency (scope, key, body, run, made_run, made_event, seal) values (?1, ?2, ?3, ?4, ?5, ?6, ?7)";

    MADE = "select run, made_run from idempotency where scope = ?1 and made_run is not null";

    JOIN = "insert into host (lease_until) values (?1)";
    END_OTHER_LEASES = "update host set lease_until = 0 where key <> ?1";
    RENEW = "insert into host (key, lease_until) values (?1, ?2) on conflict do update set lease_until = excluded.lease_until";
    LEASE = "select lease_until from host where key = ?1";
    LOST_HOSTS = "select key from host where lease_until <= ?1 and key <> ?2";
    FORGET_HOST = "delete from host where key = ?1";
    ALIVE = "select alive from clock where key = 1";
    SET_ALIVE = "insert into clock (key, alive) values (1, ?1) on conflict do update set alive = max(alive, excluded.alive)";

    GENERATION = "select generation from run where key = ?1";
    OWNED = "select key, status, owner from run where id = ?1";
    UNFINISHED = "select count(*) from run where newest = 1 and status = 'running'";
    OWNED_IDS = "select id from run where owner = ?1";
    OWNED_BY = "select key from run where owner = ?1 limit ?2";
    DUE_AT = "select key, wake_at from run where owner is null and wake_at <= ?1 order by wake_at limit ?2";
    DUE_ALIVE = "select key, wake_alive from run where owner is null and wake_alive <= ?1 order by wake_alive limit ?2";
    NEXT_DUE_AT = "select min(wake_at) from run where owner is null and wake_at is not null";
    NEXT_DUE_ALIVE = "select min(wake_alive) from run where owner is null and wake_alive is not null";
    CLAIM = "update run set owner = ?2, generation = generation + 1, wake_at = null, wake_alive = null where key = ?1 returning id, generation";
    RELEASE = "update run set owner = null, wake_at = case when next_seq = 0 and queue is null then 0 else ?3 end, wake_alive = ?4 \
               where key = ?1 and generation = ?2 and owner is not null";

    SEND_COMMAND = "insert into command (run, command, seal) values (?1, ?2, ?3)";
    COMMANDS = "select key, command from command where run = ?1 and answer is null order by key";
    COMMANDED = "select run.id from command cross join run on run.key = command.run \
                 where command.answer is null and run.status = 'running' and (run.owner is null or run.owner = ?1)";
    OPEN_COMMAND = "select 1 from command where key = ?1 and answer is null";
    COMMAND_RUN = "select run.id from command join run on run.key = command.run where command.key = ?1 and command.answer is null";
    ANSWER_COMMAND = "update command set answer = ?2, command = x'', seal = ?3 where key = ?1 and answer is null";
    ANSWER = "select answer from command where key = ?1";
    FORGET_COMMAND = "delete from command where key = ?1";

    RUNS_OF = "select key, id from run where handler = ?1";
    DELETE_RUN = "delete from run where key = ?1";
    DELETED = "insert or ignore into deleted (run) values (?1)";
    FORGET_KEYS = "delete from idempotency where run = ?1";
    FORGET_COMMANDS = "delete from command where run = ?1";
    NEXT_WORKFLOW = "select min(workflow) from run where newest = 1 and completed_at is not null and workflow > ?1";
    OVER = "select completed_at, handler from run where newest = 1 and workflow = ?1 and completed_at < ?2 order by completed_at limit ?3";
    OVER_DOWN = "select completed_at, key, handler from run where newest = 1 and workflow = ?1 and completed_at is not null \
                 and (completed_at, key) < (?2, ?3) order by completed_at desc, key desc limit ?4";
    SIZE_OF_RUN = "select (select ifnull(sum(length(text)), 0) from journal where run = ?1) \
                   + (select ifnull(sum(length(text)), 0) from stream where run = ?1) \
                   + (select ifnull(sum(length(text)), 0) from log where run = ?1) \
                   + (select ifnull(sum(length(text)), 0) from snapshot where run = ?1) \
                   + (select ifnull(sum(ifnull(length(outcome), 0) + length(state)), 0) from ending where run = ?1) \
                   + (select ifnull(sum(length(bytes)), 0) from blob_use join blob on blob.key = blob_use.blob where run = ?1)";
    NEXT_DELETED = "select min(run) from deleted";
    ENTRIES_OF = "select key, length(text) from journal where run = ?1 limit ?2";
    FRAMES_OF = "select key, length(text) from stream where run = ?1 limit ?2";
    LINES_OF = "select key, length(text) from log where run = ?1 limit ?2";
    SNAPSHOTS_OF = "select key, length(text) from snapshot where run = ?1 limit ?2";
    DELETE_ENTRIES = "delete from journal where key = ?1";
    DELETE_FRAMES = "delete from stream where key = ?1";
    DELETE_LINES = "delete from log where key = ?1";
    DELETE_SNAPSHOTS = "delete from snapshot where key = ?1";
    DELETE_ENDING = "delete from ending where run = ?1";
    DELETED_ALL = "delete from deleted where run = ?1";

    PUT_COMPONENT = "insert into component (digest, manifest, bytes, seal) values (?1, ?2, ?3, ?4) on conflict do update \
                     set manifest = excluded.manifest, bytes = excluded.bytes, seal = excluded.seal \
                     where manifest <> excluded.manifest or bytes <> excluded.bytes or seal <> excluded.seal";
    MANIFEST = "select manifest, seal from component where digest = ?1";
    COMPONENT = "select bytes from component where digest = ?1";
    COMPONENTS = "select digest from component";
    NEEDED = "select 1 from part where digest = ?1 and exists (select 1 from run where run.definition = part.definition)";
    DELETE_COMPONENT = "delete from component where digest = ?1";
    UNUSED_DEFINITIONS = "select key, digests from definition where not exists (select 1 from run where run.definition = definition.key)";
    DELETE_DEFINITION = "delete from definition where key = ?1";
    DELETE_PART = "delete from part where digest = ?1 and definition = ?2";

    // Of whoever checks a database.
    NEXT_RUN = "select key from run where key > ?1 order by key limit 1";
    LAST_RUN = "select max(key) from run";
    WHOLE_RUN = "select id, handler, newest, workflow, digests, status, started_at, updated_at, completed_at, owner is not null, \
                 exists (select 1 from host where host.key = run.owner), next_seq, wake_at, wake_alive, waiting, queue, preview, \
                 result_preview from run left join definition on definition.key = run.definition where run.key = ?1";
    COUNT_NEWEST = "select count(*) from run where handler = ?1 and newest = 1";
    NEXT_ENTRIES = "select key, last, text, holes, seal from journal where run = ?1 and last > ?2 order by last limit 1";
    NEXT_FRAMES = "select key, last, text, holes, seal from stream where run = ?1 and last > ?2 order by last limit 1";
    NEXT_LINES = "select key, key, text, holes, seal from log where run = ?1 and key > ?2 order by key limit 1";
    NEXT_SNAPSHOT = "select key, seq, text, holes, seal from snapshot where run = ?1 and seq > ?2 order by seq limit 1";
    NEXT_QUEUED = "select run, 0, text, holes, seal from queued where run = ?1 and ?2 < 0";
    WHOLE_ENDING = "select outcome, outcome_holes, state, state_holes, seal from ending where run = ?1";
    REMEMBERED_OF = "select scope, key, body, made_run, made_event, seal from idempotency where run = ?1";
    COMMANDS_OF = "select key, command, answer, seal from command where run = ?1";
    USES_OF = "select blob from blob_use where run = ?1";
    NEXT_BLOB = "select key, digest, bytes from blob where key > ?1 order by key limit 1";
    DEFINITIONS = "select key, digests, exists (select 1 from run where run.definition = definition.key) from definition";
    PARTS = "select digest, definition from part";
    COMPONENT_ROW = "select rowid, manifest, seal from component where digest = ?1";
    VALUE = "select digest, bytes from blob where key = ?1";
    DELETED_AND_THERE = "select deleted.run from deleted cross join run on run.key = deleted.run";
    FORGET_USES = "delete from blob_use where run = ?1";
    FORGET_PARTS = "delete from part";
    SUMMARISE = "update run set status = ?2, started_at = ?3, updated_at = ?4, completed_at = ?5, next_seq = ?6, waiting = ?7, \
                 preview = ?8, result_preview = ?9 where key = ?1";
    MAKE_DUE = "update run set owner = null, wake_at = 0, wake_alive = null where key = ?1";
    SOME_RUNS = "select key, workflow, completed_at is not null from run where key > ?1 order by key limit ?2";
    SEQUENCES = "select name, seq from sqlite_sequence";
    LAST_KEYS = "select (select max(key) from run), (select max(key) from command), (select max(key) from host)";

    // Of whoever carries runs.
    CARRIED_BY_ID = carried!("run.id = ?1");
    CARRIED_NEWEST = carried!("run.handler = ?1 and run.newest = 1");
    CARRIED_LAST = carried!("run.key < ?1 order by run.key desc limit ?2");
    CARRIED_OF = carried!("run.handler = ?1");
    STAMP = "select format('%d %d %d %s %s', generation, next_seq, updated_at, status, queue) || \
             (select format(' %d', max(last)) from stream where run = ?1) || (select format(' %d', max(key)) from log where run = ?1) || \
             (select format(' %d', count(*)) from idempotency where run = ?1) from run where key = ?1";
    CARRIED_ENTRIES = "select text, holes from journal where run = ?1 order by last";
    CARRIED_FRAMES = "select text, holes from stream where run = ?1 order by last";
    CARRIED_ENDING = "select outcome, outcome_holes, state, state_holes from ending where run = ?1";
    CARRIED_KEYS = "select scope, key, body, made_run, made_event from idempotency where run = ?1";
    CARRIED_KEY = "select 1 from run where key = ?1 union all select 1 from deleted where run = ?1";
    CARRY = "insert into run (key, id, handler, newest, workflow, definition, status, started_at, updated_at, completed_at, generation, \
             next_seq, wake_at, waiting, queue, preview, result_preview) \
             values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)";
    REMEMBER_MOVED = "insert or replace into idempotency (scope, key, body, run, made_run, made_event, seal) \
                      values (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    MOVED = "select key from idempotency where scope = ?1";
    FORGET_MOVED = "delete from idempotency where scope = ?1 and key = ?2";
    PUT_EMPTY_COMPONENT = "insert into component (digest, manifest, bytes, seal) values (?1, ?2, zeroblob(?3), ?4)";
}

/// The pages of each table and of its indexes, in bytes. All pages are looked at.
pub(super) const PAGES_OF_TABLES: &str = "select tbl_name, sum(pgsize) from dbstat join sqlite_schema on sqlite_schema.name = dbstat.name \
                                          where aggregate = true group by tbl_name order by 2 desc, 1";

/// The largest values that stand apart. All are looked at.
pub(super) const LARGEST_VALUES: &str = "select key, length(bytes), (select count(*) from blob_use where blob = blob.key), \
                                         (select id from blob_use join run on run.key = blob_use.run where blob = blob.key limit 1) \
                                         from blob order by length(bytes) desc, key limit ?1";

/// Of each table that has rows of runs: the first run between two of which there are some although it was not deleted.
pub(super) const RESTS: &[(&str, &str)] = &[
    (
        "journal",
        "select run from journal where run > ?1 and run < ?2 and not exists (select 1 from deleted where deleted.run = journal.run) \
      order by run limit 1",
    ),
    (
        "stream",
        "select run from stream where run > ?1 and run < ?2 and not exists (select 1 from deleted where deleted.run = stream.run) \
      order by run limit 1",
    ),
    (
        "log",
        "select run from log where run > ?1 and run < ?2 and not exists (select 1 from deleted where deleted.run = log.run) \
      order by run limit 1",
    ),
    (
        "snapshot",
        "select run from snapshot where run > ?1 and run < ?2 and not exists (select 1 from deleted where deleted.run = snapshot.run) \
      order by run limit 1",
    ),
    (
        "ending",
        "select run from ending where run > ?1 and run < ?2 and not exists (select 1 from deleted where deleted.run = ending.run) \
      order by run limit 1",
    ),
    (
        "queued",
        "select run from queued where run > ?1 and run < ?2 and not exists (select 1 from deleted where deleted.run = queued.run) \
      order by run limit 1",
    ),
    (
        "blob_use",
        "select run from blob_use where run > ?1 and run < ?2 and not exists (select 1 from deleted where deleted.run = blob_use.run) \
      order by run limit 1",
    ),
    // With 0 stands what was moved away.
    ("idempotency", "select run from idempotency where run > ?1 and run < ?2 and run <> 0 order by run limit 1"),
    ("command", "select run from command where run > ?1 and run < ?2 order by run limit 1"),
];
