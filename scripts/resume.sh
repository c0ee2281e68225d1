#!/usr/bin/env bash
# A run that is killed again and again, and resumed, has the certificate of one that was not, byte for byte.
# usage: scripts/resume.sh [path of concord]     (default: target/release/concord; some minutes with a debug build)
set -euo pipefail
concord=$(realpath "${1:-$(dirname "$0")/../target/release/concord}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export SOURCE_DATE_EPOCH=1767225600
# On one thread it takes seconds: long enough to be killed three times. `exec`, so that what is killed is Concord and no shell
# that waits for it: each use is a process of its own.
run() { exec "$concord" certify reference --function spatial_autocorr --tier standard --jobs 1 --resume --out out "$@"; }

mkdir "$work/whole" "$work/parts"
(cd "$work/whole" && run > /dev/null 2>&1)
cases=$(($(wc -l < "$work/whole/out/results.jsonl") - 1))

cd "$work/parts"
for tenth in 2 5 8; do
    run > /dev/null 2>&1 &
    lines() { if [ -f out/results.jsonl ]; then wc -l < out/results.jsonl; else echo 0; fi; }
    until [ "$(lines)" -gt $((cases * tenth / 10)) ]; do kill -0 $!; done
    kill -KILL $!
    wait $! 2> /dev/null || true
    head -n 1 out/results.jsonl | grep -q '"unfinished":true' || { echo "the run was over before it was killed"; exit 1; }
    echo "killed with $(($(lines) - 1)) of $cases cases judged"
done
(run > /dev/null 2>&1)
diff -r "$work/whole/out" "$work/parts/out"
echo "the same bytes: $(ls out | tr '\n' ' ')"
sha256sum out/certificate.intoto.json | cut -d ' ' -f 1
