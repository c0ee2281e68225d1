//! The same certificate for users of Sigstore: a DSSE envelope with a raw Ed25519 signature.

use base64ct::{Base64, Encoding};
use serde_json::{Value, json};
use signature::Signer;
use ssh_key::HashAlg;
use ssh_key::private::KeypairData;

use super::{read_private, wrong};
use crate::certificate::CertificateError;

/// The type of the payload that in-toto asks for.
const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

/// Wraps a certificate as DSSE 1.0 does: the signature is over the length-prefixed type and bytes, so that neither
/// can be taken for the other. `keyid` is a hint; a verifier brings the key.
///
/// # Errors
/// As [`super::sign`].
pub fn envelope(bytes: &[u8], private_key: &str) -> Result<Value, CertificateError> {
    let key = read_private(private_key)?;
    let KeypairData::Ed25519(pair) = key.key_data() else {
        return Err(CertificateError::Key("the private key is not ssh-ed25519".to_owned()));
    };
    let signature = pair.try_sign(&pre_authentication(bytes)).map_err(|e| wrong("sign", &e))?;
    Ok(json!({
        "payload": Base64::encode_string(bytes),
        "payloadType": PAYLOAD_TYPE,
        "signatures": [{
            "keyid": key.fingerprint(HashAlg::Sha256).to_string(),
            "sig": Base64::encode_string(signature.as_bytes()),
        }],
    }))
}

/// `DSSEv1 LEN TYPE LEN BODY`.
pub(super) fn pre_authentication(bytes: &[u8]) -> Vec<u8> {
    let head = format!("DSSEv1 {} {PAYLOAD_TYPE} {} ", PAYLOAD_TYPE.len(), bytes.len());
    [head.as_bytes(), bytes].concat()
}
