"""A backend that misbehaves when it is told to. For `dispatch/examples/faults.rs`.

`CONCORD_WORK=squidpy.gr:spatial_autocorr` in the environment makes it do that otherwise, instead of nothing.
"""

import importlib
import os
import signal
import stat
import time

import numpy as np

NAME, VERSION = "faulty", "1"

_MODULE, _, _FUNCTION = os.environ.get("CONCORD_WORK", "").partition(":")
_WORK = getattr(importlib.import_module(_MODULE), _FUNCTION) if _MODULE else None


def faulty(adata, *, how="answer"):
    if how == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    elif how == "hang":
        time.sleep(3600)
    elif how == "hog":
        # Address space is what is limited; to touch it would take it from everybody else.
        held = [np.empty(1 << 28, np.uint8) for _ in range(1 << 12)]
        adata.uns["held"] = len(held)
    elif how == "garbage":
        for descriptor in _pipes():
            os.write(descriptor, b"Hello, I am a progress bar")
    elif how == "noise":
        print("Hello, I am a progress bar")
        os.write(1, b"and so am I")
    elif how == "exit":
        os._exit(0)
    if _WORK is not None:
        _WORK(adata, show_progress_bar=False)
    adata.uns["answered"] = float(adata.n_obs)


def _pipes():
    """Pipes that can be written to, beyond the usual three: the stream of responses is among them."""
    for descriptor in range(3, 64):
        try:
            is_pipe = stat.S_ISFIFO(os.fstat(descriptor).st_mode)
        except OSError:
            continue
        if is_pipe:
            yield descriptor
