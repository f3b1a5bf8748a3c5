//! Numbers within their ranges, and what is said of those that are not.

use std::fmt;

/// What is wrong with the value of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The key, from the experiment's root.
    pub key: String,
    /// The value, and what is allowed.
    pub message: String,
}

impl Problem {
    pub(super) fn new(key: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            key: key.into(),
            message: message.into(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.key, self.message)
    }
}

/// At least so many.
pub(super) fn at_least(key: &str, value: usize, least: usize) -> Result<(), Problem> {
    if value >= least {
        Ok(())
    } else {
        Err(Problem::new(key, format!("{value}, expected at least {least}")))
    }
}

/// At most so many.
pub(super) fn at_most(key: &str, value: usize, most: usize) -> Result<(), Problem> {
    if value <= most {
        Ok(())
    } else {
        Err(Problem::new(key, format!("{value}, expected at most {most}")))
    }
}

/// Between two numbers, or one of them; NaN is outside of every range.
pub(super) fn within(key: &str, value: f64, least: f64, most: f64) -> Result<(), Problem> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    let least = if least == f64::MIN_POSITIVE {
        "more than 0".to_owned()
    } else {
        format!("at least {least}")
    };
    Err(Problem::new(
        key,
        format!("{value}, expected {least} and at most {most}"),
    ))
}
