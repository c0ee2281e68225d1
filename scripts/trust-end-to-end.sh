#!/usr/bin/env bash
# From a backend to a trusted list and back: certifies a good backend and three that are wrong on purpose, signs, verifies
# with our verifier and with ssh-keygen, builds a trusted list, loads it in a BackendDispatcher, and tampers with each part.
# Needs ssh-keygen. What needs Python 3.11 or PyPI is not run where they are missing, and says so.
#
#   scripts/trust-end-to-end.sh [path of concord]        default: builds it
set -euo pipefail
concord=$("$(dirname "$0")/concord-path.sh" "${1:-}")
cd "$(dirname "$0")/.."
root=$PWD
if ! command -v ssh-keygen >/dev/null; then
    echo "not run: there is no ssh-keygen"
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
python=
for candidate in "${CONCORD_PYTHON:-python3}" python3 python3.14 python3.13 python3.12 python3.11; do
    if command -v "$candidate" >/dev/null && "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        python=$candidate
        break
    fi
done

say "a wheel that stands for the examined build"
wheel=wheel/demo_backend-0.1.0-py3-none-any.whl
other=wheel/demo_backend-0.2.0-py3-none-any.whl
mkdir wheel
if [ -n "$python" ]; then
    "$python" "$root/scripts/demo_wheel.py" $wheel
    "$python" "$root/scripts/demo_wheel.py" $other
    artifact=(--artifact $wheel)
else
    echo "not run: there is no Python 3.11, so no wheel is made and no list is built"
    artifact=()
fi

say "certify a good backend, and three that are wrong on purpose"
certify() { "$concord" certify "$1" --function ligrec --tier "$2" --out "$1" "${artifact[@]}"; }
expect 0 "ligrec             statistical" certify reference standard
mv reference good
# A quick tier is enough to refuse; it certifies nothing.
for mutant in ligrec-mean-of-expressing ligrec-sum-of-means ligrec-product-of-means; do
    expect 1 "NOT CONFORMANT  mutant:$mutant" certify "mutant:$mutant" quick
done

say "sign, and verify both ways"
ssh-keygen -q -t ed25519 -N '' -C '' -f key
ssh-keygen -q -t ed25519 -N '' -C '' -f thief
echo "a@example.org namespaces=\"backend-conformance@concord,trusted-backends@concord\" $(cat key.pub)" >allowed_signers
certificate=good/certificate.intoto.json
expect 0 "backend-conformance@concord" "$concord" sign $certificate --key key
keygen_verify() { ssh-keygen -Y verify -f allowed_signers -I a@example.org -n "$2" -s "$1.sig" <"$1"; }
expect 0 "Good" keygen_verify $certificate backend-conformance@concord
verify() { "$concord" verify "$1" --policy policy.toml --allowed-signers allowed_signers "${artifact[@]}" "${@:2}"; }
cp good/policy.toml policy.toml
holds=$([ ${#artifact[@]} -gt 0 ] && echo 0 || echo 4)
expect "$holds" "ok       results" verify $certificate
expect 0 "each gives what the certificate says" "$concord" reproduce $certificate --sample 1
expect 0 "each does not differ" "$concord" reproduce $certificate --sample 1 --challenge 00ff

say "each tampering is refused with its own message"
tampered() { # NAME MESSAGE COMMAND...: changes a copy with COMMAND, run in it, and verifies
    local name=$1 text=$2
    shift 2
    rm -rf "$name" && cp -r good "$name"
    (cd "$name" && "$@")
    expect 5 "$text" verify "$name/certificate.intoto.json"
}
resign() { "$concord" sign certificate.intoto.json --key "../${1:-key}" >/dev/null; }
edit() { sed -i "$1" certificate.intoto.json && resign; }
forge() { # COMMAND...: changes the log, and the certificate so that it names the changed log
    local before after
    before=$(sha256sum results.jsonl | cut -d' ' -f1) size=$(wc -c <results.jsonl)
    "$@"
    after=$(sha256sum results.jsonl | cut -d' ' -f1)
    edit "s/$before/$after/; s/\"bytes\": $size,/\"bytes\": $(wc -c <results.jsonl),/"
}
waiver='"waivers": [\n      {\n        "cases": 1,\n        "expires": "2099-01-01",\n        "function": "ligrec",\n        "granted": "2026-01-01",\n        "granted_by": "nobody",\n        "issue": "https://example.org/1",\n        "kind": "pvalues: value",\n        "max_cases": 9,\n        "reason": "because it is easier than to fix it",\n        "select": "seed=1"\n      }\n    ]'
tampered result "results.jsonl hashes to" sed -i '0,/"verdict":"pass"/s//"verdict":"fail"/' results.jsonl
tampered level 'granted.functions.ligrec says "full"' edit 's/"ligrec": "statistical"/"ligrec": "full"/'
tampered unsigned "is not one of these bytes" sed -i 's/"tier": "standard"/"tier": "full"/' certificate.intoto.json
tampered expiry "notAfter says" edit 's/"notAfter": "20/"notAfter": "21/'
tampered stolen "belongs to no allowed signer" resign thief
tampered waiver "waivers says 1 entries" edit "s|\"waivers\": \[\]|$waiver|"
tampered empty "the log has no record" forge sed -i '2,$d' results.jsonl
tampered skipped 'granted.functions.ligrec says "statistical", the evidence gives "none"' forge sed -i 's/"verdict":"pass"/"verdict":"not-run"/' results.jsonl
expect 5 "it expired at" verify $certificate --now 2099-01-01T00:00:00Z
cp policy.toml trusted.toml
sed 's/adequacy = "0.9"/adequacy = "0.5"/' trusted.toml >policy.toml
expect 5 "the trusted one is" verify $certificate
cp trusted.toml policy.toml
if [ ${#artifact[@]} -gt 0 ]; then
    mkdir changed && cp $wheel changed && printf x >>changed/${wheel#wheel/}
    expect 5 "has the name of the certified file and other bytes" "$concord" verify $certificate --artifact changed/${wheel#wheel/}
    expect 5 "which is not certified" "$concord" verify $certificate --artifact $other
fi

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
build() { "$concord" trust build trust --host squidpy "$@"; }
expect 5 "it was examined against reference 0.1.0 and not against squidpy" build
expect 0 "serial 1, 1 grants" build --stand-in reference
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
expect 5 "results.jsonl hashes to" build --stand-in reference

say "load it, in a real BackendDispatcher where there is one"
# scverse-backends 0.0.3 asks for Python 3.12 and runs on 3.11, which is what our loader asks for.
if ! PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore "$python" -m pip --quiet install --no-deps --ignore-requires-python \
    --retries 0 --timeout 10 --target dispatcher scverse-backends==0.0.3 >pip.log 2>&1; then
    echo "not run: PyPI does not answer, or there is no pip, so scverse-backends is not installed"
fi
PYTHONPATH=$work/dispatcher "$python" "$root/scripts/load_trusted.py" "$root/python/src" before.toml $wheel $other
echo
echo "all as expected"
