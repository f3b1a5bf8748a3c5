//! Tables on the terminal.

use comfy_table::{LineStyle, TableStyle};

use super::data::{Cell, Column, Sheet};
use super::lines::{ABSENT, noted, plain, styled};

/// Lines above, below the head, and at the end.
const STYLE: TableStyle = TableStyle::new()
    .top_border(LineStyle::new('─', '─', '─', '─'))
    .header_separator(LineStyle::new('─', '─', '─', '─'))
    .bottom_border(LineStyle::new('─', '─', '─', '─'));

/// More columns than these leave no room for heads of one line.
const FEW: usize = 5;

impl Sheet {
    /// The table for a terminal. A star marks.
    #[must_use]
    pub fn terminal(&self) -> String {
        let between = if self.columns.len() > FEW { "\n" } else { " " };
        let starred: Vec<bool> = (0..self.columns.len())
            .map(|column| {
                let mut cells = self.rows.iter().filter_map(|row| row.get(column));
                cells.any(|cell| matches!(cell, Cell::Number { strong: true, .. }))
            })
            .collect();
        let heading = |column: &Column| column.heading(between);
        styled(self, STYLE, heading, |cell, column| {
            let text = match cell {
                Cell::Text(text) | Cell::Name { name: text, .. } | Cell::Link { text, .. } => text.clone(),
                Cell::Count(count) => count.to_string(),
                Cell::Number { value, note, .. } => noted(plain(*value, self.columns[column].unit), note),
                Cell::Absent => ABSENT.to_owned(),
                Cell::Spanned => String::new(),
            };
            match (starred[column], cell) {
                (false, _) => text,
                (true, Cell::Number { strong: true, .. }) => text + "*",
                // Digits stand below digits.
                (true, _) => text + " ",
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::Unit;
    use super::*;

    #[test]
    fn digits_stand_below_digits() {
        let sheet = Sheet {
            columns: vec![
                Column::new("attribute", Unit::Text),
                Column::new("FNR", Unit::Share).under("balanced"),
                Column::new("difference", Unit::Signed(2)),
            ],
            rows: vec![
                vec![
                    Cell::name("Big_Nose"),
                    Cell::number(Some(0.25)).emphasised(),
                    Cell::number(Some(0.5)).with_note("[+0.1, +0.9]"),
                ],
                vec![Cell::name("Bald"), Cell::number(Some(0.5)), Cell::number(Some(-0.5))],
                vec![Cell::name("Bangs"), Cell::number(None)],
            ],
            ..Sheet::default()
        };
        let text = sheet.terminal();
        let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
        assert!(lines[1].contains("balanced FNR"), "{text}");
        assert!(
            lines[3].contains("Big_Nose") && lines[3].contains("0.250*") && lines[3].ends_with("+0.50 [+0.1, +0.9]")
        );
        assert!(lines[4].contains("0.500  ") && lines[4].ends_with("-0.50"), "{text}");
        assert!(lines[5].contains("–  ") && lines[5].ends_with('–'), "{text}");
    }
}
