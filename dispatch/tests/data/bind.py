"""Writes bind.txt: what Python itself does with small calls. Run: python3 bind.py > bind.txt

Each line: signature | number of positional arguments | keywords | outcome. Positional argument i is the
number i, keyword k the text 'k'. The outcome is `ok` with the bound names, or the text of inspect.Signature.bind.
"""
import inspect
import itertools
import sys

SIGNATURES = [
    "", "a", "a, b", "a, b=9", "a=9, b=9", "a, /", "a, b, /", "a, b=9, /", "a, /, b", "a, /, b=9",
    "*, a", "*, a=9", "a, *, b", "a, *, b=9", "a, *, b, c=9", "**kw", "a, **kw", "a=9, **kw", "a, /, **kw",
    "a=9, /, **kw", "*args", "a, *args", "a, b=9, *args, c=9", "a, *args, b, **kw", "a, /, b, *, c, **kw",
]

print(f"# Python {sys.version_info.major}.{sys.version_info.minor}")
for text in SIGNATURES:
    scope = {}
    exec(f"def f({text}): return dict(locals())", scope)
    f = scope["f"]
    sig = inspect.signature(f)
    for count in range(4):
        for size in range(4):
            for names in itertools.combinations("abz", size):
                args, kwargs = tuple(range(count)), {n: n for n in names}
                try:
                    got = f(*args, **kwargs)
                except TypeError:
                    try:
                        sig.bind(*args, **kwargs)
                        outcome = "error"
                    except TypeError as error:
                        outcome = str(error)
                else:
                    items = []
                    for name, value in got.items():
                        kind = sig.parameters[name].kind
                        if kind is inspect.Parameter.VAR_POSITIONAL:
                            items += [f"*={v}" for v in value]
                        elif kind is inspect.Parameter.VAR_KEYWORD:
                            items += [f"**{k}={v}" for k, v in sorted(value.items())]
                        elif value != 9:
                            items.append(f"{name}={value}")
                    outcome = " ".join(["ok", *sorted(items)])
                print(text, count, " ".join(names), outcome, sep=" | ")
