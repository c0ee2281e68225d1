//! Who stands behind a document: detached SSH signatures, which every maintainer can make and check with
//! `ssh-keygen -Y`.
//!
//! A signature counts only if its key is in a list of allowed signers, for this namespace, at this time, and not
//! revoked. What the signature itself says about its key is used to find the line of the list, and for nothing else.

mod allowed;
mod dsse;

pub use allowed::{Signer, Signers};
pub use dsse::envelope;

use ssh_key::{HashAlg, LineEnding, PrivateKey};

use crate::certificate::CertificateError;

/// The namespace of signatures of certificates: one made for another purpose does not count.
pub const CERTIFICATE: &str = "backend-conformance@concord";
/// The namespace of signatures of trusted lists.
pub const TRUSTED_LIST: &str = "trusted-backends@concord";

/// Signs bytes with an unencrypted Ed25519 key in OpenSSH form; gives what `ssh-keygen -Y sign` writes.
///
/// # Errors
/// When the key cannot be read, is encrypted, or is of another kind: those sign with `ssh-keygen` itself.
pub fn sign(bytes: &[u8], private_key: &str, namespace: &str) -> Result<String, CertificateError> {
    let key = read_private(private_key)?;
    let signature = key.sign(namespace, HashAlg::Sha512, bytes).map_err(|e| wrong("sign", &e))?;
    signature.to_pem(LineEnding::LF).map_err(|e| wrong("write the signature", &e))
}

fn read_private(text: &str) -> Result<PrivateKey, CertificateError> {
    let key = PrivateKey::from_openssh(text).map_err(|e| wrong("read the private key", &e))?;
    let hint =
        "sign with `ssh-keygen -Y sign -n NAMESPACE -f KEY FILE`, which asks for what it needs";
    if key.is_encrypted() {
        return Err(CertificateError::Key(format!("the private key is encrypted: {hint}")));
    }
    match key.algorithm() {
        ssh_key::Algorithm::Ed25519 => Ok(key),
        other => Err(CertificateError::Key(format!(
            "the private key is {other}, expected ssh-ed25519: {hint}"
        ))),
    }
}

fn wrong(what: &str, error: &dyn std::fmt::Display) -> CertificateError {
    CertificateError::Key(format!("{what}: {error}"))
}
