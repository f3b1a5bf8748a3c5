//! Tables in Markdown.

use comfy_table::presets::ASCII_MARKDOWN;

use super::data::{Cell, Column, Sheet};
use super::lines::{ABSENT, noted, styled};

impl Sheet {
    /// The table in Markdown, without a line's end after the last row.
    #[must_use]
    pub fn markdown(&self) -> String {
        let heading = |column: &Column| escaped(&column.heading(" "));
        styled(self, ASCII_MARKDOWN, heading, |cell, column| match cell {
            Cell::Text(text) | Cell::Name { title: text, .. } | Cell::Link { text, .. } => escaped(text),
            Cell::Count(count) => count.to_string(),
            Cell::Number { value, note, strong } => {
                let number = self.columns[column].unit.printed(*value);
                noted(if *strong { format!("**{number}**") } else { number }, note)
            }
            Cell::Absent => ABSENT.to_owned(),
            Cell::Spanned => String::new(),
        })
    }
}

/// A text that does not end its cell.
fn escaped(text: &str) -> String {
    text.replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use super::super::Unit;
    use super::*;

    #[test]
    fn names_and_signs_are_those_of_print() {
        let sheet = Sheet {
            columns: vec![
                Column::new("attribute", Unit::Text),
                Column::new("score", Unit::Number(3)).under("balanced"),
            ],
            rows: vec![
                vec![Cell::name("Big_Nose"), Cell::number(Some(-0.25)).emphasised()],
                vec![Cell::name("Bald"), Cell::Absent],
            ],
            ..Sheet::default()
        };
        let text = sheet.markdown();
        assert_eq!(
            text.lines().collect::<Vec<_>>(),
            [
                "| attribute | balanced score |",
                "|-----------|----------------|",
                "| Big Nose  |     **−0.250** |",
                "| Bald      |              – |"
            ]
        );
    }

    #[test]
    fn a_bar_in_a_name_is_no_border() {
        let sheet = Sheet::default().texts("a|b", &["x|y"]);
        assert_eq!(
            sheet.markdown().lines().collect::<Vec<_>>(),
            [r"| a\|b |", "|------|", r"| x\|y |"]
        );
    }
}
