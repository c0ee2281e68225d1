"""Installs wheels in folders and loads a trusted list for them: load_trusted.py PYTHON_SRC LIST WHEEL OTHER_WHEEL"""

import importlib
import sys
import tempfile
import warnings
import zipfile
from pathlib import Path

source, trusted_list, wheel, other_wheel = sys.argv[1:]
sys.path.insert(0, source)

from concord_trust import UntrustedBuildWarning, load_trusted  # noqa: E402


def install(wheel: str) -> Path:
    """Puts the files of a wheel where Python looks first."""
    site = tempfile.mkdtemp()
    zipfile.ZipFile(wheel).extractall(site)
    sys.path.insert(0, site)
    importlib.invalidate_caches()
    return Path(site)


def refused(why: str) -> None:
    """Loads the list for an installed build that is not the certified one."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert load_trusted(trusted_list, deep=True)[1] == {"reference": {}}
    assert caught[0].category is UntrustedBuildWarning
    assert why in str(caught[0].message), caught[0].message
    print("ok  ", caught[0].message)


site = install(wheel)
with warnings.catch_warnings():
    warnings.simplefilter("error")
    trusted, levels = load_trusted(trusted_list, deep=True)
assert levels["reference"]["ligrec"] == "statistical", levels
print("ok   the installed build has", levels["reference"])

try:
    from scverse_backends import BackendDispatcher
except ImportError:
    print("not run: there is no scverse-backends here, so no BackendDispatcher was made")
else:
    dispatcher = BackendDispatcher(
        entrypoint_group="squidpy.backends", host_name="squidpy", trusted_backends=trusted
    )

    @dispatcher.backend_dispatch
    def ligrec(adata):
        """Stands for the function of the host."""
        return f"host {adata}"

    assert ligrec("cells") == "host cells"
    assert ligrec("cells", backend="demo") == "accelerated cells"
    print("ok   a real BackendDispatcher takes the list, and dispatches to the certified build")

next(site.glob("*.py")).write_text("# changed after the installation\n")
refused("its files are not those of the certified build")
install(other_wheel)
refused("version 0.2.0 is installed, 0.1.0 is certified")
