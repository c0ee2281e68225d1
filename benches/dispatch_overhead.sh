#!/usr/bin/env bash
# The dispatch overhead of this project and of scverse-backends 0.0.3, same calls, same machine, same run.
# Needs a Python >= 3.12 with venv (PYTHON=..., default python3) and PyPI.
set -euo pipefail
cd "$(dirname "$0")/.."
venv=target/dispatch-overhead-venv
if [ ! -x "$venv/bin/python" ]; then
    "${PYTHON:-python3}" -m venv "$venv"
    "$venv/bin/pip" install --quiet scverse-backends==0.0.3
fi
cargo bench --quiet -p benches --bench dispatch -- --output-format bencher
"$venv/bin/python" benches/python/dispatch_overhead.py
