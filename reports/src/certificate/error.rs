//! Why a document about trust cannot be read or made.

/// Why a certificate, a policy, a key file or a list cannot be read or made.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// Not JSON, or not of the expected form.
    #[error("the certificate is not readable: {0}")]
    Json(serde_json::Error),
    /// Of the expected form, but not written as certificates are.
    #[error("the certificate is not in its one form: {0}")]
    Form(String),
    /// The policy is not one.
    #[error("the policy is not readable: {0}")]
    Policy(String),
    /// The report of adequacy is not one.
    #[error("the adequacy report is not readable: {0}")]
    Adequacy(serde_json::Error),
    /// The run cannot be certified at all.
    #[error("no certificate can be made: {0}")]
    Refused(String),
    /// A key, a signature or a list of signers is wrong.
    #[error("{0}")]
    Key(String),
    /// A wheel cannot be read.
    #[error("read wheel {file}: {why}")]
    Wheel {
        /// The file.
        file: String,
        /// What is wrong.
        why: String,
    },
    /// A trusted list or its description is wrong.
    #[error("{0}")]
    List(String),
}

impl From<serde_json::Error> for CertificateError {
    fn from(error: serde_json::Error) -> CertificateError {
        CertificateError::Json(error)
    }
}
