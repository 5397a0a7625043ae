"""Copies a run with everything of it, by SQL: `copy_runs.py DATABASE HANDLER TIMES`."""

import sqlite3
import sys

TABLES = {
    "journal": "last, text, holes",
    "stream": "last, text, holes",
    "ending": "outcome, outcome_holes, state, state_holes",
}


def copy(database, handler, times):
    """Copies the run of a handler, so many times: to handlers of its first letter and nine digits. Gives the key of the first."""
    database.create_function("renamed", 4, lambda text, old, new, n: text.replace(old, new + b"%09d" % n), deterministic=True)
    key, run = database.execute("select key, id from run where handler = ?", [handler]).fetchone()
    first = database.execute("select max(key) from run").fetchone()[0] + 1
    columns = [row[1] for row in database.execute("pragma table_info(run)")]
    given = {"key": f"{first} + n", "id": f"printf('{run[:1]}%09d', n)", "handler": f"printf('{handler[:1]}%09d', n)"}
    database.execute("create temp table if not exists n (n integer primary key)")
    database.execute("delete from n")
    database.execute("with recursive c(n) as (select 0 union all select n + 1 from c where n + 1 < ?) insert into n select n from c", [times])
    values = ", ".join(given.get(column, column) for column in columns)
    database.execute(f"insert into run ({', '.join(columns)}) select {values} from n, run where run.key = {key}")
    for table, own in TABLES.items():
        database.execute(f"insert into {table} (run, {own}) select {first} + n, {own} from n, {table} where {table}.run = {key}")
    for old, new in ((run, run[:1]), (handler, handler[:1])):
        change = "update journal set text = renamed(text, ?, ?, run - ?) where run >= ? and run < ?"
        database.execute(change, [old.encode(), new.encode(), first, first, first + times])
    database.commit()
    return first


if __name__ == "__main__":
    copy(sqlite3.connect(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
