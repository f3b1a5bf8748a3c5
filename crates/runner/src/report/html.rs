//! Text for HTML.

/// Text that may stand between tags and in quoted attributes.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// A number with a real minus sign, and a plus sign if asked for.
pub(super) fn number(value: f64, decimals: usize, plus: bool) -> String {
    let text = if plus {
        format!("{value:+.decimals$}")
    } else {
        format!("{value:.decimals$}")
    };
    text.replace('-', "\u{2212}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_is_escaped() {
        assert_eq!(
            escape("<a href='x'>\"&\""),
            "&lt;a href=&#39;x&#39;&gt;&quot;&amp;&quot;"
        );
    }

    #[test]
    fn signs_are_those_of_print() {
        assert_eq!(number(-0.25, 2, false), "−0.25");
        assert_eq!(number(0.25, 1, true), "+0.2");
    }
}
