//! Text for HTML.

use serde::Serialize;

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

/// A name of a file or an attribute as one reads it.
pub(super) fn readable(name: &str) -> String {
    name.replace('_', " ")
}

/// Data for a script element: JSON in which no text can end the element.
pub(super) fn script_json<T: Serialize>(data: &T) -> String {
    // Plain data: its serialisation cannot fail.
    serde_json::to_string(data).unwrap_or_default().replace('<', "\\u003c")
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
        assert_eq!(number(0.25, 2, true), "+0.25");
    }

    #[test]
    fn data_cannot_end_its_script() {
        let text = script_json(&["</script><script>alert(1)"]);
        assert!(!text.contains('<'));
        let back: Vec<String> = serde_json::from_str(&text).expect("JSON");
        assert_eq!(back, ["</script><script>alert(1)"]);
    }
}
