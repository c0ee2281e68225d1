"""The command line `concord-worker`: Concord starts it; see `dispatch/PROTOCOL.md`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path


def main(arguments: Sequence[str] | None = None) -> int:
    """Answers calls until standard input ends; 2 if the subject cannot be loaded."""
    asked = _parser().parse_args(arguments)
    # Before anything is imported that might print.
    from concord_worker.serve import REHEARSALS, claim_output, rehearse, serve

    output = None if asked.forks else claim_output()
    from concord_worker import subject

    try:
        if asked.module:
            found = subject.of_module(asked.module, asked.poison)
        elif asked.adapter:
            found = subject.of_adapter(asked.adapter, asked.poison)
        else:
            found = subject.of_host(asked.host, asked.backend)
        if asked.device == "cuda":
            found.device = subject.cuda()
        defaults = subject.parse_defaults(asked.set)
    except (ImportError, AttributeError, ValueError, OSError) as error:
        print(f"concord-worker: {type(error).__name__}: {error}", file=sys.stderr)
        return 2
    # Both take a while, and are the same in every process that is forked.
    _ = found.manifest
    rehearse()
    compiled = None
    if output is None:
        from concord_worker.compiled import of_loaded
        from concord_worker.forks import forks

        for _ in range(REHEARSALS):
            rehearse()
        compiled = of_loaded()
        if not forks(compiled):
            return 0
        output = claim_output()
    serve(found, output, defaults, compiled)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("concord-worker", description=__doc__)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--module", help="the functions of this module, as in `squidpy.gr`")
    what.add_argument(
        "--adapter", type=Path, metavar="FILE", help="the functions this file defines"
    )
    what.add_argument(
        "--host", metavar="MODULE:DISPATCHER", help="the functions of a host, handed to --backend"
    )
    parser.add_argument("--backend", help="the backend that --host hands calls to")
    parser.add_argument(
        "--poison",
        action="append",
        default=[],
        metavar="MODULE",
        help="a host that must not do the work; may be given several times",
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="[FUNCTION.]NAME=JSON",
        help="an argument where a call does not give it, for functions that have it, or for one",
    )
    parser.add_argument(
        "--forks",
        action="store_true",
        help="load once, and fork a process for each that is asked for",
    )
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    return parser


if __name__ == "__main__":
    sys.exit(main())
