//! The paper's claims: what they are judged on, and the verdicts.

mod claim;
mod evidence;
mod finding;

pub use claim::{Claim, MIN_SAMPLES};
pub use evidence::{AttributeEvidence, ClassifierEvidence, Grounds, Mean};
pub use finding::{Described, Finding, RULE, described, findings};
