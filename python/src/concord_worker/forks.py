"""A seed: a process that has loaded a library, answers nothing, and forks those that answer.

Concord sends a byte with four descriptors over the socket that is standard input: the three streams of a new process,
and a stream in which it wants to read the number of that process and, once it has ended, its status as of `wait`. The
process is reaped when Concord closes the stream, so that its number belongs to nobody else before.
"""

from __future__ import annotations

import contextlib
import gc
import os
import select
import signal
import socket
import struct

_NUMBER = struct.Struct("<i")
_DESCRIPTORS = 4


class _Forked:
    """A process that was forked, as its seed sees it."""

    def __init__(self, pid: int, told: int) -> None:
        self.pid, self.told = pid, told
        self.ended = os.pidfd_open(pid)

    def tell(self) -> None:
        """Says how the process ended, and leaves it a zombie."""
        end = os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)
        assert end is not None
        dumped = 0x80 if end.si_code == os.CLD_DUMPED else 0
        exited = end.si_code == os.CLD_EXITED
        self.say(end.si_status << 8 if exited else end.si_status | dumped)

    def say(self, number: int) -> None:
        """A number for Concord, if it is still there."""
        with contextlib.suppress(OSError):
            os.write(self.told, _NUMBER.pack(number))

    def reap(self) -> None:
        """Nobody asks about the process any more."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.ended)
        os.close(self.told)


def forks() -> bool:
    """True in each process that is to answer; False in the seed, when Concord has gone."""
    control = socket.socket(fileno=os.dup(0))
    # What was loaded is never looked at again by the collector, and stays shared.
    gc.collect()
    gc.freeze()
    poll = select.poll()
    poll.register(control, select.POLLIN)
    waiting: dict[int, _Forked] = {}
    while True:
        for descriptor, _ in poll.poll():
            if descriptor == control.fileno():
                _, given, _, _ = socket.recv_fds(control, 1, _DESCRIPTORS)
                if len(given) < _DESCRIPTORS:
                    return False
                pid = os.fork()
                if pid == 0:
                    _become([*waiting.values()], control, given)
                    return True
                # Here too: Concord may end the group before the process itself has come to it.
                with contextlib.suppress(OSError):
                    os.setpgid(pid, pid)
                for inside in given[:3]:
                    os.close(inside)
                forked = _Forked(pid, given[3])
                forked.say(pid)
                waiting[forked.ended] = waiting[forked.told] = forked
                poll.register(forked.ended, select.POLLIN)
                # Nothing is said in it, so that what is told is its end.
                poll.register(forked.told, select.POLLIN)
            elif (known := waiting.get(descriptor)) is None:
                continue
            elif descriptor == known.ended:
                poll.unregister(descriptor)
                known.tell()
            else:
                with contextlib.suppress(KeyError):
                    poll.unregister(known.ended)
                poll.unregister(descriptor)
                del waiting[known.ended], waiting[known.told]
                known.reap()


def _become(others: list[_Forked], control: socket.socket, given: list[int]) -> None:
    """Takes the streams; everything else that the seed holds is not for this process."""
    os.setpgid(0, 0)
    control.close()
    for other in {other.pid: other for other in others}.values():
        os.close(other.ended)
        os.close(other.told)
    for number, descriptor in enumerate(given[:3]):
        os.dup2(descriptor, number)
    for descriptor in given:
        os.close(descriptor)
