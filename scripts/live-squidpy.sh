#!/usr/bin/env bash
# The real squidpy, in processes: an environment is made (by pip), kept counterexamples of squidpy must still differ, the
# reference must agree with squidpy on a twentieth of a quick run, and the Python package is tested. Without PyPI or
# Python 3.12, or where pip takes more than five minutes, it says "not run" and ends well.
#
#   scripts/live-squidpy.sh [path of concord]        default: builds it
# The environment is kept in target/live-squidpy/env; with CONCORD_PYTHON=DIR another one is used.
set -euo pipefail
concord=$("$(dirname "$0")/concord-path.sh" "${1:-}")
cd "$(dirname "$0")/.."
not_run() {
    echo "not run: $*"
    exit 0
}

# No test here is worth more than five minutes; BUDGET=SECONDS gives it others.
in_time() { [ "$SECONDS" -lt "${BUDGET:-300}" ] || not_run "the rest, after $SECONDS s"; }

python=
for candidate in python3 python3.13 python3.12 "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.1[2-9]*/bin/python3; do
    if "$candidate" -c 'import sys, venv; sys.exit(sys.version_info < (3, 12))' 2>/dev/null; then
        python=$(command -v "$candidate")
        break
    fi
done
[ -n "$python" ] || not_run "Python 3.12 or newer was not found"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if [ -z "${CONCORD_PYTHON:-}" ]; then
    CONCORD_PYTHON=$PWD/target/live-squidpy/env
    if [ ! -e "$CONCORD_PYTHON/complete" ]; then
        if ! timeout 60 "$python" -m pip download --quiet --no-deps --retries 0 --dest "$work" scverse-backends==0.0.3 2>"$work/pip"; then
            not_run "PyPI unreachable ($(tail -n 1 "$work/pip"))"
        fi
        rm -rf "$CONCORD_PYTHON"
        mkdir -p "$(dirname "$CONCORD_PYTHON")"
        code=0
        timeout 300 "$concord" python-env "$CONCORD_PYTHON" --python "$python" --with "pytest>=8" >"$work/env" 2>&1 || code=$?
        [ "$code" != 124 ] || not_run "the environment was not made within 5 minutes"
        [ "$code" = 0 ] || { tail -n 20 "$work/env"; exit 1; }
        touch "$CONCORD_PYTHON/complete"
    fi
fi
export CONCORD_PYTHON TQDM_DISABLE=1

printf '\n== counterexamples: squidpy must still differ\n'
for name in CX-2fdfc7063e93 CX-720ccbd5f382 CX-4886e8a51fef; do
    in_time
    code=0
    "$concord" replay "docs/squidpy/$name" >"$work/said" 2>&1 || code=$?
    if [ "$code" != 1 ]; then
        cat "$work/said"
        echo "FAILED: $name should still differ, concord replay ended with $code"
        exit 1
    fi
    echo "ok   $name  $(grep -m 1 '^verdict' "$work/said")"
done
in_time
# Their scripts, without Concord. Importing squidpy takes seconds, so it is done once; each script has a process of its own,
# because one ends it.
"$CONCORD_PYTHON/bin/python" -W ignore - docs/squidpy/CX-*/reproduce.py >"$work/said" 2>&1 <<'PYTHON' || { cat "$work/said"; exit 1; }
import os, runpy, signal, sys, traceback
import squidpy
for script in sys.argv[1:]:
    child = os.fork()
    if child == 0:
        code = 1
        try:
            runpy.run_path(script)
            code = 0
        except BaseException:
            traceback.print_exc()
        sys.stdout.flush()
        os._exit(code)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if code > 0:
        sys.exit(f"{script} ended with {code}")
    if code < 0:
        print("squidpy now:", signal.Signals(-code).name, script, flush=True)
PYTHON
[ "$(grep -c '^squidpy now:' "$work/said")" = "$(ls -d docs/squidpy/CX-* | wc -l)" ] || { cat "$work/said"; exit 1; }
echo "ok   $(ls -d docs/squidpy/CX-* | wc -l) scripts, of which $(grep -c '^squidpy now: SIG' "$work/said") ended their process"

printf '\n== the reference must agree with squidpy wherever squidpy is defined\n'
for function in spatial_autocorr co_occurrence ligrec; do
    in_time
    "$concord" certify reference --host squidpy --function "$function" --shard 1/20 --deadline 180 --out "$work/$function" >"$work/said" 2>&1 ||
        { cat "$work/said"; exit 1; }
    "$python" - "$work/$function/results.jsonl" "$function" <<'PYTHON'
import collections, json, sys
records = [record for line in open(sys.argv[1]) if "verdict" in (record := json.loads(line))]
counts = collections.Counter(record["verdict"] for record in records)
print("ok  ", sys.argv[2], ", ".join(f"{n} {verdict}" for verdict, n in sorted(counts.items())))
# squidpy without an answer in time shows nothing, and on a busy machine one call in a hundred is such. Said, and no other `infra`.
silent = [r for r in records if r["verdict"] == "infra" and r["reason"].startswith("the host gave no answer")]
for record in silent:
    print("not run:", record["case"], record["reason"])
neither = ("pass", "host-undefined", "not-supported", "quality-warning")
wrong = [r for r in records if r not in silent and r["verdict"] not in neither]
if wrong or not counts["pass"]:
    sys.exit("\n".join(["FAILED: these differ, or none passed:", *(f"{r['verdict']} {r['case']}" for r in wrong)]))
PYTHON
done

printf '\n== the tests of the Python package\n'
in_time
if "$CONCORD_PYTHON/bin/python" -c 'import pytest' 2>/dev/null; then
    "$CONCORD_PYTHON/bin/python" -m pytest --quiet -p no:cacheprovider python
else
    echo "not run: no pytest in $CONCORD_PYTHON"
fi
