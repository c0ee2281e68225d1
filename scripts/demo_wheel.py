"""Writes the wheel of a small backend, so that there is a file to certify, to install and to call: demo_wheel.py PATH.whl"""

import base64
import hashlib
import sys
import zipfile
from pathlib import Path

path = Path(sys.argv[1])
name, version = path.name.split("-")[:2]
info = f"{name}-{version}.dist-info"
MODULE = '''"""Stands for an accelerated backend."""


class Demo:
    name = "reference"
    aliases = ("demo",)

    def ligrec(self, adata):
        return f"accelerated {adata}"
'''
files = {
    f"{name}.py": MODULE.encode(),
    f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n".encode(),
    f"{info}/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    f"{info}/entry_points.txt": f"[squidpy.backends]\ndemo = {name}:Demo\n".encode(),
}


def row(file: str, data: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
    return f"{file},sha256={digest},{len(data)}\n"


record = "".join(row(file, data) for file, data in files.items()) + f"{info}/RECORD,,\n"
with zipfile.ZipFile(path, "w") as wheel:
    for file, data in {**files, f"{info}/RECORD": record.encode()}.items():
        wheel.writestr(zipfile.ZipInfo(file, (2020, 1, 1, 0, 0, 0)), data)
