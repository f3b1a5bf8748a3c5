//! Numbers within their ranges, and what is said of those that are not.

/// At least so many.
pub(super) fn at_least(key: &str, value: usize, least: usize) -> Result<(), String> {
    if value >= least {
        Ok(())
    } else {
        Err(format!("{key}: {value}, expected at least {least}"))
    }
}

/// At most so many.
pub(super) fn at_most(key: &str, value: usize, most: usize) -> Result<(), String> {
    if value <= most {
        Ok(())
    } else {
        Err(format!("{key}: {value}, expected at most {most}"))
    }
}

/// Between two numbers, or one of them; NaN is outside of every range.
pub(super) fn within(key: &str, value: f64, least: f64, most: f64) -> Result<(), String> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    let least = if least == f64::MIN_POSITIVE {
        "more than 0".to_owned()
    } else {
        format!("at least {least}")
    };
    Err(format!("{key}: {value}, expected {least} and at most {most}"))
}
