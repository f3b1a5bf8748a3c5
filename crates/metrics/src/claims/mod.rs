//! The paper's claims: what they are judged on, and the verdicts.

mod evidence;
mod finding;

pub use evidence::{AttributeEvidence, ClassifierEvidence, Grounds, Mean};
pub use finding::{Claim, Described, Finding, MIN_SAMPLES, RULE, described, findings};
