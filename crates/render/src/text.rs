//! Names and numbers as readers see them: in figures, LaTeX and Markdown. Files for programs keep the data set's own names.

/// An attribute's or classifier's name as people write it: `5_o_Clock_Shadow` is `5 o'Clock Shadow`.
#[must_use]
pub fn readable(name: &str) -> String {
    name.replace("_o_Clock", " o'Clock").replace('_', " ")
}

/// A count with groups of thousands: `12,345`.
#[must_use]
pub fn thousands(count: usize) -> String {
    let digits = count.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// A count and what is counted: `1 thread`, `2,000 threads`. Words whose plural is more than an s are the caller's.
#[must_use]
pub fn counted(count: usize, one: &str) -> String {
    match count {
        1 => format!("1 {one}"),
        _ => format!("{} {one}s", thousands(count)),
    }
}

/// A number with its true minus sign (U+2212); what rounds to zero has none.
#[must_use]
pub fn number(value: f64, places: usize) -> String {
    let text = format!("{value:.places$}");
    match text.strip_prefix('-') {
        Some(digits) if digits.chars().all(|digit| matches!(digit, '0' | '.')) => digits.to_owned(),
        Some(digits) => format!("−{digits}"),
        None => text,
    }
}

/// The same with a plus sign where it is positive.
#[must_use]
pub fn signed(value: f64, places: usize) -> String {
    let text = number(value, places);
    if value > 0.0 { format!("+{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_set_as_people_write_them() {
        assert_eq!(readable("5_o_Clock_Shadow"), "5 o'Clock Shadow");
        assert_eq!(readable("Wearing_Hat"), "Wearing Hat");
    }

    #[test]
    fn thousands_are_grouped() {
        assert_eq!(
            [0, 999, 1000, 1_234_567].map(thousands),
            ["0", "999", "1,000", "1,234,567"]
        );
    }

    #[test]
    fn one_is_no_plural() {
        assert_eq!(
            [0, 1, 2, 1000].map(|count| counted(count, "thread")),
            ["0 threads", "1 thread", "2 threads", "1,000 threads"]
        );
    }

    #[test]
    fn minus_is_no_hyphen() {
        assert_eq!(number(-0.25, 2), "−0.25");
        assert_eq!(number(-0.001, 2), "0.00");
        assert_eq!(signed(0.5, 1), "+0.5");
        assert_eq!(signed(-0.5, 1), "−0.5");
        assert_eq!(signed(0.0, 1), "0.0");
    }
}
