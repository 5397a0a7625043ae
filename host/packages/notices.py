"""Writes what is to be said of others' work in the binary: notices.py FILE. Each licence once, with those whose it is:
the crates that the binary is made of, and the packages in its page, where that is built."""

import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NAMES = re.compile(r"(LICEN[CS]E|COPYING|COPYRIGHT|NOTICE|UNLICENSE)", re.IGNORECASE)


def texts(folder: Path) -> list:
    files = sorted(it for it in folder.iterdir() if it.is_file() and NAMES.match(it.name) and it.suffix not in (".rs", ".js"))
    return [it.read_text(encoding="utf-8", errors="replace").strip() for it in files]


def crates():
    """Name, version, licence and folder of each crate that the binary is made of, but for our own."""
    command = ["cargo", "metadata", "--format-version", "1", "--locked", "--filter-platform", host()]
    metadata = json.loads(subprocess.run(command, check=True, capture_output=True, cwd=ROOT).stdout)
    packages = {it["id"]: it for it in metadata["packages"]}
    needs = {
        node["id"]: [it["pkg"] for it in node["deps"] if any(kind["kind"] is None for kind in it["dep_kinds"])]
        for node in metadata["resolve"]["nodes"]
    }
    next_ones = [it["id"] for it in metadata["packages"] if it["name"] == "wf-host"]
    seen = set()
    while next_ones:
        one = next_ones.pop()
        if one not in seen:
            seen.add(one)
            next_ones += needs[one]
    for one in sorted((packages[it] for it in seen), key=lambda it: (it["name"], it["version"])):
        if one["source"]:
            yield one["name"], one["version"], one["license"], Path(one["manifest_path"]).parent


def host() -> str:
    said = subprocess.run(["rustc", "-vV"], check=True, capture_output=True, text=True).stdout
    return re.search(r"host: (\S+)", said)[1]


def page():
    """The same of the page."""
    if not (ROOT / "host/ui/dist").exists():
        return
    lock = json.loads((ROOT / "host/ui/package-lock.json").read_text())
    for path, one in sorted(lock["packages"].items()):
        folder = ROOT / "host/ui" / path
        if path and not one.get("dev") and folder.exists():
            yield path.rsplit("node_modules/", 1)[1], one["version"], one.get("license"), folder


def main() -> None:
    owners = {}
    for name, version, license, folder in [*crates(), *page()]:
        for text in texts(folder) or [f"{license}: its package has no text of it"]:
            owners.setdefault(text, []).append(f"{name} {version}")
    head = "wf-host is made with the work of others. These are their licences, each with those whose it is."
    parts = [f"{', '.join(names)}:\n\n{text}" for text, names in sorted(owners.items(), key=lambda it: it[1])]
    Path(sys.argv[1]).write_text(f"\n\n{'-' * 80}\n\n".join([head, *parts]) + "\n")


main()
