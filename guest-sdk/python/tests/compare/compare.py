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
import textwrap
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
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
#: Programs that the originals' own packages bring, as the first one in Python in what they say of themselves.
READMES = {"readme_workflows": "llama-index-workflows", "readme_server": "llama-agents-server"}
#: What the original is made of, and no file has a use for.
INSIDE = (
    "CatchErrorHandler", "SerializableEvent", "StepFunction", "StepSignatureSpec", "WorkflowGenericNode", "WorkflowResourceConfigNode",
    "WorkflowResourceNode", "make_step_function", "validate_step_signature",
)  # fmt: skip
#: What follows from the clock, or from where a file lies.
VARIES = ("elapsed_seconds", "failed_at", "traceback")


def program(original: str, stem: str) -> Path:
    """The file of a program: one of ours, or of the original's own, byte for byte."""
    if stem not in READMES:
        return PROGRAMS / f"{stem}.py"
    ask = f"import importlib.metadata as it; print(it.metadata({READMES[stem]!r}).get_payload())"
    said = subprocess.run([original, "-c", ask], capture_output=True, check=True, text=True).stdout
    file = BUILT / "readmes" / f"{stem}.py"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(said.partition("```python\n")[2].partition("```")[0], encoding="utf-8")
    return file


def build(host: str, program: Path) -> Path:
    """A folder with the components of a file; built once by the same `wf-host` of the same bytes."""
    binary = os.stat(host)
    # With what lies beside it for it alone.
    files = sorted(program.parent.glob(f"{program.stem[:4]}*")) if program.parent == PROGRAMS else [program]
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
    told = [f"{it['type']} {json.dumps(it['value'], ensure_ascii=False)}" for it in seen["stream"]]
    ended = seen["ended"]
    return " · ".join([*told, *([f"{ended['status']}: {ended['error']}"] if ended["status"] != "completed" else [])])


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


def names(original: str) -> int:
    """How many of the original's public names cannot be imported here, from where they are there."""
    named = json.loads(subprocess.run([original, str(HERE / "names.py")], capture_output=True, check=True, text=True).stdout)
    lines = [f"from {module} import {name}" for module, of in named.items() for name in of if name not in INSIDE]
    tried = "import sys\nfor line in sys.stdin:\n    try: exec(line)\n    except ImportError as error: print(line.strip())"
    package = {**os.environ, "PYTHONPATH": str(SDK / "src")}
    lacking = subprocess.run([sys.executable, "-P", "-c", tried], input="\n".join(lines), env=package, capture_output=True, check=True, text=True).stdout
    print(f"{len(lines)} names of the original, of which cannot be imported: {lacking or 'none'}")
    return lacking.count("\n")


def examples(original: str) -> int:
    """How many of the examples in the original's docstrings come to another end here."""
    runs = [[original, str(HERE / "examples.py")], [sys.executable, "-P", str(HERE / "examples.py")]]
    where = subprocess.run([original, "-c", "import workflows; print(workflows.__path__[0])"], capture_output=True, check=True, text=True).stdout.strip()
    texts = [it.read_text(encoding="utf-8") for it in sorted(Path(where).rglob("*.py"))]
    found = [textwrap.dedent(it) for text in texts for it in re.findall(r"^[ \t]*```python\n(.*?)^[ \t]*```", text, re.MULTILINE | re.DOTALL)]
    package = {**os.environ, "PYTHONPATH": str(SDK / "src")}
    theirs, own = (json.loads(subprocess.run(it, input=json.dumps(found), env=env, capture_output=True, check=True, text=True).stdout) for it, env in zip(runs, (os.environ, package)))
    different = [it for it in zip(found, theirs, own) if it[1] != it[2]]
    for text, there, here in different:
        print(f"DIFFERENT: {text}  the original: {there}\n  wf-host:      {here}")
    print(f"{len(found)} examples of the original's docstrings, {theirs.count('')} of which run alone: {len(different)} differ")
    return len(different)


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
    programs = [program(original, stem) for stem in sorted({it["program"] for it in scenarios})]
    failed, seen, wrong = names(original) + examples(original), {}, []
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as both:
        # Most of a scenario is waiting.
        beside = both.enter_context(ThreadPoolExecutor(4))
        built = zip(programs, beside.map(lambda it: build(host, it), programs))
        # What the originals' own are called others are called, too.
        components = [f"{file.stem}={it}" if file.stem in READMES else str(it) for file, place in built for it in sorted(place.glob("*.wasm"))]
        one, other = free(), free()
        theirs = both.enter_context(served([original, str(HERE / "original.py"), str(one), *map(str, programs)], one, PROGRAMS))
        own = both.enter_context(served([host, "serve", "--strict", "--port", str(other), *components], other, folder))

        def seen_of(scenario: dict[str, Any]) -> list[tuple[dict[str, Any], str]]:
            """What clients see of it on both, each with its run's id."""
            return [(client(original, scenario, it), "") if "client" in scenario else it.play(scenario) for it in (theirs, own)]

        for scenario, ((expected, _), (got, run)) in zip(scenarios, beside.map(seen_of, scenarios)):
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
                wrong.append(f"{key(scenario)}\n  the original: {json.dumps(expected)}\n  wf-host:      {json.dumps(got)}")
    # Last, where they are seen.
    print(f"{len(scenarios)} scenarios, of which {len(wrong)} are not as they should be", *wrong, sep="\n")
    if given.write:
        table.write(seen)
    elif not given.only:
        failed += table.check(seen)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
