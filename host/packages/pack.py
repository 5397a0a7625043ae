"""Makes a wheel and npm packages of a binary: pack.py BINARY NOTICES FOLDER. Both are archives with a few texts beside the
binary."""

import base64
import gzip
import hashlib
import io
import json
import platform
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SUMMARY = "A durable server for event-driven workflows made of WebAssembly components"
LICENSES = [(name, (ROOT / name).read_bytes(), 0o644) for name in ("LICENSE-APACHE", "LICENSE-MIT")]
# As npm calls what Python's `platform` has another word for.
CPUS = {"x86_64": "x64", "aarch64": "arm64"}


def glibc(binary: Path) -> str:
    """The oldest glibc with all that the binary asks for, as `2_34`."""
    needed = subprocess.run(["readelf", "--version-info", "--wide", binary], check=True, capture_output=True, text=True).stdout
    versions = {tuple(map(int, it.split("."))) for it in re.findall(r"GLIBC_(\d+\.\d+)", needed)}
    if not versions:
        sys.exit(f"error: `{binary}` asks for no glibc: it is for another system")
    return "_".join(map(str, max(versions)))


def readme() -> str:
    return (
        f"# wf-host\n\n{SUMMARY}. Write steps in Rust, Python, TypeScript, Go or C, or serve LlamaIndex Workflows as they are.\n\n"
        "    wf-host new hello --lang python && wf-host dev hello/workflow.py\n\n"
        "`wf-host --help` says all else. MIT or Apache-2.0, at your choice.\n"
    )


def wheel(binary: bytes, notices: tuple, version: str, glibc: str, out: Path) -> Path:
    tag = f"py3-none-manylinux_{glibc}_{platform.machine()}"
    info = f"wf_host-{version}.dist-info"
    licenses = [*LICENSES, notices]
    metadata = (
        f"Metadata-Version: 2.4\nName: wf-host\nVersion: {version}\nSummary: {SUMMARY}\nLicense-Expression: MIT OR Apache-2.0\n"
        + "".join(f"License-File: {name}\n" for name, _, _ in licenses)
        + f"Requires-Python: >=3.8\nDescription-Content-Type: text/markdown\n\n{readme()}"
    )
    testing = (ROOT / "guest-sdk/python/testing/wf_testing.py").read_bytes()
    files = [
        ("wf_testing.py", testing, 0o644),
        (f"wf_host-{version}.data/scripts/wf-host", binary, 0o755),
        (f"{info}/METADATA", metadata.encode(), 0o644),
        (f"{info}/WHEEL", f"Wheel-Version: 1.0\nGenerator: wf-host\nRoot-Is-Purelib: false\nTag: {tag}\n".encode(), 0o644),
        *((f"{info}/licenses/{name}", content, mode) for name, content, mode in licenses),
    ]
    digest = lambda content: base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
    record = "".join(f"{name},sha256={digest(content)},{len(content)}\n" for name, content, _ in files)
    files.append((f"{info}/RECORD", f"{record}{info}/RECORD,,\n".encode(), 0o644))
    path = out / f"wf_host-{version}-{tag}.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content, mode in files:
            entry = zipfile.ZipInfo(name)
            entry.external_attr = (0o100000 | mode) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
    return path


def npm(package: dict, files: list, path: Path) -> Path:
    text = json.dumps(package, indent=2) + "\n"
    with path.open("wb") as file, gzip.GzipFile(fileobj=file, mode="wb", mtime=0, filename="") as zipped:
        with tarfile.open(fileobj=zipped, mode="w") as archive:
            for name, content, mode in [("package.json", text.encode(), 0o644), *LICENSES, *files]:
                entry = tarfile.TarInfo(f"package/{name}")
                entry.size, entry.mode = len(content), mode
                archive.addfile(entry, io.BytesIO(content))
    return path


def npms(binary: bytes, notices: tuple, version: str, out: Path) -> list:
    cpu = CPUS.get(platform.machine(), platform.machine())
    common = {"version": version, "description": SUMMARY, "license": "MIT OR Apache-2.0"}
    own = f"@wf-host/linux-{cpu}"
    here = {"name": own, **common, "os": ["linux"], "cpu": [cpu], "libc": ["glibc"], "preferUnplugged": True}
    command = {
        "name": "wf-host",
        **common,
        "type": "module",
        "bin": {"wf-host": "wf-host.js"},
        "engines": {"node": ">=18"},
        "optionalDependencies": {own: version},
    }
    start = (ROOT / "host/packages/npm/wf-host.js").read_bytes()
    read = ("README.md", readme().encode(), 0o644)
    return [
        npm(here, [("wf-host", binary, 0o755), notices], out / f"wf-host-linux-{cpu}-{version}.tgz"),
        npm(command, [("wf-host.js", start, 0o755), read], out / f"wf-host-{version}.tgz"),
    ]


def main() -> None:
    binary, out = Path(sys.argv[1]), Path(sys.argv[3])
    notices = ("THIRD-PARTY", Path(sys.argv[2]).read_bytes(), 0o644)
    said = subprocess.run([binary.resolve(), "--version"], check=True, capture_output=True, text=True).stdout
    version = said.split()[1]
    # Packages of another version would be taken for these.
    for old in [*out.glob("wf_host-*.whl"), *out.glob("wf-host-*.tgz")]:
        old.unlink()
    content = binary.read_bytes()
    for path in [wheel(content, notices, version, glibc(binary), out), *npms(content, notices, version, out)]:
        print(f"{path} ({path.stat().st_size / (1 << 20):.1f} MiB)")


main()
