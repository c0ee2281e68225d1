#!/usr/bin/env bash
# Runs the workflow in workflows/certify with a Snakemake from PyPI: parts of a good and of a wrong backend are run, merged,
# and compared with the run as a whole. Not run where there is no Python 3.11 or PyPI does not answer.
#
#   scripts/snakemake-certify.sh [path of concord]        default: builds it
set -euo pipefail
concord=$("$(dirname "$0")/concord-path.sh" "${1:-}")
cd "$(dirname "$0")/.."
root=$PWD
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

# CONCORD_SNAKEMAKE names one that is installed.
snakemake=${CONCORD_SNAKEMAKE:-}
if [ -z "$snakemake" ]; then
    python=
    for candidate in "${CONCORD_PYTHON:-python3}" python3.13 python3.12 python3.11; do
        if command -v "$candidate" >/dev/null && "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
            python=$candidate
            break
        fi
    done
    if [ -z "$python" ]; then
        echo "not run: there is no Python 3.11"
        exit 0
    fi
    "$python" -m venv venv
    if ! venv/bin/pip --quiet install --retries 0 --timeout 15 'snakemake>=9,<10' >pip.log 2>&1; then
        tail -n 1 pip.log
        echo "not run: Snakemake could not be installed from PyPI"
        exit 0
    fi
    snakemake=$work/venv/bin/snakemake
fi
"$snakemake" --version | sed 's/^/snakemake /'

run() { "$snakemake" --snakefile "$root/workflows/certify/Snakefile" --cores 2 --quiet rules --config concord="$concord" "$@" >log 2>&1; }
failed() { cat log; echo "FAILED: $*"; exit 1; }
same() { cmp "whole/$1/results.jsonl" "$1/results.jsonl" && echo "ok   $1: the log of $2 parts has the bytes of one run"; }

mkdir whole
"$concord" certify reference --function ligrec --tier standard --out whole/good >/dev/null
run backend=reference options="--function ligrec" parts=3 out=good || failed "a good backend"
same good 3
"$concord" verify good/certificate.intoto.json >log 2>&1 || [ $? = 4 ] || failed "its certificate"
grep -q "ligrec             statistical" log && echo "ok   good: the merged certificate says statistical"

mutant=mutant:ligrec-sum-of-means
(cd whole && "$concord" certify $mutant --function ligrec --out bad >/dev/null) || [ $? = 1 ]
if run backend=$mutant tier=quick options="--function ligrec" parts=2 out=bad; then failed "a wrong backend passes"; fi
same bad 2
[ "$(cat bad/exit-code)" = 1 ] && [ -f bad/report.html ] && echo "ok   bad: the workflow fails, and the report stays"

if run backend=reference part=2; then failed "a misspelt option passes"; fi
grep -q "unknown option part" log && echo "ok   a misspelt option is refused"
