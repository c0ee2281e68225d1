//! Lists of allowed signers and of revoked keys, as `ssh-keygen -Y verify -f LIST -r REVOKED` reads them.
//!
//! A line is `PRINCIPALS [OPTIONS] KEYTYPE KEY [COMMENT]`; of the options, `namespaces`, `valid-after` and
//! `valid-before` are known. Any other (`cert-authority`) is an error and not ignored: it would make a list mean less
//! here than there. Times without a `Z` are read as UTC. No crate reads this format.

use std::collections::BTreeSet;

use ssh_key::public::KeyData;
use ssh_key::{HashAlg, PublicKey, SshSig};

use super::wrong;
use crate::Time;
use crate::certificate::CertificateError;

/// Whose keys are known.
#[derive(Clone, Debug, Default)]
pub struct Signers {
    entries: Vec<Entry>,
    revoked: BTreeSet<KeyData>,
}

#[derive(Clone, Debug)]
struct Entry {
    principal: String,
    namespaces: Option<Vec<String>>,
    valid_after: Option<Time>,
    valid_before: Option<Time>,
    key: PublicKey,
}

/// Who signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signer {
    /// As the list names them.
    pub principal: String,
    /// The fingerprint of their key, `SHA256:...`.
    pub key: String,
}

impl Signers {
    /// Reads a list of allowed signers and one of revoked public keys, one key a line.
    ///
    /// # Errors
    /// Names the line that cannot be read.
    pub fn parse(allowed: &str, revoked: &str) -> Result<Signers, CertificateError> {
        let mut signers = Signers::default();
        for (number, line) in lines(allowed) {
            let entry = entry(line).map_err(|e| line_error("allowed signers", number, &e))?;
            signers.entries.push(entry);
        }
        for (number, line) in lines(revoked) {
            let key =
                line.parse::<PublicKey>().map_err(|e| line_error("revoked keys", number, &e))?;
            signers.revoked.insert(key.key_data().clone());
        }
        Ok(signers)
    }

    /// Checks a detached signature of some bytes.
    ///
    /// # Errors
    /// Says which of it is wrong: the signature, its namespace, or its key.
    pub fn verify(
        &self,
        bytes: &[u8],
        signature: &str,
        namespace: &str,
        now: Time,
    ) -> Result<Signer, CertificateError> {
        let refuse = |why: String| Err(CertificateError::Key(why));
        let signature = SshSig::from_pem(signature).map_err(|e| wrong("read the signature", &e))?;
        let key = PublicKey::from(signature.public_key().clone());
        let fingerprint = key.fingerprint(HashAlg::Sha256).to_string();
        if signature.namespace() != namespace {
            return refuse(format!(
                "the signature was made for `{}`, not for `{namespace}`",
                signature.namespace()
            ));
        }
        if key.verify(namespace, bytes, &signature).is_err() {
            return refuse(format!("the signature by {fingerprint} is not one of these bytes"));
        }
        if self.revoked.contains(key.key_data()) {
            return refuse(format!("the key {fingerprint} is revoked"));
        }
        let mut entries =
            self.entries.iter().filter(|e| e.key.key_data() == key.key_data()).peekable();
        if entries.peek().is_none() {
            return refuse(format!("the key {fingerprint} belongs to no allowed signer"));
        }
        let mut why = String::new();
        for entry in entries {
            match entry.allows(namespace, now) {
                Ok(()) => {
                    return Ok(Signer { principal: entry.principal.clone(), key: fingerprint });
                }
                Err(reason) => why = format!("the key of {} {reason}", entry.principal),
            }
        }
        refuse(why)
    }
}

impl Entry {
    fn allows(&self, namespace: &str, now: Time) -> Result<(), String> {
        if self.namespaces.as_ref().is_some_and(|all| all.iter().all(|n| n != namespace)) {
            return Err(format!("is not allowed to sign for `{namespace}`"));
        }
        if let Some(from) = self.valid_after.filter(|&from| now < from) {
            return Err(format!("is valid only after {from}"));
        }
        match self.valid_before.filter(|&to| now >= to) {
            Some(to) => Err(format!("was valid only before {to}")),
            None => Ok(()),
        }
    }
}

fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let numbered = text.lines().map(str::trim).enumerate().map(|(i, line)| (i + 1, line));
    numbered.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
}

fn line_error(what: &str, number: usize, error: &dyn std::fmt::Display) -> CertificateError {
    CertificateError::Key(format!("line {number} of the {what}: {error}"))
}

fn entry(line: &str) -> Result<Entry, String> {
    let (principal, rest) =
        line.split_once(char::is_whitespace).ok_or("expected a principal and a key")?;
    let rest = rest.trim_start();
    // A key type is the first word that is no option; options hold quoted text.
    let (options, key) = match rest.parse::<PublicKey>() {
        Ok(_) => ("", rest),
        Err(_) => rest.split_at(end_of_options(rest)?),
    };
    let key = key.trim().parse::<PublicKey>().map_err(|e| e.to_string())?;
    let mut entry = Entry {
        principal: principal.to_owned(),
        namespaces: None,
        valid_after: None,
        valid_before: None,
        key,
    };
    for option in split_unquoted(options) {
        let (name, value) = option.split_once('=').unwrap_or((option, ""));
        let value = value.trim_matches('"');
        match name.to_ascii_lowercase().as_str() {
            "namespaces" => entry.namespaces = Some(value.split(',').map(str::to_owned).collect()),
            "valid-after" => entry.valid_after = Some(time(value)?),
            "valid-before" => entry.valid_before = Some(time(value)?),
            _ => return Err(format!("the option `{name}` is not supported")),
        }
    }
    Ok(entry)
}

fn end_of_options(text: &str) -> Result<usize, String> {
    let mut quoted = false;
    for (i, c) in text.char_indices() {
        match c {
            '"' => quoted = !quoted,
            c if c.is_whitespace() && !quoted => return Ok(i),
            _ => {}
        }
    }
    Err("expected a key after the options".to_owned())
}

fn split_unquoted(text: &str) -> Vec<&str> {
    let mut quoted = false;
    let parts = text.split(move |c| {
        quoted ^= c == '"';
        c == ',' && !quoted
    });
    parts.map(str::trim).filter(|part| !part.is_empty()).collect()
}

/// `YYYYMMDD`, `YYYYMMDDHHMM` or `YYYYMMDDHHMMSS`, perhaps with a `Z`.
fn time(text: &str) -> Result<Time, String> {
    let error = || format!("expected a time as YYYYMMDD[HHMM[SS]], got `{text}`");
    let digits = text.strip_suffix('Z').unwrap_or(text);
    if !digits.bytes().all(|b| b.is_ascii_digit()) || !matches!(digits.len(), 8 | 12 | 14) {
        return Err(error());
    }
    let d = format!("{digits:0<14}");
    let written =
        format!("{}-{}-{}T{}:{}:{}Z", &d[..4], &d[4..6], &d[6..8], &d[8..10], &d[10..12], &d[12..]);
    written.parse().map_err(|_| error())
}
