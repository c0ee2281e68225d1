#!/usr/bin/env bash
# mypy --strict, ruff and pytest on python/, in a virtual environment of their own; says "not run" where PyPI cannot be reached.
# usage: scripts/check-python.sh [folder of the environment]     (default: a temporary one)
set -euo pipefail
cd "$(dirname "$0")/../python"
if [ $# -gt 0 ]; then env=$(realpath -m "$1"); else env=$(mktemp -d) && trap 'rm -rf "$env"' EXIT; fi
python=${PYTHON:-python3}
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 12))' || { echo "not run: Python 3.12 or later is needed"; exit 0; }
if [ ! -x "$env/bin/ruff" ]; then
    "$python" -m venv "$env"
    # Versions are pinned: a new rule of a checker is no defect of the code.
    "$env/bin/pip" install --quiet --retries 0 mypy==2.4.1 ruff==0.17.6 \
        pandas-stubs==3.1.0.261029 scipy-stubs==1.18.1.1 '.[worker,test]' \
        || { echo "not run: PyPI cannot be reached"; exit 0; }
fi
"$env/bin/ruff" check src tests
"$env/bin/ruff" format --check src tests
"$env/bin/mypy"
"$env/bin/python" -m pytest -q
