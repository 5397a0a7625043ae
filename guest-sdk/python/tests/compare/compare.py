"""Runs the same scenarios on the original and on wf-host, and compares the streams event by event.

`compare.py --host WF_HOST --original PYTHON [--only PROGRAM] [--write]`

`--original`: the Python of the environment with LlamaIndex's own packages (tests/clients/setup.sh).
`--write` writes the streams into CONTRACT.md. No file is edited to pass: both run the same bytes.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

import table

HERE = Path(__file__).resolve().parent
SDK = HERE.parent.parent
ROOT = SDK.parent.parent
BUILT = ROOT / "target" / "python-compare"
#: What follows from the clock, or from where a file lies.
VARIES = ("elapsed_seconds", "failed_at", "traceback")


def build(host: str, program: Path) -> Path:
    """A folder with the components of a file; built once by the same `wf-host` of the same bytes."""
    binary = os.stat(host)
    made_of = hashlib.sha256(program.read_bytes() + f"{binary.st_size} {binary.st_mtime_ns}".encode())
    out = BUILT / f"{program.stem}-{made_of.hexdigest()[:16]}"
    if out.exists():
        return out
    for old in BUILT.glob(f"{program.stem}-*"):
        shutil.rmtree(old)
    with tempfile.TemporaryDirectory() as work:
        shutil.copy(program, work)
        done = subprocess.run([host, "build", program.name], cwd=work, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"`{program.name}` is not built: {done.stdout[-2000:]}{done.stderr[-4000:]}")
        BUILT.mkdir(parents=True, exist_ok=True)
        shutil.copytree(work, out)
    return out


def ours(host: str, component: Path, scenario: dict[str, Any]) -> list[dict[str, Any]]:
    answers = "".join(json.dumps(it) + "\n" for it in scenario.get("answers", []))
    with tempfile.TemporaryDirectory() as folder:
        command = [host, "run", str(component), "--event", json.dumps(scenario["event"])]
        run = subprocess.Popen(command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        # Its end would say that nobody will answer any more.
        run.stdin.write(answers)
        run.stdin.flush()
        out = run.stdout.read()
        error = run.stderr.read()
        run.stdin.close()
        run.wait()
    return lines(subprocess.CompletedProcess(command, run.returncode, out, error), "wf-host")


def originals(python: str, program: Path, workflow: str, scenario: dict[str, Any]) -> list[dict[str, Any]]:
    command = [python, str(HERE / "original.py"), str(program), workflow, json.dumps(scenario["event"]), json.dumps(scenario.get("answers", []))]
    return lines(subprocess.run(command, capture_output=True, text=True, timeout=120), "the original")


def lines(done: subprocess.CompletedProcess[str], who: str) -> list[dict[str, Any]]:
    found = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    if not found:
        raise SystemExit(f"{who} showed no event:\n{done.stdout[-2000:]}{done.stderr[-4000:]}")
    return [{"type": it["type"], "types": it.get("types"), "qualified_name": it["qualified_name"], "value": steady(it["value"])} for it in found]


def steady(value: Any) -> Any:
    """A value without what differs from run to run."""
    if isinstance(value, dict):
        return {key: steady(it) for key, it in value.items() if key not in VARIES}
    return [steady(it) for it in value] if isinstance(value, list) else value


def shown(stream: list[dict[str, Any]]) -> str:
    return " · ".join(f"{it['type']} {json.dumps(it['value'], ensure_ascii=False)}" for it in stream)


def main() -> int:
    arguments = argparse.ArgumentParser()
    for name in ("--host", "--original"):
        arguments.add_argument(name, required=True)
    arguments.add_argument("--only", default="")
    arguments.add_argument("--write", action="store_true")
    given = arguments.parse_args()
    # A virtual environment's Python is a link: what it links to is another environment.
    host, original = (str(Path(it).absolute()) for it in (given.host, given.original))
    failed, seen = 0, {}
    for scenario in json.loads((HERE / "scenarios.json").read_text()):
        stem = scenario["program"]
        if given.only not in stem:
            continue
        program, workflow = HERE.parent / "programs" / f"{stem}.py", scenario.get("workflow", stem)
        theirs = originals(original, program, workflow, scenario)
        own = ours(host, build(host, program) / f"{workflow}.wasm", scenario)
        # What the page of differences says of it.
        own = json.loads(re.sub(scenario.get("adds") or "(?!)", "", json.dumps(own)))
        same = theirs == own
        failed += not same
        seen.setdefault(f"{stem}/{workflow}", (shown(theirs), shown(own)))
        print(f"{'same' if same else 'DIFFERENT'}: {stem}/{workflow} {json.dumps(scenario['event'])}", flush=True)
        if not same:
            print(f"  the original: {shown(theirs)}\n  wf-host:      {shown(own)}\n  {json.dumps(theirs)}\n  {json.dumps(own)}")
    if given.write:
        table.write(seen)
    elif not given.only:
        failed += table.check(seen)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
