#!/usr/bin/env bash
# Examines rapids-singlecell on a machine with an NVIDIA GPU and stores the evidence.
#   python/gpu.sh OUT [PIP-ARGUMENT ...]      for instance: python/gpu.sh evidence --no-index --find-links wheels/
# Needs Rust, Python 3.12 or newer, and the wheels (or the network). Without a GPU it says "not run" and makes nothing.
set -euo pipefail
cd "$(dirname "$0")/.."
out=${1:?expected: OUT [PIP-ARGUMENT ...]}
shift

if ! gpu=$(nvidia-smi --query-gpu=name,driver_version --format=csv,noheader 2>&1); then
    echo "not run: no NVIDIA GPU answers here (${gpu%%$'\n'*})"
    exit 0
fi
mkdir -p "$out"
out=$(cd "$out" && pwd)
python3 -m venv "$out/env"
# Without its dependencies: the adapter needs CuPy and AnnData of them, and says what it bypasses.
"$out/env/bin/pip" install --quiet "$@" anndata==0.13.4 scanpy==1.12.4 numba tqdm "cupy-cuda13x[ctk]" ./python
"$out/env/bin/pip" install --quiet --no-deps "$@" rapids-singlecell-cu13==0.18.1
"$out/env/bin/pip" freeze > "$out/freeze.txt"
{ echo "$gpu"; uname -a; git rev-parse HEAD; } > "$out/machine.txt"
sed -n '/^Bypassed/,/^"""/p' python/adapters/rapids_singlecell.py | sed '$d' > "$out/bypassed.txt"
export CONCORD_PYTHON=$out/env
# 1 means differences were found, which is evidence too.
cargo run --release -- certify rapids-singlecell --tier "${TIER:-quick}" --jobs 1 --out "$out/results" || [ $? -le 1 ]
