//! What is said of letters that the font of figures does not have.

use std::collections::BTreeSet;

use render::Format;

/// So many letters are named; of more it is said how many.
const NAMED: usize = 20;

/// One line for all figures of a folder: which letters are boxes, where, and what to do. `None` where none is.
pub fn said_of_letters(letters: &BTreeSet<char>, formats: &[Format]) -> Option<String> {
    let boxed = [(Format::Pdf, "PDF"), (Format::Png, "PNG")];
    let boxed: Vec<&str> = boxed
        .into_iter()
        .filter_map(|(format, name)| formats.contains(&format).then_some(name))
        .collect();
    if letters.is_empty() || boxed.is_empty() {
        return None;
    }
    let named: Vec<String> = letters.iter().take(NAMED).map(char::to_string).collect();
    let more = match letters.len() - named.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    Some(format!(
        "the font of figures has no picture of {}{more}: {} a box in place of each. The report and SVG files show them with the \
         fonts of whoever looks: print those, or name the attributes in letters that the font has (Latin, Greek, Cyrillic, Arabic, \
         Armenian, Georgian)",
        named.join(" "),
        match boxed.as_slice() {
            [one] => format!("{one} shows"),
            several => format!("{} show", several.join(" and ")),
        },
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_named_and_many_are_counted() {
        let letters: BTreeSet<char> = "微笑".chars().collect();
        let all = [Format::Svg, Format::Pdf, Format::Png];
        let said = said_of_letters(&letters, &all).expect("a line");
        assert!(said.contains("no picture of 微 笑: PDF and PNG show a box"), "{said}");
        assert_eq!(said_of_letters(&letters, &[Format::Svg]), None);
        assert_eq!(said_of_letters(&BTreeSet::new(), &all), None);
        let many: BTreeSet<char> = ('\u{4e00}'..'\u{4e20}').collect();
        assert!(said_of_letters(&many, &all).expect("a line").contains(" and 12 more: "));
    }
}
