#!/usr/bin/env python3
"""Measures wf-host beside the original servers and beside the floors, in one run: bench.py [SCENARIO…]

Rounds of all servers alternate; printed are medians with their spread, and ratios. `SHORT=1` measures next to
nothing: it shows that everything runs. wrk makes the load; the floors are `floors` (host/examples/floors.rs).
"""

import atexit
import functools
import json
import os
import pathlib
import re
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

from copy_runs import copy

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = pathlib.Path(__file__).resolve().parent
HOST = ROOT / "target/release/wf-host"
GUESTS = ROOT / "target/guests/rust"
# By their names, and the folders of their components.
LANGUAGES = {"rust": "rust", "python": "python", "typescript": "js", "go": "go", "c": "c"}
# What a language is held to, by the heads of the columns: shown beside its figures.
GOALS = {("python", "CPU µs"): 1500, ("python", "CPU beside the best original"): 1, ("python", "save to served, s"): 3, ("typescript", "CPU µs"): 1000, ("typescript", "save to served, s"): 2}
# Where tools are, and what is compiled is kept: large components take long.
os.environ.setdefault("WF_HOST_CACHE_DIR", str(ROOT / "target/tools/cache"))
SHORT = bool(os.environ.get("SHORT"))
ROUNDS = 1 if SHORT else 5
SECONDS = 1 if SHORT else 4
# Who takes so many seconds is asked once, and waited for as long as that.
SLOW, PATIENCE = 10, 60
# In bytes.
LARGE = 10_000 if SHORT else 1_000_000
TICK = os.sysconf("SC_CLK_TCK")
ORIGINALS = ("python-old", "python-new")
WORKFLOWS = ("greeting", "hitl", "chain", "spread")


class Server:
    """One that is measured: `name` tells it apart in tables."""

    def __init__(self, name, command, environment=None):
        self.name, self.began = name, time.monotonic()
        self.log = tempfile.TemporaryFile()
        self.process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=self.log, text=True)
        # However this ends.
        atexit.register(self.process.kill)
        line = next((line for line in self.process.stdout if "listening on" in line), None)
        if line is None:
            self.log.seek(0)
            sys.exit(f"error: `{name}` does not start: {self.log.read().decode()}")
        self.url = line.split()[-1].replace("localhost", "127.0.0.1")
        self.port = int(self.url.rsplit(":", 1)[1])

    def ask(self, path, body=None, timeout=600):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=data, headers={"content-type": "application/json"})
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            return answer.read()

    def healthy(self):
        """Seconds from its start to the first healthy answer."""
        while True:
            try:
                self.ask("/health")
                return time.monotonic() - self.began
            except OSError:
                time.sleep(0.002)

    def cpu(self):
        """Seconds of CPU that it has used."""
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(") ", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def memory(self):
        """Resident, in KiB."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1])

    def stop(self):
        self.process.terminate()
        self.process.wait()


def ours(folder, *options, files=None, name="wf-host", environment=None):
    files = files or [GUESTS / f"{name}.wasm" for name in WORKFLOWS]
    command = [HOST, "serve", "--host", "127.0.0.1", "--port", "0", "--data-dir", folder, *options, *files]
    return Server(name, command, {**os.environ, **(environment or {})})


def greeting_in(language):
    """The component of a greeting in a language."""
    return ROOT / f"target/guests/{LANGUAGES[language]}/greeting.wasm"


def original(generation, store):
    python = ROOT / f"target/clients/{generation}/bin/python"
    where = "memory" if store == "memory" else "SQLite"
    return Server(f"{generation.removeprefix('python-')} original, {where}", [python, HERE / "originals.py", store])


def floors(*arguments):
    return [ROOT / "target/release/examples/floors", *arguments]


def load(server, path, body, connections, seconds=SECONDS):
    """A closed loop: requests a second, p50 and p99 in milliseconds, µs of the server's CPU for a request."""
    before = server.cpu()
    with tempfile.NamedTemporaryFile("w") as file:
        json.dump(body, file)
        file.flush()
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s", "-s", HERE / "post.lua", server.url + path]
        done = subprocess.run(command, env={**os.environ, "BODY": file.name}, capture_output=True, text=True, check=True)
    result = json.loads(done.stdout.splitlines()[-1])
    if result["errors"]:
        sys.exit(f"error: {server.name}: {result['errors']} answers to POST {path} were errors")
    result["cpu"] = (server.cpu() - before) * 1e6 / max(result["requests"], 1)
    return result


def median(rounds, key):
    values = [it[key] for it in rounds]
    return statistics.median(values), (max(values) - min(values)) / 2


def table(title, rows, head):
    print(f"\n### {title}\n")
    print("| " + " | ".join(head) + " |\n|" + "---|" * len(head))
    for row in rows:
        print("| " + " | ".join(row) + " |", flush=True)


def figure(value, spread=None, digits=0):
    text = f"{value:,.{digits}f}"
    return text if spread is None else f"{text} ± {spread:,.{digits}f}"


def held(language, head, value, digits=0):
    """A figure, and beside it the goal that the language has there."""
    goal = GOALS.get((language, head))
    if goal is None:
        return figure(value, digits=digits)
    return f"{figure(value, digits=digits)} (goal: under {figure(goal)}, {'kept' if value < goal else 'MISSED'})"


def beside(servers, path, body, connections):
    """Rounds that alternate between servers: the figures of each."""
    for server in servers:
        load(server, path, body, min(connections, 8), 1)
    rounds = {server.name: [] for server in servers}
    for _ in range(ROUNDS):
        for server in servers:
            rounds[server.name].append(load(server, path, body, connections))
    return rounds


def rates(title, servers, path, body, connections, parts):
    rounds = beside(servers, path, body, connections)
    own, _ = median(rounds["wf-host"], "rate")
    rows = []
    for name, figures in rounds.items():
        rate, spread = median(figures, "rate")
        cpu, _ = median(figures, "cpu")
        p50, p99 = median(figures, "p50")[0], median(figures, "p99")[0]
        times = f"{cpu / parts:.1f}×" if name == "wf-host" and parts else ""
        if not rate:
            rows.append([name, "none", "", "", "", "", ""])
            continue
        rows.append([name, figure(rate, spread), f"{own / rate:.1f}×", figure(p50, digits=2), figure(p99 / p50, digits=1), figure(cpu), times])
    table(f"{title}, {connections} connections", rows, ["server", "a second", "wf-host is", "p50 ms", "p99/p50", "CPU µs", "of its parts"])


def everybody(folder):
    """Ours, and both originals in memory and on SQLite."""
    servers = [ours(folder / "ours")]
    for generation in ORIGINALS:
        servers += [original(generation, "memory"), original(generation, str(folder / f"{generation}.db"))]
    return servers


@functools.cache
def parts():
    """The floors, as µs of CPU: a call of a fresh instance, and a commit of a greeting's bytes in a group, both with a large
    event too, and loading what is compiled; and the µs that a commit alone takes."""
    return json.loads(subprocess.run(floors("parts", str(LARGE)), capture_output=True, text=True, check=True).stdout)


@functools.cache
def warp_floor(connections):
    """A bare warp endpoint with the answer of a greeting, under the same load."""
    server = Server("bare warp", floors("warp"))
    rounds = [load(server, "/workflows/greeting/run", {"start_event": {"name": "Ada"}}, connections) for _ in range(ROUNDS)]
    server.stop()
    return rounds


def of_parts(cpu, calls, commits):
    """The CPU of a request as a multiple of a bare one, so many calls and so many commits."""
    bare, _ = median(warp_floor(64), "cpu")
    return f"{cpu / (bare + calls * parts()['call'] + commits * parts()['commit']):.1f}×"


def greeting(folder):
    part, warp, alone = parts(), warp_floor(64), warp_floor(1)
    bare, _ = median(warp, "cpu")
    print(f"floors, µs of CPU: bare warp {bare:.0f}, instantiate and call {part['call']:.0f}, grouped commit {part['commit']:.0f}", end="; ")
    print(f"bare warp's p99/p50 at 64 connections: {median(warp, 'p99')[0] / median(warp, 'p50')[0]:.1f}")
    servers = everybody(folder)
    for connections in (64,) if SHORT else (1, 8, 64, 256):
        body = {"start_event": {"name": "Ada"}}
        rates("greeting", servers, "/workflows/greeting/run", body, connections, bare + part["call"] + part["commit"])
    chain = "/workflows/chain/run", {"start_event": {"text": "abc"}}
    for connections in (64,) if SHORT else (1, 64):
        rates("a chain of three steps", servers, *chain, connections, bare + 3 * part["call"] + part["commit"])
    took, _ = median([load(servers[0], *chain, 1) for _ in range(ROUNDS)], "p50")
    answered, _ = median(alone, "p50")
    least = answered + (part["alone"] + 3 * part["call"]) / 1000
    row = [figure(took, digits=2), figure(part["alone"] / 1000, digits=2), figure(answered, digits=2), figure(3 * part["call"] / 1000, digits=2), f"{took / least:.1f}×"]
    table("three durable steps, one connection", [row], ["median, ms", "a commit, ms", "bare warp, ms", "three calls, ms", "of the three"])
    for server in servers:
        server.stop()


def spread(folder):
    servers, slow = everybody(folder), {}
    for n in (10,) if SHORT else (100, 10_000):
        rows, own = [], None
        for server in servers:
            # Who took seconds for a hundredth of it is not waited for.
            if n > 100 and slow.get(server.name, 0) > 1:
                rows.append([server.name, "not asked", "", "", ""])
                continue
            times, before = [], server.cpu()
            try:
                for _ in range(ROUNDS if n <= 100 else 1):
                    began = time.monotonic()
                    server.ask("/workflows/spread/run", {"start_event": {"n": n}}, timeout=PATIENCE)
                    times.append(time.monotonic() - began)
                    if times[-1] > SLOW:
                        break
            except TimeoutError:
                rows.append([server.name, f"more than {PATIENCE * 1000:,}", "", "", ""])
                continue
            took, cpu = statistics.median(times), (server.cpu() - before) * 1e6 / len(times)
            own, slow[server.name] = own or took, took
            # A step that spreads, as many that work, and as often one that gathers; each end of a step is stored.
            share = of_parts(cpu, 2 * n + 1, 2 * n + 1) if server.name == "wf-host" else ""
            rows.append([server.name, figure(took * 1000, digits=1), f"{took / own:.1f}×", figure(cpu / 1000, digits=1), share])
        table(f"fan-out of {n:,}", rows, ["server", "ms", "wf-host is faster by", "CPU ms", "of its parts"])
    for server in servers:
        server.stop()


def events(folder):
    """What an event costs, in runs of few and of very many."""
    server, row, head = ours(folder / "events"), [], []
    server.healthy()
    server.ask("/workflows/spread/run", {"start_event": {"n": 10}})
    # A step sends no more than the last.
    for n in (10, 100) if SHORT else (10, 100, 1_000, 10_000):
        runs = max(1, min(100, 2_000 // n))
        before = server.cpu()
        for _ in range(runs):
            server.ask("/workflows/spread/run", {"start_event": {"n": n}})
        # One that works, and one that gathers.
        row.append((server.cpu() - before) * 1e6 / (runs * 2 * n))
        head.append(f"{n:,}")
    server.stop()
    table("CPU µs of an event, in a run that fans out to so many", [[*(figure(it, digits=1) for it in row), f"{row[-1] / row[0]:.2f}×"]], [*head, "last to first"])


def each(server, paths, body, connections=64):
    """POSTs to each path once: seconds that it took, and the handlers that were answered."""
    with tempfile.TemporaryDirectory() as folder:
        asked, answers = pathlib.Path(folder, "paths"), pathlib.Path(folder, "answers")
        asked.write_text("\n".join(paths))
        environment = {**os.environ, "BODY": json.dumps(body), "PATHS": str(asked), "ANSWERS": str(answers)}
        command = ["wrk", "-t1", f"-c{min(connections, len(paths))}", "-d600s", "--timeout", "60s", "-s", HERE / "each.lua", server.url]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        if not answers.exists():
            sys.exit(f"error: {server.name}: not all of {len(paths):,} answers came: {done.stdout}")
        took, errors, *handlers = answers.read_text().split("\n")
    if int(errors):
        sys.exit(f"error: {server.name}: {errors} answers to POST {paths[0]} were errors")
    return float(took), handlers


def parked(folder):
    counts = (100, 200) if SHORT else (10_000, 100_000)
    rows, own = [], None
    for start in (lambda: ours(folder / "parked"), *(lambda it=it: original(it, "memory") for it in ORIGINALS)):
        server = start()
        server.healthy()
        each(server, ["/workflows/hitl/run-nowait"] * 100, {}, 8)
        time.sleep(0 if SHORT else 3)
        base, most = server.memory(), counts[1] if server.name == "wf-host" else counts[0]
        took, handlers = each(server, ["/workflows/hitl/run-nowait"] * most, {})
        starts = most / took
        # What is freed goes back to the system within ten seconds.
        time.sleep(0 if SHORT else 20)
        slope = (server.memory() - base) / most
        answered = handlers[: counts[0]]
        event = {"event": {"type": "ResponseEvent", "value": {"response": "Ada"}}}
        before, begun = server.cpu(), time.monotonic()
        each(server, [f"/events/{handler}" for handler in answered], event)
        while running := [handler for handler in answered[-64:] if json.loads(server.ask(f"/handlers/{handler}"))["status"] == "running"]:
            answered = running
        resumes = counts[0] / (time.monotonic() - begun)
        own = own or (starts, resumes)
        cpu = (server.cpu() - before) * 1e6 / counts[0]
        # It is taken, told, and ended.
        share = of_parts(cpu, 1, 3) if server.name == "wf-host" else ""
        rows.append([server.name, f"{most:,}", figure(starts), f"{own[0] / starts:.1f}×", figure(resumes), f"{own[1] / resumes:.1f}×", figure(cpu), share, figure(slope, digits=2)])
        server.stop()
    table("runs that wait for a person", rows, ["server", "waiting", "starts/s", "wf-host is", "resumes/s", "wf-host is", "CPU µs a resume", "of its parts", "KiB each"])


def readers(folder):
    """One run whose frames many readers see: when the last of them has its last one, beside a bare warp with one frame for
    each of them."""
    count = 50 if SHORT else 1000
    servers = [ours(folder / "readers", files=[GUESTS / "greeting.wasm"]), Server("bare warp", floors("warp"))]
    servers[0].healthy()
    rounds = {server.name: [] for server in servers}
    for _ in range(ROUNDS):
        for server in servers:
            path = "/events/any"
            if server.name == "wf-host":
                # Until its last frame all of them have come.
                handler = json.loads(server.ask("/workflows/greeting/run-nowait", {"start_event": {"delay": 1}}))["handler_id"]
                path = f"/events/{handler}?sse=false&include_internal=false"
            before = server.cpu()
            command = floors("readers", f"127.0.0.1:{server.port}", path, str(count))
            late = float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
            rounds[server.name].append({"late": late, "cpu": (server.cpu() - before) * 1e6 / count})
    rows, (bare, _) = [], median(rounds["bare warp"], "cpu")
    for server in servers:
        server.stop()
        cpu, _ = median(rounds[server.name], "cpu")
        rows.append([server.name, figure(*median(rounds[server.name], "late"), digits=1), figure(cpu), f"{cpu / max(bare, 1):.1f}×"])
    table(f"one frame to {count:,} readers", rows, ["server", "ms from the first reader to the last", "CPU µs a reader", "of bare warp"])


def many(folder):
    """Lists and fetches with many finished runs, beside few."""
    seed = folder / "seed"
    server = ours(seed)
    server.healthy()
    server.ask("/workflows/greeting/run", {"handler_id": "finished"})
    server.stop()
    counts, rows = ((100, 1000) if SHORT else (1_000, 10_000, 100_000, 1_000_000)), {}
    for count in counts:
        data = folder / str(count)
        shutil.copytree(seed, data)
        database = sqlite3.connect(data / "wf-host.db")
        copy(database, "finished", count)
        database.close()
        server = ours(data)
        server.healthy()
        for path in ("/handlers?limit=10", "/handlers/finished", "/api/v1/runs?limit=50"):
            times = []
            for _ in range(20):
                began = time.monotonic()
                server.ask(path)
                times.append(time.monotonic() - began)
            rows.setdefault(f"GET {path}", []).append(statistics.median(times) * 1000)
        rounds = [load(server, "/workflows/greeting/run", {}, 64) for _ in range(ROUNDS)]
        rows.setdefault("greeting, CPU µs", []).append(median(rounds, "cpu")[0])
        server.stop()
    times = [of_parts(cpu, 1, 1) for cpu in rows["greeting, CPU µs"]]
    rows = [[name, *(figure(it, digits=2) for it in figures), f"{figures[-1] / figures[0]:.2f}×"] for name, figures in rows.items()]
    rows.append(["the same, of its parts", *times, ""])
    table("beside so many finished runs", rows, ["ms", *(f"{count:,}" for count in counts), "last to first"])


def threads(folder):
    """The CPU of a run with one thread that answers requests, and with two."""
    rows = []
    for count in (1, 2):
        server = ours(folder / str(count), environment={"TOKIO_WORKER_THREADS": str(count)})
        load(server, "/workflows/greeting/run", {}, 8, 1)
        rows.append([load(server, "/workflows/greeting/run", {}, 64) for _ in range(ROUNDS)])
        server.stop()
    (one, _), (two, _) = (median(rounds, "cpu") for rounds in rows)
    rates = [figure(*median(rounds, "rate")) for rounds in rows]
    rows = [["1", rates[0], figure(one), "", of_parts(one, 1, 1)], ["2", rates[1], figure(two), f"{two / one:.2f}×", of_parts(two, 1, 1)]]
    table("threads that answer requests, 64 connections", rows, ["threads", "a second", "CPU µs", "of one", "of its parts"])


def start(folder):
    """Start with 20 workflows whose compiled code is cached."""
    copies = folder / "twenty"
    copies.mkdir()
    files = []
    for number in range(20):
        shutil.copy(GUESTS / "greeting.wasm", copies / f"w{number}.wasm")
        files.append(f"w{number}={copies / f'w{number}.wasm'}")
    times = []
    for number in range(ROUNDS + 1):
        server = ours(folder / f"start{number}", files=files)
        times.append(server.healthy() * 1000)
        server.stop()
    table("start with 20 cached workflows", [["wf-host", figure(statistics.median(times[1:]))]], ["server", "ms to healthy"])


def large(folder):
    servers, path = everybody(folder), "/workflows/chain/run"
    body = {"start_event": {"text": "x" * LARGE}}
    bare = Server("bare warp", floors("warp"))
    taken, _ = median([load(bare, path, body, 4) for _ in range(ROUNDS)], "cpu")
    # What each of the three steps takes is stored.
    least = taken + 3 * (parts()["call_large"] + parts()["commit_large"])
    print(f"floors, µs of CPU: bare warp with its body {taken:.0f}, a step {parts()['call_large']:.0f}, a commit of an event {parts()['commit_large']:.0f}")
    rates(f"{LARGE:,} bytes through three steps", servers, path, body, 4, least)
    for server in [bare, *servers]:
        server.stop()


def reload(folder):
    """A workflow's file is written again and again under load: no error, and what it costs."""
    file = folder / "again.wasm"
    shutil.copy(GUESTS / "greeting.wasm", file)
    server = ours(folder / "reload", files=[f"greeting={file}"])
    server.healthy()
    quiet, before = load(server, "/workflows/greeting/run", {}, 16), server.cpu()
    body = folder / "body"
    body.write_text("{}")
    command = ["wrk", "-t1", "-c16", f"-d{SECONDS}s", "-s", HERE / "post.lua", server.url + "/workflows/greeting/run"]
    running = subprocess.Popen(command, env={**os.environ, "BODY": str(body)}, stdout=subprocess.PIPE, text=True)
    reloads = 0
    while running.poll() is None:
        shutil.copy(GUESTS / ("chain.wasm" if reloads % 2 else "greeting.wasm"), folder / "next.wasm")
        os.replace(folder / "next.wasm", file)
        reloads += 1
        time.sleep(0.5)
    loaded = json.loads(running.stdout.read().splitlines()[-1])
    used = (server.cpu() - before) * 1e6
    server.stop()
    # What a reload costs beyond the requests.
    cost = max(used - loaded["requests"] * quiet["cpu"], 0) / reloads
    rows = [
        ["without", figure(quiet["rate"]), figure(quiet["p99"], digits=1), "0", figure(quiet["cpu"]), of_parts(quiet["cpu"], 1, 1), "", ""],
        [f"{reloads} reloads", figure(loaded["rate"]), figure(loaded["p99"], digits=1), figure(loaded["errors"]), "", "", figure(cost / 1000, digits=1), f"{cost / parts()['load']:.1f}×"],
    ]
    table("reload under load, 16 connections", rows, ["", "a second", "p99 ms", "errors", "CPU µs a run", "of its parts", "CPU ms a reload", "of loading what is compiled"])


# A file that says hello, and what it is saved as: its workflow has that name.
EDITED = {"Python": ("examples/python/greeting.py", "my_server.py"), "TypeScript": ("guest-sdk/js/conformance/greeting.ts", "greeting.ts")}


def edit(folder):
    """A file is saved under `wf-host dev`: how long until a run answers with what was saved."""
    # The first one may compile what all have in common.
    rows = [[language, figure(*median(edited(folder, *of)[1:], "seconds"), digits=2)] for language, of in EDITED.items()]
    table("edit: from a save to the first answer", rows, ["language", "seconds"])


def edited(folder, source, name):
    """One save after the other."""
    file = folder / name / name
    file.parent.mkdir()
    text = (ROOT / source).read_text()
    file.write_text(text)
    command = [HOST, "dev", file, "--host", "127.0.0.1", "--port", "0", "--data-dir", folder / f"data of {name}"]
    server = Server(f"wf-host dev {name}", command)

    def said():
        try:
            return json.loads(server.ask(f"/workflows/{file.stem}/run", {"start_event": {"name": "Ada"}}))["result"]["value"]["result"]
        except OSError:
            return ""

    while said() != "Hello, Ada!":
        time.sleep(0.05)
    took = []
    for number in range(1 + ROUNDS):
        file.write_text(text.replace("Hello", f"Hello {number}"))
        saved = time.monotonic()
        while said() != f"Hello {number}, Ada!":
            time.sleep(0.01)
        took.append({"seconds": time.monotonic() - saved})
    server.stop()
    return took


def languages(folder):
    """The same greeting in each language, and Python's on the originals, which keep it in memory."""
    servers = [ours(folder / language, files=[greeting_in(language)], name=language) for language in LANGUAGES]
    for server in servers:
        server.healthy()
    servers += [original(generation, "memory") for generation in ORIGINALS]
    for connections in (1, 64):
        rows, seen = [], beside(servers, "/workflows/greeting/run", {"start_event": {"name": "Ada"}}, connections)
        best = min(median(seen[server.name], "cpu")[0] for server in servers[len(LANGUAGES) :])
        for name, rounds in seen.items():
            rate, spread = median(rounds, "rate")
            p50, p99, cpu = (median(rounds, key)[0] for key in ("p50", "p99", "cpu"))
            rows.append([name, figure(rate, spread), figure(p50, digits=2), figure(p99 / p50, digits=1), held(name, "CPU µs", cpu), held(name, "CPU beside the best original", cpu / best, 2)])
        table(f"a greeting in each language, {connections} connections", rows, ["language", "a second", "p50 ms", "p99/p50", "CPU µs", "CPU beside the best original"])
    for server in servers:
        server.stop()


SCENARIOS = {it.__name__: it for it in (greeting, spread, events, parked, readers, many, threads, start, large, reload, edit, languages)}


def machine():
    """What this machine is."""
    model = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())[1]
    return f"{os.cpu_count()} cores of {model}; {ROUNDS} rounds of {SECONDS} s"


def main():
    wanted = sys.argv[1:] or list(SCENARIOS)
    unknown = [name for name in wanted if name not in SCENARIOS]
    if unknown:
        sys.exit(f"error: there is no scenario `{unknown[0]}`\nhint: there are {', '.join(SCENARIOS)}")
    if shutil.which("wrk") is None:
        sys.exit("error: wrk is not installed\nhint: as root, apt-get install wrk")
    print(machine())
    for name in wanted:
        with tempfile.TemporaryDirectory(dir=ROOT / "target") as folder:
            SCENARIOS[name](pathlib.Path(folder))


if __name__ == "__main__":
    main()
