"""A seed: a process that has loaded a library, answers nothing, and forks those that answer.

Concord sends a byte with four descriptors over the socket that is standard input: the three streams of a new process,
and a stream in which it wants to read the number of that process and, once it has ended, its status as of `wait`. The
process is reaped when Concord closes the stream, so that its number belongs to nobody else before. What numba compiles
in a process it tells its seed in a pipe.
"""

from __future__ import annotations

import contextlib
import gc
import os
import select
import signal
import socket
import struct

from concord_worker.compiled import Compiled, Heard

_NUMBER = struct.Struct("<i")
_DESCRIPTORS = 4
_PART = 1 << 16


class _Forked:
    """A process that was forked, as its seed sees it."""

    def __init__(self, pid: int, told: int, compiled: int) -> None:
        self.pid, self.told, self.compiled = pid, told, compiled
        self.ended = os.pidfd_open(pid)
        self._heard = Heard()

    def descriptors(self) -> tuple[int, int, int]:
        """What of the seed belongs to the process."""
        return self.ended, self.told, self.compiled

    def hear(self, compiled: Compiled) -> bool:
        """Reads on what the process tells about compiled code; False when it tells nothing more."""
        part = os.read(self.compiled, _PART)
        try:
            for message in self._heard.add(part):
                compiled.learn(message)
        except ValueError:
            return False
        return bool(part)

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

    def end(self) -> None:
        """Nobody asks about the process any more."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)

    def reap(self) -> None:
        """Waits for the end of the process, after which its number may be another's."""
        os.waitpid(self.pid, 0)
        for descriptor in self.descriptors():
            os.close(descriptor)


def forks(compiled: Compiled | None = None) -> bool:
    """True in each process that is to answer; False in the seed, when Concord has gone."""
    control = socket.socket(fileno=os.dup(0))
    asked = control.fileno()
    # What was loaded is never looked at again by the collector, and stays shared.
    gc.collect()
    gc.freeze()
    poll = select.poll()
    poll.register(control, select.POLLIN)
    waiting: dict[int, _Forked] = {}

    def forget(descriptor: int) -> None:
        if waiting.pop(descriptor, None) is not None:
            poll.unregister(descriptor)

    while True:
        # What is told comes before what is asked for, so that a new process has it, and no number is given again before
        # all that was told of it is done.
        told = sorted((found for found, _ in poll.poll()), key=lambda found: found == asked)
        for descriptor in told:
            if descriptor == asked:
                _, given, _, _ = socket.recv_fds(control, 1, _DESCRIPTORS)
                if len(given) < _DESCRIPTORS:
                    for left in {left.pid: left for left in waiting.values()}.values():
                        left.end()
                        left.reap()
                    # Concord waits for this, and not for the interpreter to take itself apart.
                    control.shutdown(socket.SHUT_RDWR)
                    return False
                heard, tells = os.pipe()
                pid = os.fork()
                if pid == 0:
                    os.close(heard)
                    _become([*waiting.values()], control, given)
                    if compiled is None:
                        os.close(tells)
                    else:
                        compiled.begin(tells)
                    return True
                # Here too: Concord may end the group before the process itself has come to it.
                with contextlib.suppress(OSError):
                    os.setpgid(pid, pid)
                for inside in (*given[:3], tells):
                    os.close(inside)
                forked = _Forked(pid, given[3], heard)
                forked.say(pid)
                # Nothing is said in `told`, so that what is told there is its end.
                for own in forked.descriptors():
                    waiting[own] = forked
                    poll.register(own, select.POLLIN)
            elif (known := waiting.get(descriptor)) is None:
                continue
            elif descriptor == known.compiled:
                if compiled is None or not known.hear(compiled):
                    forget(descriptor)
            else:
                forget(descriptor)
                if descriptor == known.ended:
                    known.tell()
                else:
                    known.end()
                # To end takes a while, in which others may want to be forked.
                if known.ended not in waiting and known.told not in waiting:
                    forget(known.compiled)
                    known.reap()


def _become(others: list[_Forked], control: socket.socket, given: list[int]) -> None:
    """Takes the streams; everything else that the seed holds is not for this process."""
    os.setpgid(0, 0)
    control.close()
    for other in {other.pid: other for other in others}.values():
        for descriptor in other.descriptors():
            os.close(descriptor)
    for number, descriptor in enumerate(given[:3]):
        os.dup2(descriptor, number)
    for descriptor in given:
        os.close(descriptor)
