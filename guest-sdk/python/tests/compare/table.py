"""CONTRACT.md: a row for every thing that the measured contract asks for."""

from __future__ import annotations

import json
from pathlib import Path

HERE = Path(__file__).resolve().parent
PAGE = HERE.parent.parent / "CONTRACT.md"
HEAD = """# The contract, row by row

Each row is something that the measured contract of the original's Python API says a file can rely on, with its test. Where the test is a program, both streams are those of its first scenario, as `tests/compare/compare.py --write` saw them; `native` tests run without a component (`pytest`). No file is edited to pass.

| | what | test | the original's stream | ours |
|---|---|---|---|---|
"""


def cell(text: str) -> str:
    """A text that a table's cell can hold."""
    return text.replace("|", "\\|").replace("\n", " ")


def render(seen: dict[str, tuple[str, str]]) -> str:
    lines = []
    for part, what, test in json.loads((HERE / "contract.json").read_text()):
        theirs, own = seen.get(test, ("as the test says", "as the test says"))
        own = "the same" if own == theirs and test in seen else own
        lines.append(f"| {part} | {cell(what)} | `{test}` | {cell(theirs)} | {cell(own)} |")
    return HEAD + "\n".join(lines) + "\n"


def write(seen: dict[str, tuple[str, str]]) -> None:
    PAGE.write_text(render(seen), encoding="utf-8")


def missing() -> list[str]:
    """The native tests that the page names and that are not there, and its empty cells."""
    found = []
    for row in json.loads((HERE / "contract.json").read_text()):
        file, _, name = row[2].partition("::")
        if not all(row) or file.startswith("tests/") and (not (HERE.parent.parent / file).is_file() or f"def {name}" not in (HERE.parent.parent / file).read_text()):
            found.append(row[1])
    return found


def check(seen: dict[str, tuple[str, str]]) -> int:
    """How much of the page is not so."""
    if lost := missing():
        print(f"contract.json names tests that are not there: {lost}")
        return len(lost)
    if any(row[2] not in seen and not row[2].startswith("tests/") for row in json.loads((HERE / "contract.json").read_text())):
        print("contract.json names programs that no scenario runs")
        return 1
    if not PAGE.exists() or PAGE.read_text(encoding="utf-8") != render(seen):
        print("CONTRACT.md does not say what was seen: run compare.py with --write")
        return 1
    return 0
