#!/usr/bin/env bash
# Takes pictures of reports in headless Chromium (first screen, light, dark, 360 px wide, PDF) and asks axe-core about them:
# no serious finding, nothing wider than the screen, nothing fetched, below 500 KB. Not run where there is no Chromium, no
# npm, or no answer from the npm registry.
#
#   scripts/report-pictures.sh OUT PAGE.html...
set -euo pipefail
script=$(realpath "$(dirname "$0")")/report-pictures.mjs
out=$1
shift
mkdir -p "$out"
out=$(realpath "$out")
pages=()
for page in "$@"; do pages+=("$(realpath "$page")"); done
chromium=$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)
if [ -z "$chromium" ] || ! command -v npm >/dev/null; then
    echo "not run: there is no Chromium or no npm"
    exit 0
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
if ! npm install --silent --no-audit --no-fund --fetch-retries 0 puppeteer-core@24 axe-core@4 >npm.log 2>&1; then
    tail -n 1 npm.log
    echo "not run: puppeteer-core and axe-core could not be installed from npm"
    exit 0
fi
node "$script" "$chromium" "$out" "${pages[@]}"
