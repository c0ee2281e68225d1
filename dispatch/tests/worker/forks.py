"""A worker of the standard library alone that loads once and forks; for the test beside it."""

import os
import select
import signal
import sys
import time

sys.path.insert(0, sys.argv[1])
from concord_worker.forks import forks  # noqa: E402
from concord_worker.frames import read_frame, write_frame  # noqa: E402

SIGNATURE = [{"name": "adata", "kind": "positional-or-keyword"}]
MANIFEST = {
    "name": "forked",
    "version": "1",
    "summary": f"loaded by {os.getpid()}",
    "device": {"kind": "cpu"},
    "artifact": "00" * 32,
    "functions": {"f": SIGNATURE},
}


def siblings():
    with open(f"/proc/{os.getppid()}/task/{os.getppid()}/children") as children:
        return list(map(int, children.read().split()))


def answer(how):
    if how == "crash":
        print("about to die", file=sys.stderr, flush=True)
        os.kill(os.getpid(), signal.SIGSEGV)
    if how == "exit":
        os._exit(0)
    if how == "hang":
        time.sleep(3600)
    if how == "alone":
        others = [pid for pid in siblings() if pid != os.getpid()]
        ends = [os.pidfd_open(pid) for pid in others]
        for pid in others:
            os.kill(pid, signal.SIGKILL)
        for end in ends:
            select.select([end], [], [])
        return {"say": "reply", "data": {"result": len(others)}}
    if how == "fell":
        os.kill(os.getppid(), signal.SIGKILL)
    return {"say": "reply", "data": {"result": os.getpid(), "loaded": MANIFEST["summary"]}}


assert sys.argv[-1] == "--forks"
if "broken" in sys.argv:
    sys.exit("no such module")
if forks():
    while (request := read_frame(sys.stdin.buffer)) is not None:
        header, _ = request
        if header["say"] == "hello":
            said = {"say": "hello", "protocol": 1, "manifest": MANIFEST}
        else:
            said = {**answer(header["params"].get("how")), "id": header["id"]}
        write_frame(sys.stdout.buffer, said)
