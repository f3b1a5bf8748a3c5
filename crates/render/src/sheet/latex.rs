//! Tables in LaTeX, and a document that shows them.

use super::data::{Cell, Column, Sheet, groups, rows_of_groups};
use super::lines::{ABSENT, noted};
use crate::text::{number, readable};

impl Sheet {
    /// The table as a `tabular` to be put into a paper by `\input`. It needs booktabs and nothing else, which its comments say.
    #[must_use]
    pub fn latex(&self) -> String {
        let first = usize::from(self.sections);
        let columns = self.columns.get(first..).unwrap_or_default();
        let (body, summary) = self.rows.split_at(self.rows.len().saturating_sub(self.summary));
        let mut lines = self.comments();
        if !self.emphasis.is_empty() {
            lines.push(format!("\\providecommand{{\\{}}}[1]{{\\textbf{{#1}}}}", self.emphasis));
        }
        lines.push(format!("\\begin{{tabular}}{{{}}}", alignment(columns)));
        lines.push("\\toprule".to_owned());
        lines.extend(heads(columns));
        for section in body.chunk_by(|row, next| !self.sections || row.first() == next.first()) {
            lines.push("\\midrule".to_owned());
            if let (true, Some((cell, column))) = (self.sections, section[0].first().zip(self.columns.first())) {
                let (width, name) = (columns.len(), self.cell(cell, column));
                lines.push(format!("\\multicolumn{{{width}}}{{@{{}}l}}{{\\emph{{{name}}}}} \\\\"));
            }
            lines.extend(section.iter().map(|row| self.row(row, first)));
        }
        if !summary.is_empty() {
            lines.push("\\midrule".to_owned());
            lines.extend(summary.iter().map(|row| self.row(row, first)));
        }
        lines.extend(["\\bottomrule", "\\end{tabular}", ""].map(str::to_owned));
        lines.join("\n")
    }

    /// What whoever reads the file should know.
    fn comments(&self) -> Vec<String> {
        let words = [&self.title, &self.note].into_iter().flat_map(|text| text.lines());
        let mut comments: Vec<String> = std::iter::once("Needs \\usepackage{booktabs}.")
            .chain(words)
            .map(|line| format!("% {line}"))
            .collect();
        if !self.emphasis.is_empty() {
            comments.push(format!(
                "% \\{} marks numbers: they are bold, unless a paper defines it otherwise before.",
                self.emphasis
            ));
        }
        comments
    }

    /// A row from its cell `first` on.
    fn row(&self, row: &[Cell], first: usize) -> String {
        let columns = self.columns.iter().enumerate().skip(first);
        let cells: Vec<(&Cell, &Column)> = columns
            .map(|(index, column)| (row.get(index).unwrap_or(&Cell::Absent), column))
            .collect();
        line(
            cells
                .chunk_by(|_, (next, _)| **next == Cell::Spanned)
                .map(|chunk| match *chunk {
                    [(cell, column)] => self.cell(cell, column),
                    _ => across(chunk.len(), &self.cell(chunk[0].0, chunk[0].1)),
                }),
        )
    }

    fn cell(&self, cell: &Cell, column: &Column) -> String {
        match cell {
            Cell::Text(text) | Cell::Name { title: text, .. } | Cell::Link { text, .. } => escaped(text),
            Cell::Count(count) => escaped(&number(*count as f64, 0)),
            Cell::Number { value, note, strong } => {
                let number = escaped(&column.unit.printed(*value));
                let number = match (*strong, self.emphasis) {
                    (false, _) => number,
                    (true, "") => format!("\\textbf{{{number}}}"),
                    (true, command) => format!("\\{command}{{{number}}}"),
                };
                noted(number, &escaped(note))
            }
            Cell::Absent => escaped(ABSENT),
            Cell::Spanned => String::new(),
        }
    }
}

/// A document with tables: the name of each one's file without extension, and the table, whose title is the caption. What is wider
/// than the page is set smaller.
#[must_use]
pub fn latex_document(tables: &[(&str, &Sheet)]) -> String {
    let head = [
        "% All tables of a run: pdflatex tables.tex. In a paper, \\input one of the files instead; it needs booktabs.",
        "\\documentclass[10pt]{article}",
        "\\usepackage[utf8]{inputenc}",
        "\\usepackage[T1]{fontenc}",
        "\\usepackage[a4paper, margin=18mm]{geometry}",
        "\\usepackage{booktabs, graphicx}",
        "\\newsavebox{\\wide}",
        "\\newcommand{\\tablefile}[1]{\\sbox{\\wide}{\\input{#1}}%",
        "  \\ifdim\\wd\\wide>\\linewidth\\resizebox{\\linewidth}{!}{\\usebox{\\wide}}\\else\\usebox{\\wide}\\fi}",
        "\\begin{document}",
    ];
    let mut lines = head.map(str::to_owned).to_vec();
    for (file, table) in tables {
        let caption = escaped(&table.title);
        lines.push(format!(
            "\\begin{{table}}[p]\n  \\centering\\footnotesize\n  \\caption{{{caption}}}\n  \\medskip\n  \\tablefile{{{file}}}\n\\end{{table}}"
        ));
    }
    lines.extend(["\\end{document}", ""].map(str::to_owned));
    lines.join("\n")
}

/// The first column to the left, the others to the right; groups stand apart.
fn alignment(columns: &[Column]) -> String {
    let others: String = groups(columns.get(1..).unwrap_or_default(), 0)
        .map(|(_, count)| format!(" {}", "r".repeat(count)))
        .collect();
    format!("@{{}}l{others}@{{}}")
}

/// Groups with lines below them, and titles.
fn heads(columns: &[Column]) -> Vec<String> {
    let mut lines = Vec::new();
    for row in (0..rows_of_groups(columns)).rev() {
        let (mut cells, mut rules, mut before) = (Vec::new(), Vec::new(), 0);
        for (group, count) in groups(columns, row) {
            let (from, to) = (before + 1, before + count);
            match group {
                Some(group) => {
                    cells.push(across(count, &escaped(group)));
                    rules.push(format!("\\cmidrule(lr){{{from}-{to}}}"));
                }
                None => cells.extend(std::iter::repeat_n(String::new(), count)),
            }
            before = to;
        }
        lines.extend([line(cells), rules.join(" ")]);
    }
    lines.push(line(columns.iter().map(|column| escaped(&column.title))));
    lines
}

/// What stands in the middle of several columns.
fn across(columns: usize, text: &str) -> String {
    format!("\\multicolumn{{{columns}}}{{c}}{{{text}}}")
}

/// The cells of a row.
fn line(cells: impl IntoIterator<Item = String>) -> String {
    let mut line = String::new();
    for (index, cell) in cells.into_iter().enumerate() {
        if index > 0 {
            line.push_str(if cell.is_empty() { " &" } else { " & " });
        }
        line.push_str(&cell);
    }
    line + " \\\\"
}

/// Text as LaTeX prints it: names as people write them, and nothing that would be a command.
fn escaped(text: &str) -> String {
    let text: Vec<char> = readable(text).chars().collect();
    let mut escaped = String::with_capacity(text.len());
    for (index, &character) in text.iter().enumerate() {
        let joined =
            |neighbour: Option<&char>| neighbour.is_some_and(|c| c.is_alphanumeric() || matches!(c, '+' | '-'));
        match character {
            '&' | '%' | '$' | '#' | '{' | '}' => escaped.extend(['\\', character]),
            '\\' => escaped.push_str("\\textbackslash{}"),
            '~' => escaped.push_str("\\textasciitilde{}"),
            '^' => escaped.push_str("\\textasciicircum{}"),
            '<' => escaped.push_str("\\textless{}"),
            '>' => escaped.push_str("\\textgreater{}"),
            '|' => escaped.push_str("\\textbar{}"),
            '"' => escaped.push_str("\\textquotedbl{}"),
            // After the end of a row these two belong to it.
            '[' | '*' => escaped.extend(['{', character, '}']),
            '–' => escaped.push_str("--"),
            '−' => escaped.push_str("$-$"),
            '±' => escaped.push_str("$\\pm$"),
            '↑' => escaped.push_str("$\\uparrow$"),
            '↓' => escaped.push_str("$\\downarrow$"),
            // Alone it is a sign, in `Grad-CAM++` it is not.
            '+' | '-' if !joined(index.checked_sub(1).and_then(|at| text.get(at))) && !joined(text.get(index + 1)) => {
                escaped.extend(['$', character, '$']);
            }
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::super::Unit;
    use super::*;

    /// Names that are hard to set.
    const NAMES: [&str; 7] = [
        "5_o_Clock_Shadow",
        "Salt & Pepper 50%",
        "a\\b{c}~^#$",
        "\"<|>\"",
        "Élan",
        "[first]",
        "*",
    ];

    /// Two halves of classifiers, as the paper's table.
    fn halves(classifiers: &[&str], rows: usize) -> Sheet {
        let mut columns = vec![
            Column::new("Attribute", Unit::Text),
            Column::new("Positive", Unit::Share),
        ];
        for (half, titles) in [("Error rate", ["FNR", "FPR"]), ("Mean energy", ["+", "-"])] {
            for classifier in classifiers {
                columns.extend(titles.map(|title| Column::new(title, Unit::Share).under(*classifier).under(half)));
            }
        }
        let row = |index: usize| {
            let numbers = (1..columns.len()).map(|column| match (index * column) % 5 {
                3 => Cell::Absent,
                2 => Cell::number(Some(0.25)).emphasised(),
                _ => Cell::number(Some(0.5)),
            });
            let name = Cell::name(&format!("{} {index}", NAMES[index % NAMES.len()]));
            std::iter::once(name).chain(numbers).collect()
        };
        Sheet {
            title: "Error rates, and energies of those predicted positive (+) and negative (-), in % & more."
                .to_owned(),
            rows: (0..rows).map(row).collect(),
            columns,
            emphasis: "majority",
            ..Sheet::default()
        }
    }

    /// Rows in sections, with notes, and what sums them up across columns.
    fn sections() -> Sheet {
        let row = |section: &str, name: &str, value: f64| {
            vec![
                Cell::from(section),
                Cell::from(name),
                Cell::number(Some(value)).with_note("± 0.1 [-1, 2]"),
                Cell::number(Some(value)).emphasised(),
                Cell::Count(-3),
            ]
        };
        Sheet {
            note: "For whoever reads the file: 50 %.\nAnd more.".to_owned(),
            columns: vec![
                Column::new("classifier", Unit::Text),
                Column::new("method", Unit::Text),
                Column::new("deletion ↓", Unit::Signed(2)),
                Column::new("insertion ↑", Unit::Number(1)),
                Column::new("n", Unit::Count),
            ],
            rows: vec![
                row("un_balanced", "Grad-CAM++", 0.5),
                row("un_balanced", "[CAM]", -0.25),
                row("balanced", "*", -0.001),
                vec![
                    Cell::Absent,
                    Cell::from("Mean |difference|"),
                    Cell::from("−0.1"),
                    Cell::Spanned,
                ],
            ],
            sections: true,
            summary: 1,
            ..Sheet::default()
        }
    }

    /// Braces and environments are closed, and every row has the columns that the head announces.
    fn parse(latex: &str) {
        let mut depth = 0_i32;
        let mut characters = latex.lines().filter(|line| !line.starts_with('%')).flat_map(str::chars);
        while let Some(character) = characters.next() {
            match character {
                '\\' => drop(characters.next()),
                '{' => depth += 1,
                '}' => depth -= 1,
                _ => {}
            }
            assert!(depth >= 0, "a brace too many is closed");
        }
        assert_eq!(depth, 0, "a brace is not closed");
        assert_eq!(latex.matches("\\begin{tabular}").count(), 1);
        assert_eq!(latex.matches("\\end{tabular}").count(), 1);
        let (_, rest) = latex.split_once("\\begin{tabular}{").expect("a table");
        let (head, body) = rest.split_once("}\n").expect("columns");
        let columns = head.chars().filter(|column| matches!(column, 'l' | 'r' | 'c')).count();
        for row in body.lines().filter(|line| line.ends_with("\\\\")) {
            let cells = row.replace("\\&", "").matches('&').count() + 1;
            let spanned: usize = row
                .split("\\multicolumn{")
                .skip(1)
                .map(|rest| {
                    let columns = rest.split('}').next().unwrap_or_default();
                    columns.parse::<usize>().expect("a number") - 1
                })
                .sum();
            assert_eq!(cells + spanned, columns, "{row}");
        }
    }

    #[test]
    fn groups_stand_above_titles_with_lines_between() {
        let text = halves(&["un_balanced", "balanced"], 2).latex();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines,
            [
                "% Needs \\usepackage{booktabs}.",
                "% Error rates, and energies of those predicted positive (+) and negative (-), in % & more.",
                "% \\majority marks numbers: they are bold, unless a paper defines it otherwise before.",
                "\\providecommand{\\majority}[1]{\\textbf{#1}}",
                "\\begin{tabular}{@{}l r rr rr rr rr@{}}",
                "\\toprule",
                " & & \\multicolumn{4}{c}{Error rate} & \\multicolumn{4}{c}{Mean energy} \\\\",
                "\\cmidrule(lr){3-6} \\cmidrule(lr){7-10}",
                " & & \\multicolumn{2}{c}{un balanced} & \\multicolumn{2}{c}{balanced} & \\multicolumn{2}{c}{un balanced} & \
                 \\multicolumn{2}{c}{balanced} \\\\",
                "\\cmidrule(lr){3-4} \\cmidrule(lr){5-6} \\cmidrule(lr){7-8} \\cmidrule(lr){9-10}",
                "Attribute & Positive & FNR & FPR & FNR & FPR & $+$ & $-$ & $+$ & $-$ \\\\",
                "\\midrule",
                "5 o'Clock Shadow 0 & 0.500 & 0.500 & 0.500 & 0.500 & 0.500 & 0.500 & 0.500 & 0.500 & 0.500 \\\\",
                "Salt \\& Pepper 50\\% 1 & 0.500 & \\majority{0.250} & -- & 0.500 & 0.500 & 0.500 & \\majority{0.250} & -- & \
                 0.500 \\\\",
                "\\bottomrule",
                "\\end{tabular}",
            ]
        );
    }

    #[test]
    fn sections_and_sums_stand_apart() {
        let text = sections().latex();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines,
            [
                "% Needs \\usepackage{booktabs}.",
                "% For whoever reads the file: 50 %.",
                "% And more.",
                "\\begin{tabular}{@{}l rrr@{}}",
                "\\toprule",
                "method & deletion $\\downarrow$ & insertion $\\uparrow$ & n \\\\",
                "\\midrule",
                "\\multicolumn{4}{@{}l}{\\emph{un balanced}} \\\\",
                "Grad-CAM++ & +0.50 $\\pm$ 0.1 {[}-1, 2] & \\textbf{0.5} & $-$3 \\\\",
                "{[}CAM] & $-$0.25 $\\pm$ 0.1 {[}-1, 2] & \\textbf{$-$0.2} & $-$3 \\\\",
                "\\midrule",
                "\\multicolumn{4}{@{}l}{\\emph{balanced}} \\\\",
                "{*} & 0.00 $\\pm$ 0.1 {[}-1, 2] & \\textbf{0.0} & $-$3 \\\\",
                "\\midrule",
                "Mean \\textbar{}difference\\textbar{} & \\multicolumn{2}{c}{$-$0.1} & -- \\\\",
                "\\bottomrule",
                "\\end{tabular}",
            ]
        );
    }

    #[test]
    fn signs_and_names_are_set_properly() {
        assert_eq!(escaped("5_o_Clock_Shadow"), "5 o'Clock Shadow");
        assert_eq!(escaped("50%_&"), "50\\% \\&");
        assert_eq!(
            escaped("energy -, (+), +1, Grad-CAM++"),
            "energy $-$, ($+$), +1, Grad-CAM++"
        );
    }

    #[test]
    fn tables_parse_and_compile() {
        let tables = [
            ("one", halves(&["balanced"], 1)),
            ("two", halves(&["unbalanced", "balanced"], 7)),
            (
                "many",
                halves(&["unbalanced", "balanced", "inverse_frequency", "half"], 40),
            ),
            ("empty", halves(&["balanced"], 0)),
            ("sections", sections()),
        ];
        let folder = tempfile::tempdir().unwrap();
        for (name, table) in &tables {
            let text = table.latex();
            parse(&text);
            std::fs::write(folder.path().join(format!("{name}.tex")), text).unwrap();
        }
        let document = latex_document(&tables.each_ref().map(|(name, table)| (*name, table)));
        std::fs::write(folder.path().join("tables.tex"), document).unwrap();
        if let Some(log) = testing::pdflatex(folder.path(), "tables.tex") {
            assert!(
                !log.contains("Overfull \\hbox"),
                "a table is wider than the page: {log}"
            );
        }
    }
}
