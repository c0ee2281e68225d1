#!/usr/bin/env bash
# Prints the absolute path of `concord`: the one that is given, or else a debug build of this checkout.
set -euo pipefail
if [ -n "${1:-}" ]; then
    realpath "$1"
    exit
fi
cd "$(dirname "$0")/.."
cargo build --quiet --locked --package harness --bin concord
target=$(cargo metadata --format-version 1 --no-deps | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')
realpath "$target/debug/concord"
