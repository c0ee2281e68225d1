"""Writes a wheel with one module, so that there is a file to certify and to install: demo_wheel.py PATH.whl"""

import base64
import hashlib
import sys
import zipfile
from pathlib import Path

path = Path(sys.argv[1])
name, version = path.name.split("-")[:2]
info = f"{name}-{version}.dist-info"
files = {
    f"{name}.py": b'"""Stands for an accelerated backend."""\n',
    f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n".encode(),
    f"{info}/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
}


def row(file: str, data: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
    return f"{file},sha256={digest},{len(data)}\n"


record = "".join(row(file, data) for file, data in files.items()) + f"{info}/RECORD,,\n"
with zipfile.ZipFile(path, "w") as wheel:
    for file, data in {**files, f"{info}/RECORD": record.encode()}.items():
        wheel.writestr(zipfile.ZipInfo(file, (2020, 1, 1, 0, 0, 0)), data)
