"""Installs a wheel in a folder and loads a trusted list for it: load_trusted.py PYTHON_SRC LIST WHEEL"""

import sys
import tempfile
import warnings
import zipfile
from pathlib import Path

source, trusted_list, wheel = sys.argv[1:]
site = tempfile.mkdtemp()
zipfile.ZipFile(wheel).extractall(site)
sys.path[:0] = [source, site]

from concord_trust import UntrustedBuildWarning, load_trusted  # noqa: E402

with warnings.catch_warnings():
    warnings.simplefilter("error")
    trusted, levels = load_trusted(trusted_list, deep=True)
assert levels["reference"]["ligrec"] == "statistical", levels
print("ok   the installed build has", levels["reference"])

next(Path(site).glob("*.py")).write_text("# changed after the installation\n")
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    assert load_trusted(trusted_list, deep=True)[1] == {"reference": {}}
assert caught[0].category is UntrustedBuildWarning
print("ok  ", caught[0].message)

try:
    from scverse_backends import BackendDispatcher
except ImportError:
    print("skipped: scverse-backends is not installed, so no BackendDispatcher is made")
else:
    BackendDispatcher(
        entrypoint_group="squidpy.backends", host_name="squidpy", trusted_backends=trusted
    )
    print("ok   scverse-backends takes the list unchanged")
