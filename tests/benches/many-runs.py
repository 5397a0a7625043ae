#!/usr/bin/env python3
"""What a server costs whose store holds many runs: `many-runs.py [FINISHED [WAITING]]`, a million and 100,000 by default.

One finished and one waiting run are made by the server itself; their rows are copied by SQL. Printed are the time from
the start to the first healthy answer, memory, and how long requests take beside the same on an empty store.
"""

import json
import pathlib
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = ROOT / "target/release/wf-host"
GUESTS = [ROOT / f"target/guests/rust/{name}.wasm" for name in ("greeting", "hitl", "waiter")]
ROUNDS = 30
FINISHED = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
WAITING = int(sys.argv[2]) if len(sys.argv) > 2 else 100_000


class Server:
    def __init__(self, data):
        self.began = time.monotonic()
        command = [BINARY, "serve", "--port", "0", "--data-dir", data, *GUESTS]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        line = next(line for line in self.process.stdout if "listening on" in line)
        self.url = line.split()[-1]
        while self.ask("/health")[0] != 200:
            time.sleep(0.005)
        self.healthy = time.monotonic() - self.began

    def ask(self, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=data, method="GET" if body is None else "POST")
        request.add_header("content-type", "application/json")
        try:
            with urllib.request.urlopen(request) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def memory(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return {line.split(":")[0]: int(line.split()[1]) // 1024 for line in status.splitlines() if line.startswith(("VmRSS", "VmHWM"))}

    def stop(self):
        self.process.terminate()
        self.process.wait()


def seeded(data):
    """A store with one run of each kind."""
    server = Server(data)
    server.ask("/workflows/greeting/run", {"handler_id": "finished", "start_event": {"name": "Ada"}})
    server.ask("/workflows/hitl/run-nowait", {"handler_id": "waiting"})
    while not waits(server):
        time.sleep(0.05)
    server.stop()


def waits(server):
    """Whether its question is asked: then it only waits."""
    runs = json.loads(server.ask("/api/v1/runs")[1])["runs"]
    run = next(run["run_id"] for run in runs if run["handler_id"] == "waiting")
    return b"RequestEvent" in server.ask(f"/api/v1/runs/{run}/history")[1]


def copy(database, handler, times):
    """Copies a run with everything of it, so many times."""
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
    for table, own in (("journal", "last, text, holes"), ("stream", "last, text, holes"), ("ending", "outcome, outcome_holes, state, state_holes")):
        database.execute(f"insert into {table} (run, {own}) select {first} + n, {own} from n, {table} where {table}.run = {key}")
    for old, new in ((run, run[:1]), (handler, handler[:1])):
        change = "update journal set text = renamed(text, ?, ?, run - ?) where run >= ? and run < ?"
        database.execute(change, [old.encode(), new.encode(), first, first, first + times])
    database.commit()
    return first


def entries(database, first):
    return database.execute("select count(*) from journal where run between ? and ?", [first, first + WAITING - 1]).fetchone()[0]


REQUESTS = {
    "GET /handlers?limit=10": "/handlers?limit=10",
    "GET /handlers?status=running&limit=10": "/handlers?status=running&limit=10",
    "GET /handlers?workflow_name=hitl&limit=10": "/handlers?workflow_name=hitl&limit=10",
    "GET /api/v1/runs?limit=50": "/api/v1/runs?limit=50",
    "GET /api/v1/runs?status=failed": "/api/v1/runs?status=failed",
    "GET /handlers/finished": "/handlers/finished",
    "POST /workflows/greeting/run": ("/workflows/greeting/run", {"start_event": {"name": "Ada"}}),
}


def measured(server):
    times = {}
    for name, request in REQUESTS.items():
        arguments = (request,) if isinstance(request, str) else request
        spent = []
        for _ in range(ROUNDS):
            began = time.monotonic()
            status, _ = server.ask(*arguments)
            assert status in (200, 202), (name, status)
            spent.append(time.monotonic() - began)
        times[name] = statistics.median(spent) * 1000
    return times


def main():
    with tempfile.TemporaryDirectory() as folder:
        few = pathlib.Path(folder) / "few"
        seeded(few)
        many = pathlib.Path(folder) / "many"
        shutil.copytree(few, many)
        database = sqlite3.connect(many / "wf-host.db")
        copy(database, "finished", FINISHED)
        waiting = copy(database, "waiting", WAITING)
        before = entries(database, waiting)
        database.close()
        print(f"{FINISHED:,} finished and {WAITING:,} waiting runs, {(many / 'wf-host.db').stat().st_size >> 20} MiB")
        server = Server(few)
        base, memory = measured(server), server.memory()
        print(f"few:  healthy after {server.healthy:.2f} s, {memory['VmRSS']} MiB")
        server.stop()
        server = Server(many)
        healthy = server.healthy
        times, memory = measured(server), server.memory()
        print(f"many: healthy after {healthy:.2f} s, {memory['VmRSS']} MiB, at most {memory['VmHWM']} MiB")
        for name, spent in times.items():
            print(f"  {name:45} {spent:8.2f} ms, {spent / base[name]:5.2f} times")
        server.stop()
        database = sqlite3.connect(many / "wf-host.db")
        print(f"entries written for those that only wait: {entries(database, waiting) - before}")


main()
