#!/usr/bin/env bash
# From a backend to a trusted list and back: certifies a good backend and three that are wrong on purpose, signs, verifies
# with our verifier and with ssh-keygen, builds a trusted list, loads it in Python, and then tampers with each part.
# Needs ssh-keygen; the parts in Python need Python 3.11 (and scverse-backends for the last line), and are skipped with a
# reason where they are missing.
#
#   scripts/trust-end-to-end.sh [path of concord]        default: builds it
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
concord=${1:-}
if [ -z "$concord" ]; then
    cargo build --quiet --package harness --bin concord
    concord=$(cargo metadata --format-version 1 --no-deps | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')/debug/concord
fi
concord=$(realpath "$concord")
if ! command -v ssh-keygen >/dev/null; then
    echo "skipped: there is no ssh-keygen"
    exit 0
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

say() { printf '\n== %s\n' "$*"; }
# Runs a command that must end with this exit code and print this text.
expect() {
    local code=$1 text=$2 got=0
    shift 2
    "$@" >output 2>&1 || got=$?
    if [ "$got" != "$code" ] || ! grep -qF -- "$text" output; then
        cat output
        echo "FAILED: expected exit code $code and \`$text\`, got $got: $*"
        exit 1
    fi
    echo "ok   $code  $text"
}

say "a wheel that stands for the examined build"
python=$(command -v python3 || true)
mkdir -p wheel
if [ -n "$python" ]; then
    "$python" "$root/scripts/demo_wheel.py" wheel/demo_backend-0.1.0-py3-none-any.whl
    artifact=(--artifact wheel/demo_backend-0.1.0-py3-none-any.whl)
else
    echo "skipped: there is no python3, so no wheel is made and no list is built"
    artifact=()
fi

say "certify a good backend, and three that are wrong on purpose"
certify() { "$concord" certify "$1" --function ligrec --tier standard --out "$2" "${artifact[@]}"; }
expect 0 "ligrec             statistical" certify reference good
for mutant in ligrec-mean-of-expressing ligrec-sum-of-means ligrec-product-of-means; do
    expect 1 "ligrec             none" certify "mutant:$mutant" "bad-$mutant"
done


say "sign, and verify both ways"
ssh-keygen -q -t ed25519 -N '' -C '' -f key
ssh-keygen -q -t ed25519 -N '' -C '' -f thief
echo "a@example.org namespaces=\"backend-conformance@concord,trusted-backends@concord\" $(cat key.pub)" >allowed_signers
certificate=good/certificate.intoto.json
expect 0 "backend-conformance@concord" "$concord" sign "$certificate" --key key
keygen_verify() { ssh-keygen -Y verify -f allowed_signers -I a@example.org -n "$2" -s "$1.sig" <"$1"; }
expect 0 "Good" keygen_verify "$certificate" backend-conformance@concord
verify() { "$concord" verify "$1" --policy policy.toml --allowed-signers allowed_signers "${artifact[@]}" "${@:2}"; }
cp good/policy.toml policy.toml
holds=$([ ${#artifact[@]} -gt 0 ] && echo 0 || echo 4)
expect "$holds" "ok       results" verify "$certificate"
expect 0 "each gives what the certificate says" "$concord" reproduce "$certificate" --sample 1
expect 0 "each does not differ" "$concord" reproduce "$certificate" --sample 1 --challenge 00ff

say "each tampering is refused with its own message"
tampered() { # NAME MESSAGE COMMAND...: changes a copy with COMMAND, run in it, and verifies
    local name=$1 text=$2
    shift 2
    rm -rf "$name" && cp -r good "$name"
    (cd "$name" && "$@")
    expect 5 "$text" verify "$name/certificate.intoto.json"
}
resign() { "$concord" sign certificate.intoto.json --key "../${1:-key}" >/dev/null; }
edit() { sed -i "$1" "$2" && resign; }
waiver='"waivers": [\n      {\n        "cases": 1,\n        "expires": "2099-01-01",\n        "function": "ligrec",\n        "granted": "2026-01-01",\n        "granted_by": "nobody",\n        "issue": "https://example.org/1",\n        "kind": "pvalues: value",\n        "max_cases": 9,\n        "reason": "because it is easier than to fix it",\n        "select": "seed=1"\n      }\n    ]'
tampered result "results.jsonl hashes to" sed -i '0,/"verdict":"pass"/s//"verdict":"fail"/' results.jsonl
tampered level 'granted.functions.ligrec says "full"' edit 's/"ligrec": "statistical"/"ligrec": "full"/' certificate.intoto.json
tampered unsigned "is not one of these bytes" sed -i 's/"tier": "standard"/"tier": "full"/' certificate.intoto.json
tampered expiry "notAfter says" edit 's/"notAfter": "20/"notAfter": "21/' certificate.intoto.json
tampered stolen "belongs to no allowed signer" resign thief
tampered waiver "waivers says 1 entries" edit "s|\"waivers\": \[\]|$waiver|" certificate.intoto.json
sed 's/adequacy = "0.9"/adequacy = "0.5"/' good/policy.toml >lenient.toml
cp policy.toml trusted.toml && cp lenient.toml policy.toml
expect 5 "the trusted one is" verify "$certificate"
cp trusted.toml policy.toml
expect 5 "it expired at" verify "$certificate" --now 2099-01-01T00:00:00Z
if [ ${#artifact[@]} -gt 0 ]; then
    cp "${artifact[1]}" other.whl && printf x >>other.whl
    expect 5 "which is not certified" "$concord" verify "$certificate" --artifact other.whl
fi
tampered empty "results.jsonl hashes to" truncate -s 0 results.jsonl

[ ${#artifact[@]} -gt 0 ] || exit 0
say "build a trusted list"
mkdir -p trust/certificates
cp -r good trust/certificates/good
cp policy.toml allowed_signers trust/
cat >trust/backends.toml <<'TOML'
[trusted_backends.reference]
aliases = ["demo"]
package = "demo-backend"
distributions = ["demo-backend"]
entrypoints = ["demo"]
module_prefixes = ["demo_backend"]
TOML
expect 0 "serial 1, 1 grants" "$concord" trust build trust --host squidpy
expect 0 "trusted-backends@concord" "$concord" sign trust/trusted-backends.toml --key key
expect 0 "Good" keygen_verify trust/trusted-backends.toml trusted-backends@concord
expect 0 "every byte follows from its certificates" "$concord" trust check trust
cp trust/trusted-backends.toml before.toml
expect 5 "the list before it has 1" "$concord" trust check trust --previous before.toml
sed -i 's/ligrec = "statistical"/ligrec = "full"/' trust/trusted-backends.toml
expect 5 "is not one of these bytes" "$concord" trust check trust
rm trust/trusted-backends.toml.sig
expect 5 "is not what the certificates give" "$concord" trust check trust
cp before.toml trust/trusted-backends.toml
cp -r result trust/certificates/tampered
expect 5 "results.jsonl hashes to" "$concord" trust build trust --host squidpy
rm -r trust/certificates/tampered

say "load it"
python=${CONCORD_PYTHON:-$python}
if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    "$python" "$root/scripts/load_trusted.py" "$root/python/src" trust/trusted-backends.toml "${artifact[1]}"
else
    echo "skipped: $python is older than 3.11"
fi
echo
echo "all as expected"
