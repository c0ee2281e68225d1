//! What a maintainer can check before trusting a build: the certificate.
//!
//! A certificate is an in-toto Statement whose predicate says what was examined, by what, how it went, and which
//! [`Level`] follows for each function. It is a pure function ([`issue`]) of the log, the [`Policy`], the
//! [`Adequacy`] of the examination and the [`Circumstances`] that only the person who ran it knows. Whoever reads
//! one believes nothing that can be computed: [`verify`] issues it again from the evidence and compares.
//!
//! It is written in one form only ([`to_bytes`]): sorted keys, two spaces, no floating-point numbers, so that the
//! same facts give the same bytes and a signature over the bytes says what it seems to say.

mod adequacy;
mod circumstances;
mod decimal;
mod error;
mod evidence;
mod grant;
mod issue;
mod json;
mod level;
mod policy;
mod results;
mod statement;
mod verify;

pub use adequacy::{Adequacy, FunctionAdequacy};
pub use circumstances::{
    Accelerator, Answer, Circumstances, Clocks, DeviceState, Environment, Execution, Machine,
    Runner, SelfTest,
};
pub use decimal::Decimal;
pub use error::CertificateError;
pub use evidence::{ADEQUACY, POLICY, RESULTS, resource};
pub use grant::{Grant, Granted, Terms, grant};
pub use issue::issue;
pub use json::{from_bytes, to_bytes};
pub use level::{Assurance, Level};
pub use policy::Policy;
pub use results::{Cases, FunctionResult, Margin};
pub use statement::*;
pub use verify::{Dossier, Finding, Replan, Replanned, Standing, Topic, verify};

/// The file name of a certificate.
pub const FILE_NAME: &str = "certificate.intoto.json";
