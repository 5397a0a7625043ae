"""Writes packages without anything in them, which stand where a component has its own: `pip` takes them for what it is asked for."""

import sys
import zipfile
from pathlib import Path

folder, *packages = sys.argv[1:]
Path(folder).mkdir()
for package in packages:
    name, version = package.split("==")
    stem = f"{name.replace('-', '_')}-{version}"
    files = {
        "METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        "WHEEL": "Wheel-Version: 1.0\nGenerator: wf-host\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{stem}.dist-info/{file},,\n" for file in (*files, "RECORD"))
    with zipfile.ZipFile(f"{folder}/{stem}-py3-none-any.whl", "w") as wheel:
        for file, text in (*files.items(), ("RECORD", record)):
            wheel.writestr(f"{stem}.dist-info/{file}", text)
