//! The paper's claims: what they are judged on, and the verdicts.

mod evidence;
mod finding;

pub use evidence::{AttributeEvidence, ClassifierEvidence, SampleMean};
pub use finding::{Claim, Finding, MIN_SAMPLES, Verdict, findings};
