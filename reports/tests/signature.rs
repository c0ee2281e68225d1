//! Signatures work both ways with the tool that maintainers have.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod certified;
mod sample;

use std::path::Path;
use std::process::{Command, Stdio};

use certified::{Case, private, public};
use reports::signature::{self, CERTIFICATE, Signers};

/// Runs `ssh-keygen`; `None`, with a line that says so, where it is not installed.
fn keygen(arguments: &[&str], dir: &Path, stdin: Option<&str>) -> Option<(bool, String)> {
    let mut command = Command::new("ssh-keygen");
    command.args(arguments).current_dir(dir);
    if let Some(file) = stdin {
        command.stdin(Stdio::from(std::fs::File::open(dir.join(file)).unwrap()));
    }
    match command.output() {
        Ok(output) => {
            let text = [output.stdout, output.stderr].concat();
            Some((output.status.success(), String::from_utf8_lossy(&text).into_owned()))
        }
        Err(error) => {
            println!("skipped: ssh-keygen cannot be run ({error})");
            None
        }
    }
}

fn folder() -> tempfile::TempDir {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path();
    std::fs::write(path.join("c.json"), Case::new().bytes()).unwrap();
    std::fs::write(path.join("key"), private(1)).unwrap();
    std::fs::set_permissions(path.join("key"), std::fs::Permissions::from_mode(0o600)).unwrap();
    std::fs::write(path.join("key.pub"), public(1)).unwrap();
    let allowed = format!(
        "a@example.org namespaces=\"{CERTIFICATE}\",valid-before=\"20300101\" {} comment\n",
        public(1)
    );
    std::fs::write(path.join("allowed"), allowed).unwrap();
    dir
}

#[test]
fn ssh_keygen_accepts_our_signature() {
    let dir = folder();
    let ours = signature::sign(&Case::new().bytes(), &private(1), CERTIFICATE).unwrap();
    std::fs::write(dir.path().join("c.json.sig"), ours).unwrap();
    let verify = |namespace| {
        let arguments = [
            "-Y",
            "verify",
            "-f",
            "allowed",
            "-I",
            "a@example.org",
            "-n",
            namespace,
            "-s",
            "c.json.sig",
        ];
        keygen(&arguments, dir.path(), Some("c.json"))
    };
    let Some((ok, text)) = verify(CERTIFICATE) else { return };
    assert!(ok, "{text}");
    assert!(!verify("git").unwrap().0);
}

#[test]
fn we_accept_the_signature_of_ssh_keygen() {
    let dir = folder();
    let sign = ["-Y", "sign", "-f", "key", "-n", CERTIFICATE, "c.json"];
    let Some((ok, text)) = keygen(&sign, dir.path(), None) else { return };
    assert!(ok, "{text}");
    let theirs = std::fs::read_to_string(dir.path().join("c.json.sig")).unwrap();
    let allowed = std::fs::read_to_string(dir.path().join("allowed")).unwrap();
    let signers = Signers::parse(&allowed, "").unwrap();
    let signer =
        signers.verify(&Case::new().bytes(), &theirs, CERTIFICATE, Case::new().now).unwrap();
    assert_eq!(signer.principal, "a@example.org");
}

#[test]
fn what_a_list_of_signers_means_is_never_guessed() {
    let key = public(1);
    let parse = |line: String| Signers::parse(&line, "").map_err(|e| e.to_string());
    for good in [
        format!("a@b {key}"),
        format!("# a comment\n\na@b namespaces=\"x,y\" {key} a comment"),
        format!("a@b valid-after=\"20260101\",valid-before=\"202612312359Z\" {key}"),
    ] {
        assert!(parse(good.clone()).is_ok(), "{good}");
    }
    for (bad, why) in [
        (format!("a@b cert-authority {key}"), "`cert-authority` is not supported"),
        (format!("a@b valid-before=\"tomorrow\" {key}"), "expected a time"),
        ("a@b".to_owned(), "line 1 of the allowed signers"),
        ("a@b ssh-ed25519 AAAA".to_owned(), "line 1"),
    ] {
        let error = parse(bad.clone()).unwrap_err();
        assert!(error.contains(why), "{bad}: {error}");
    }
}

#[test]
fn an_envelope_for_sigstore_signs_type_and_bytes() {
    use base64ct::{Base64, Encoding};
    let bytes = Case::new().bytes();
    let envelope = signature::envelope(&bytes, &private(1)).unwrap();
    assert_eq!(envelope["payloadType"], "application/vnd.in-toto+json");
    assert_eq!(Base64::decode_vec(envelope["payload"].as_str().unwrap()).unwrap(), bytes);
    let raw = Base64::decode_vec(envelope["signatures"][0]["sig"].as_str().unwrap()).unwrap();
    let raw = ssh_key::Signature::new(ssh_key::Algorithm::Ed25519, raw).unwrap();
    let signed = [
        b"DSSEv1 28 application/vnd.in-toto+json ",
        bytes.len().to_string().as_bytes(),
        b" ",
        &bytes,
    ]
    .concat();
    let key = certified::key(1);
    ::signature::Verifier::verify(key.public_key().key_data(), &signed, &raw).unwrap();
    assert!(::signature::Verifier::verify(key.public_key().key_data(), &bytes, &raw).is_err());
}
