"""What functions a Python library offers: parameters, kinds, resolved defaults, file and line.

`concord check` decides from two such descriptions, without a call, what may be handed to a backend.
"""

from concord_signatures.dump import Dump, Function, Param
from concord_signatures.live import dump_modules
from concord_signatures.source import dump_source

__all__ = ["Dump", "Function", "Param", "dump_modules", "dump_source"]
