"""The command line `concord-signatures`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from concord_signatures.dispatcher import dump_dispatcher
from concord_signatures.live import dump_modules
from concord_signatures.source import dump_source


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; 0 if a file was written, 2 if the request makes no sense."""
    parser = _parser()
    asked = parser.parse_args(arguments)
    try:
        match asked.verb:
            case "module":
                dumps = [dump_modules(asked.modules, asked.name)]
            case "wheel":
                dumps = [dump_source(asked.path, asked.modules, asked.name, asked.version)]
            case _:
                dumps = dump_dispatcher(asked.dispatcher)
    except (ValueError, ImportError, AttributeError, OSError) as error:
        print(f"concord-signatures: {error}", file=sys.stderr)
        return 2
    out: Path = asked.out
    for dump in dumps:
        folder = asked.verb == "dispatcher"
        file = out / f"{dump.name}-{dump.version}.json" if folder else out
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(dump.to_text(), encoding="utf-8")
        print(f"{file}: {dump.name} {dump.version}, {len(dump.functions)} functions")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("concord-signatures", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    module = verbs.add_parser("module", help="functions of importable modules")
    module.add_argument("modules", nargs="+", metavar="MODULE")
    wheel = verbs.add_parser("wheel", help="functions of a wheel or source tree, not imported")
    wheel.add_argument("path", type=Path)
    wheel.add_argument("modules", nargs="+", metavar="MODULE")
    wheel.add_argument("--version", help="if the file name does not say it")
    dispatcher = verbs.add_parser("dispatcher", help="a scverse-backends host and its backends")
    dispatcher.add_argument("dispatcher", metavar="MODULE:ATTRIBUTE")
    for verb in (module, wheel):
        verb.add_argument("--name", help="the name of the library; by default the distribution")
    for verb in (module, wheel, dispatcher):
        help_ = "folder to write to" if verb is dispatcher else "file to write"
        verb.add_argument("-o", "--out", type=Path, required=True, help=help_)
    return parser


if __name__ == "__main__":
    sys.exit(main())
