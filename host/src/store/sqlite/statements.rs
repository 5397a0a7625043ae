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
            "result_preview, waiting, queue, outcome, outcome_holes from run ",
            "left join definition on definition.key = run.definition left join ending on ending.run = run.key where ",
            $condition
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
    SEARCHED = "select instr(id, ?2) > 0 or instr(handler, ?2) > 0 from run where key = ?1";

    LAST_KEY = "select seq from sqlite_sequence where name = 'run'";
    NEWEST_STATUS = "select key, status from run where handler = ?1 and newest = 1";
    NOT_NEWEST = "update run set newest = 0 where key = ?1";
    CREATE = "insert into run (key, id, handler, newest, workflow, definition, status, started_at, updated_at, owner, \
              generation, next_seq, wake_at, wake_alive, waiting, queue, preview) \
              values (?1, ?2, ?3, 1, ?4, ?5, 'running', ?6, ?7, ?8, 1, 1, ?9, ?10, ?11, ?12, ?13)";
    STANDING = "select id, owner, generation, next_seq from run where key = ?1";
    APPENDED = "update run set next_seq = ?2, updated_at = ?3, wake_at = ?4, wake_alive = ?5, waiting = ?6, queue = ?7 where key = ?1";
    ENDED = "update run set status = ?2, completed_at = ?3, result_preview = ?4, owner = null, wake_at = null, wake_alive = null, \
             waiting = null, queue = null where key = ?1";
    ADD_ENDING = "insert into ending (run, outcome, outcome_holes, state, state_holes) values (?1, ?2, ?3, ?4, ?5)";
    STATE = "select state, state_holes from ending where run = ?1";
    DEFINITION = "select key from definition where digests = ?1";
    ADD_DEFINITION = "insert into definition (digests) values (?1)";
    ADD_PART = "insert or ignore into part (digest, definition) values (?1, ?2)";

    ADD_ENTRIES = "insert into journal (run, last, text, holes) values (?1, ?2, ?3, ?4)";
    ENTRIES = "select last, text, holes from journal where run = ?1 and last > ?2 order by last";
    ADD_FRAMES = "insert into stream (run, last, text, holes) values (?1, ?2, ?3, ?4)";
    FRAMES = "select text, holes from stream where run = ?1 and last > ?2 order by last";
    LAST_FRAME = "select max(last) from stream where run = ?1";
    ADD_LINES = "insert into log (run, text, holes) values (?1, ?2, ?3)";
    LINES = "select text, holes from log where run = ?1 order by key";
    SNAPSHOT = "select seq, text, holes from snapshot where run = ?1";
    PUT_SNAPSHOT = "insert or replace into snapshot (run, seq, text, holes) values (?1, ?2, ?3, ?4)";

    BLOB_KEY = "select key from blob where digest = ?1";
    BLOB = "select bytes from blob where key = ?1";
    ADD_BLOB = "insert into blob (digest, bytes) values (?1, ?2)";
    USE_BLOB = "insert or ignore into blob_use (run, snapshot, blob) values (?1, ?2, ?3)";
    BLOBS_OF_SNAPSHOT = "select blob from blob_use where run = ?1 and snapshot = 1";
    BLOBS_OF_RUN = "select snapshot, blob, length(bytes) from blob_use left join blob on blob.key = blob_use.blob where run = ?1 limit ?2";
    UNUSE_BLOB = "delete from blob_use where run = ?1 and snapshot = ?2 and blob = ?3";
    BLOB_USED = "select 1 from blob_use where blob = ?1";
    DELETE_BLOB = "delete from blob where key = ?1";

    REMEMBERED = "select body, made_run, made_event from idempotency where scope = ?1 and key = ?2";
    REMEMBER = "insert into idempotency (scope, key, body, run, made_run, made_event) values (?1, ?2, ?3, ?4, ?5, ?6)";

    JOIN = "insert into host (lease_until) values (?1)";
    END_OTHER_LEASES = "update host set lease_until = 0 where key <> ?1";
    RENEW = "insert into host (key, lease_until) values (?1, ?2) on conflict do update set lease_until = excluded.lease_until";
    LEASE = "select lease_until from host where key = ?1";
    LOST_HOSTS = "select key from host where lease_until <= ?1 and key <> ?2";
    FORGET_HOST = "delete from host where key = ?1";
    ALIVE = "select alive from clock where key = 1";
    SET_ALIVE = "insert into clock (key, alive) values (1, ?1) on conflict do update set alive = max(alive, excluded.alive)";

    OWNED = "select key, status, owner from run where id = ?1";
    UNFINISHED = "select count(*) from run where newest = 1 and status = 'running'";
    OWNED_IDS = "select id from run where owner = ?1";
    OWNED_BY = "select key from run where owner = ?1 limit ?2";
    DUE_AT = "select key, wake_at from run where owner is null and wake_at <= ?1 order by wake_at limit ?2";
    DUE_ALIVE = "select key, wake_alive from run where owner is null and wake_alive <= ?1 order by wake_alive limit ?2";
    NEXT_DUE_AT = "select min(wake_at) from run where owner is null and wake_at is not null";
    NEXT_DUE_ALIVE = "select min(wake_alive) from run where owner is null and wake_alive is not null";
    CLAIM = "update run set owner = ?2, generation = generation + 1 where key = ?1 returning id, generation";
    RELEASE = "update run set owner = null, wake_at = ?3, wake_alive = ?4 where key = ?1 and generation = ?2 and owner is not null";

    SEND_COMMAND = "insert into command (run, command) values (?1, ?2)";
    COMMANDS = "select key, command from command where run = ?1 and answer is null order by key";
    COMMANDED = "select run.id from command cross join run on run.key = command.run \
                 where command.answer is null and run.status = 'running' and (run.owner is null or run.owner = ?1)";
    OPEN_COMMAND = "select 1 from command where key = ?1 and answer is null";
    COMMAND_RUN = "select run.id from command join run on run.key = command.run where command.key = ?1 and command.answer is null";
    ANSWER_COMMAND = "update command set answer = ?2, command = x'' where key = ?1 and answer is null";
    ANSWER = "select answer from command where key = ?1";
    FORGET_COMMAND = "delete from command where key = ?1";

    RUNS_OF = "select key, id from run where handler = ?1";
    DELETE_RUN = "delete from run where key = ?1";
    DELETED = "insert into deleted (run) values (?1)";
    FORGET_KEYS = "delete from idempotency where run = ?1";
    FORGET_COMMANDS = "delete from command where run = ?1";
    NEXT_WORKFLOW = "select min(workflow) from run where newest = 1 and completed_at is not null and workflow > ?1";
    OVER = "select completed_at, handler from run where newest = 1 and workflow = ?1 and completed_at < ?2 order by completed_at limit ?3";
    NEXT_DELETED = "select min(run) from deleted";
    ENTRIES_OF = "select key, length(text) from journal where run = ?1 limit ?2";
    FRAMES_OF = "select key, length(text) from stream where run = ?1 limit ?2";
    LINES_OF = "select key, length(text) from log where run = ?1 limit ?2";
    DELETE_ENTRIES = "delete from journal where key = ?1";
    DELETE_FRAMES = "delete from stream where key = ?1";
    DELETE_LINES = "delete from log where key = ?1";
    DELETE_SNAPSHOT = "delete from snapshot where run = ?1";
    DELETE_ENDING = "delete from ending where run = ?1";
    DELETED_ALL = "delete from deleted where run = ?1";

    PUT_COMPONENT = "insert or ignore into component (digest, manifest, bytes) values (?1, ?2, ?3)";
    MANIFEST = "select manifest from component where digest = ?1";
    COMPONENT = "select bytes from component where digest = ?1";
    COMPONENTS = "select digest from component";
    NEEDED = "select 1 from part where digest = ?1 and exists (select 1 from run where run.definition = part.definition)";
    DELETE_COMPONENT = "delete from component where digest = ?1";
    UNUSED_DEFINITIONS = "select key, digests from definition where not exists (select 1 from run where run.definition = definition.key)";
    DELETE_DEFINITION = "delete from definition where key = ?1";
    DELETE_PART = "delete from part where digest = ?1 and definition = ?2";
}
