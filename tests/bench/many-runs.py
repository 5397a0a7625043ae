#!/usr/bin/env python3
"""What a server costs whose store holds many runs: `many-runs.py [FINISHED [WAITING]]`, a million and 100,000 by default.

One finished and one waiting run are made by the server itself; their rows are copied by SQL. Printed are the time from
the start to the first healthy answer, memory, and how long requests take beside the same on a store with few runs, but
as many as a page shows. Then all runs that wait are answered, and all complete: in how long, with how much memory.
"""

import concurrent.futures
import http.client
import json
import pathlib
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

from copy_runs import copy

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = ROOT / "target/release/wf-host"
GUESTS = [ROOT / f"target/guests/rust/{name}.wasm" for name in ("greeting", "hitl", "waiter")]
ROUNDS = 30
# A page shows fifty: in the small store, too.
FEW = 100
# Who answer runs that wait, at once.
CLIENTS = 16
FINISHED = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
WAITING = int(sys.argv[2]) if len(sys.argv) > 2 else 100_000


LOCAL = threading.local()


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

    def answer(self, handler):
        """Answers a run that waits, over the thread's own connection."""
        if not hasattr(LOCAL, "connection"):
            LOCAL.connection = http.client.HTTPConnection(self.url.split("//")[1])
        event = {"event": {"type": "ResponseEvent", "value": {"response": "Ada"}}}
        headers = {"content-type": "application/json"}
        LOCAL.connection.request("POST", f"/events/{handler}", body=json.dumps(event), headers=headers)
        answer = LOCAL.connection.getresponse()
        text = answer.read()
        assert answer.status == 200, (handler, answer.status, text)

    def memory(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return {line.split(":")[0]: int(line.split()[1]) // 1024 for line in status.splitlines() if line.startswith(("VmRSS", "VmHWM"))}

    def stop(self):
        self.process.terminate()
        self.process.wait()


def seeded(data):
    """A store with one run of each kind."""
    server = Server(data)
    begin(server, "/workflows/greeting/run", {"handler_id": "finished", "start_event": {"name": "Ada"}})
    begin(server, "/workflows/hitl/run-nowait", {"handler_id": "waiting"})
    while not waits(server):
        time.sleep(0.05)
    server.stop()


def begin(server, path, body):
    """A file that takes long to compile may still be loading."""
    while (status := server.ask(path, body)[0]) == 503:
        time.sleep(0.1)
    assert status == 200, (path, status)


def waits(server):
    """Whether its question is asked: then it only waits."""
    runs = json.loads(server.ask("/api/v1/runs")[1])["runs"]
    run = next(run["run_id"] for run in runs if run["handler_id"] == "waiting")
    return b"RequestEvent" in server.ask(f"/api/v1/runs/{run}/history")[1]


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


def answered(server):
    """Answers all runs that wait, and waits until all are over."""
    began = time.monotonic()
    # As `copy` names them.
    handlers = ["waiting"] + [f"w{number:09}" for number in range(WAITING)]
    with concurrent.futures.ThreadPoolExecutor(CLIENTS) as clients:
        for _ in clients.map(server.answer, handlers):
            pass
    accepted = time.monotonic() - began
    while json.loads(server.ask("/handlers?workflow_name=hitl&status=running&limit=1")[1])["handlers"]:
        time.sleep(0.05)
    spent = time.monotonic() - began
    over = json.loads(server.ask("/handlers?workflow_name=hitl&status=completed")[1])["handlers"]
    assert len(over) == len(handlers), f"{len(over)} of {len(handlers)} are complete"
    assert all(it["result"]["value"] == {"output": "Hello, Ada"} for it in over), "each with its answer"
    memory = server.memory()
    print(f"answered: {len(over):,} runs accepted in {accepted:.1f} s, all complete after {spent:.1f} s ({len(over) / spent:,.0f} a second),")
    print(f"          {memory['VmRSS']} MiB, at most {memory['VmHWM']} MiB, with a list of all of them")


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
        small = sqlite3.connect(few / "wf-host.db")
        copy(small, "finished", FEW)
        small.close()
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
        database.close()
        server = Server(many)
        print(f"again: healthy after {server.healthy:.2f} s, {server.memory()['VmRSS']} MiB")
        answered(server)
        server.stop()


main()
