"""CONTRACT.md: a row for every thing that the measured contract asks for."""

from __future__ import annotations

import json
from pathlib import Path

HERE = Path(__file__).resolve().parent
PAGE = HERE.parent.parent / "CONTRACT.md"
MIGRATION = HERE.parent.parent / "MIGRATION.md"
HEAD = """# The contract, row by row

Each row is something that the measured contract of the original's Python API says a file can rely on, with its test: a program in `tests/programs` and the workflow in it, served by the original and by wf-host as it lies there. Both streams are those of its first scenario, as clients of both saw them when `tests/compare/compare.py --write` ran; what a run has become, and further scenarios, are compared with them. Where they differ, [MIGRATION.md](MIGRATION.md) says why. No file is edited to pass.

| | what | test | the original's stream | ours |
|---|---|---|---|---|
"""


def cell(text: str) -> str:
    """A text that a table's cell can hold."""
    return text.replace("|", "\\|").replace("\n", " ")


def render(seen: dict[str, tuple[str, str]]) -> str:
    lines = []
    for part, what, test in rows():
        theirs, own = seen.get(test, ("", ""))
        lines.append(f"| {part} | {cell(what)} | `{test}` | {cell(theirs)} | {'the same' if own and own == theirs else cell(own)} |")
    return HEAD + "\n".join(lines) + "\n"


def rows() -> list[list[str]]:
    return json.loads((HERE / "contract.json").read_text())


def write(seen: dict[str, tuple[str, str]]) -> None:
    PAGE.write_text(render(seen), encoding="utf-8")


def check(seen: dict[str, tuple[str, str]]) -> int:
    """How much of the page is not so: an empty cell, or a stream that is another than the page has."""
    empty = [what for part, what, test in rows() if not (part and what and all(seen.get(test, [""])))]
    if empty:
        print(f"nothing was seen of these rows of contract.json: {empty}")
    if unnamed := seen.keys() - {test for _, _, test in rows()}:
        print(f"contract.json has no row for {sorted(unnamed)}")
    rows_there = [line for line in MIGRATION.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    # What is there, what is here, and why.
    hollow = [line for line in rows_there if len([it for it in line.strip("| ").split(" | ") if it.strip()]) != 3]
    if hollow:
        print(f"rows of MIGRATION.md without a reason: {hollow}")
    if PAGE.read_text(encoding="utf-8") != render(seen):
        print("CONTRACT.md does not say what was seen: run compare.py with --write")
        return 1
    return len(empty) + len(unnamed) + len(hollow)
