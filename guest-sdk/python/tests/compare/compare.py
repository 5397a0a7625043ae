"""Serves the same files with the original server and with wf-host, and compares what clients see, event by event.

`compare.py --host WF_HOST --original PYTHON [--only PROGRAM] [--write]`

`--original`: the Python of the environment with LlamaIndex's own packages (tests/clients/setup.sh).
`--write` writes the streams into CONTRACT.md. No file is edited to pass: both run the same bytes.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import hashlib
import http.client
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

import table

HERE = Path(__file__).resolve().parent
SDK = HERE.parent.parent
ROOT = SDK.parent.parent
PROGRAMS = HERE.parent / "programs"
MIGRATION = SDK / "MIGRATION.md"
BUILT = ROOT / "target" / "python-compare"
#: What follows from the clock, or from where a file lies.
VARIES = ("elapsed_seconds", "failed_at", "traceback")


def build(host: str, program: Path) -> Path:
    """A folder with the components of a file; built once by the same `wf-host` of the same bytes."""
    binary = os.stat(host)
    # With what lies beside it for it alone.
    files = sorted(program.parent.glob(f"{program.stem[:4]}*"))
    made_of = hashlib.sha256(b"".join(it.read_bytes() for it in files) + f"{binary.st_size} {binary.st_mtime_ns}".encode())
    out = BUILT / f"{program.stem}-{made_of.hexdigest()[:16]}"
    if out.exists():
        return out
    for old in BUILT.glob(f"{program.stem}-*"):
        shutil.rmtree(old)
    with tempfile.TemporaryDirectory() as work:
        for file in files:
            shutil.copy(file, work)
        done = subprocess.run([host, "build", program.name], cwd=work, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"`{program.name}` is not built: {done.stdout[-2000:]}{done.stderr[-4000:]}")
        BUILT.mkdir(parents=True, exist_ok=True)
        shutil.copytree(work, out)
    return out


def free() -> int:
    """A port that nobody listens at."""
    with socket.socket() as it:
        it.bind(("127.0.0.1", 0))
        return it.getsockname()[1]


@contextlib.contextmanager
def served(command: list[str], port: int, folder: Path | str) -> Iterator[Server]:
    """A server, once it is healthy, until it is killed."""
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
        try:
            server, until = Server(port), time.monotonic() + 120
            while not server.is_healthy():
                if process.poll() is not None or time.monotonic() > until:
                    log.seek(0)
                    raise SystemExit(f"{command[0]} does not serve: {log.read()[-4000:]}")
                time.sleep(0.05)
            yield server
        finally:
            process.kill()
            process.wait()


@dataclasses.dataclass
class Server:
    """The API that both have."""

    port: int

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        asking = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        asking.request(method, path, None if body is None else json.dumps(body))
        answer = asking.getresponse()
        return json.loads(answer.read())

    def is_healthy(self) -> bool:
        with contextlib.suppress(OSError):
            return self.ask("GET", "/health") == {"status": "healthy"}
        return False

    def frames(self, handler: str, internal: bool) -> Iterator[Any]:
        reading = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        reading.request("GET", f"/events/{handler}?sse=false&after_sequence=-1&include_internal={str(internal).lower()}")
        for line in reading.getresponse():
            yield json.loads(line)

    def log(self, run: str) -> list[str]:
        """What a run's steps have written."""
        return [f"{it['level']}: {it['message']}" for it in self.ask("GET", f"/api/v1/runs/{run}/logs")["logs"]]

    def play(self, scenario: dict[str, Any]) -> tuple[dict[str, Any], str]:
        """What a client sees of a run: its stream, and what became of it; and the run's id."""
        name = scenario.get("workflow", scenario["program"])
        if "path" in scenario:
            return {"answer": likened(self.ask("GET", scenario["path"]))}, ""
        begun = self.ask("POST", f"/workflows/{name}/run-nowait", {"start_event": scenario["event"]})
        if "handler_id" not in begun:
            return {"refused": begun}, ""
        handler, answers, stream = begun["handler_id"], list(scenario.get("answers", [])), []
        for frame in self.frames(handler, scenario.get("internal", False)):
            stream.append(steady(frame))
            if answers and "InputRequiredEvent" in [frame["type"], *(frame["types"] or [])]:
                # The original loses what comes before it waits.
                time.sleep(0.1)
                sent = self.ask("POST", f"/events/{handler}", {"event": answers.pop(0)})
                if sent != {"status": "sent"}:
                    raise SystemExit(f"{name} does not take an answer: {sent}")
            if frame["type"] == scenario.get("cancel"):
                self.ask("POST", f"/handlers/{handler}/cancel")
        ended = self.ask("GET", f"/handlers/{handler}")
        if "again" in scenario:
            # The same handler goes on with the context that it has.
            ended = self.ask("POST", f"/workflows/{name}/run", {"start_event": scenario["again"], "handler_id": handler})
        return {"stream": stream, "ended": {name: steady(ended[name]) for name in ("status", "error", "result")}}, begun["run_id"]


def steady(value: Any) -> Any:
    """A value without what differs from run to run."""
    if isinstance(value, dict):
        return {key: steady(it) for key, it in value.items() if key not in VARIES}
    if isinstance(value, list):
        return [steady(it) for it in value]
    # Of the step that has ended, newer originals show Python's own words for the class.
    return re.sub(r"^<class '(?:.*\.)?(\w+)'>$", r"\1", value) if isinstance(value, str) else value


def likened(answer: Any) -> Any:
    """What a workflow has, whatever the order; without the texts of the originals' own classes."""
    if "workflows" in answer:
        return sorted(answer["workflows"])
    if "events" in answer:
        return sorted(it["title"] for it in answer["events"])
    if "graph" in answer:
        nodes, edges = answer["graph"]["nodes"], answer["graph"]["edges"]
        return {"nodes": sorted([it["node_type"], it["id"], it.get("event_types") or []] for it in nodes), "edges": sorted([it["source"], it["target"]] for it in edges)}
    return {side: {key: it for key, it in answer[side].items() if key != "description"} for side in ("start", "stop")}


def shown(seen: dict[str, Any]) -> str:
    if "stream" not in seen:
        return json.dumps(seen.get("answer", seen), ensure_ascii=False)
    return " · ".join(f"{it['type']} {json.dumps(it['value'], ensure_ascii=False)}" for it in seen["stream"])


def client(python: str, scenario: dict[str, Any], server: Server) -> dict[str, Any]:
    """What a client of the originals prints, with all that it asks of a server."""
    command = [python, f"{HERE}{scenario['client']}", f"http://127.0.0.1:{server.port}"]
    done = subprocess.run(command, input=scenario.get("input", ""), capture_output=True, text=True, timeout=120)
    if done.returncode:
        raise SystemExit(f"{scenario['client']} fails: {done.stdout[-2000:]}{done.stderr[-4000:]}")
    return {"answer": done.stdout.splitlines()}


def key(scenario: dict[str, Any]) -> str:
    """What CONTRACT.md calls it."""
    return f"{scenario['program']}/{scenario.get('workflow', scenario['program'])}{scenario.get('path', '')}{scenario.get('client', '')}"


def is_as_said(scenario: dict[str, Any], expected: dict[str, Any], got: dict[str, Any]) -> bool:
    """Whether they are the same, or differ where the page of differences says so."""
    differs = scenario.get("differs")
    if differs and f"| {differs} |" not in MIGRATION.read_text(encoding="utf-8"):
        print(f"MIGRATION.md has no row `{differs}`")
        return False
    return (expected == got) != bool(differs)


def main() -> int:
    arguments = argparse.ArgumentParser()
    for name in ("--host", "--original"):
        arguments.add_argument(name, required=True)
    arguments.add_argument("--only", default="")
    arguments.add_argument("--write", action="store_true")
    given = arguments.parse_args()
    # A virtual environment's Python is a link: what it links to is another environment.
    host, original = (str(Path(it).absolute()) for it in (given.host, given.original))
    scenarios = [it for it in json.loads((HERE / "scenarios.json").read_text(encoding="utf-8")) if given.only in it["program"]]
    programs = [PROGRAMS / f"{stem}.py" for stem in sorted({it["program"] for it in scenarios})]
    components = [str(it) for program in programs for it in sorted(build(host, program).glob("*.wasm"))]
    failed, seen = 0, {}
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as both:
        one, other = free(), free()
        theirs = both.enter_context(served([original, str(HERE / "original.py"), str(one), *map(str, programs)], one, PROGRAMS))
        own = both.enter_context(served([host, "serve", "--strict", "--port", str(other), *components], other, folder))
        for scenario in scenarios:
            if "client" in scenario:
                (expected, _), (got, run) = ((client(original, scenario, it), "") for it in (theirs, own))
            else:
                (expected, _), (got, run) = theirs.play(scenario), own.play(scenario)
            # What the page of differences says of it.
            got = json.loads(re.sub(scenario.get("adds") or "(?!)", "", json.dumps(got)))
            right = is_as_said(scenario, expected, got)
            if "log" in scenario and (logged := own.log(run)) != scenario["log"]:
                print(f"the log is {logged}, not {scenario['log']}")
                right = False
            failed += not right
            seen.setdefault(key(scenario), (shown(expected), shown(got)))
            said = "same" if expected == got else "differs, as MIGRATION.md says" if right else "DIFFERENT"
            print(f"{said}: {key(scenario)} {json.dumps(scenario.get('event', ''))}", flush=True)
            if not right:
                print(f"  the original: {json.dumps(expected)}\n  wf-host:      {json.dumps(got)}")
    if given.write:
        table.write(seen)
    elif not given.only:
        failed += table.check(seen)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
