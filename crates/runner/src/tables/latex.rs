//! What all LaTeX tables share: names, numbers, and a document that shows them.
//!
//! A table is a `tabular` to be put into a paper by `\input`; it needs booktabs and nothing else. `tables.tex` is a document with all
//! of a run's, which compiles as it is.

use render::sheet::{Cell, Column, Sheet};
use render::text::readable;

/// What stands before a table that marks the majority class: a paper that wants it otherwise defines `\majority` first.
pub(super) const MAJORITY: &str = "\\providecommand{\\majority}[1]{\\textbf{#1}}";

/// A name as LaTeX prints it: readable, with special characters escaped.
pub(crate) fn text(name: &str) -> String {
    readable(name)
        .chars()
        .map(|character| match character {
            '&' | '%' | '$' | '#' | '{' | '}' | '_' => format!("\\{character}"),
            '\\' => "\\textbackslash{}".to_owned(),
            '~' => "\\textasciitilde{}".to_owned(),
            '^' => "\\textasciicircum{}".to_owned(),
            '<' => "\\textless{}".to_owned(),
            '>' => "\\textgreater{}".to_owned(),
            '|' => "\\textbar{}".to_owned(),
            '"' => "\\textquotedbl{}".to_owned(),
            other => other.to_string(),
        })
        .collect()
}

/// A number of three decimals with a minus sign; a dash where there is none.
pub(super) fn number(value: Option<f64>) -> String {
    let Some(value) = value else { return "--".to_owned() };
    let text = format!("{value:.3}");
    match text.strip_prefix('-') {
        Some(digits) if digits == "0.000" => digits.to_owned(),
        Some(digits) => format!("$-${digits}"),
        None => text,
    }
}

/// What a cell of a table is; numbers have three decimals.
pub(crate) fn cell(cell: &Cell) -> String {
    match cell {
        Cell::Text(name) | Cell::Link { text: name, .. } => text(name),
        Cell::Name { title, .. } => text(title),
        Cell::Count(count) => count.to_string(),
        Cell::Number { value, note, .. } if note.is_empty() => number(Some(*value)),
        Cell::Number { value, note, .. } => format!("{} {}", number(Some(*value)), note.replace('±', "$\\pm$")),
        Cell::Absent => number(None),
    }
}

/// A table of attributes in which every classifier has the same columns, in a group of its own.
pub(super) fn of_classifiers(comment: &str, sheet: &Sheet) -> String {
    let groups: Vec<&[Column]> = sheet.columns[1..].chunk_by(|a, b| a.group == b.group).collect();
    let mut first = 2;
    let (mut names, mut rules, mut cells, mut heads) = (Vec::new(), Vec::new(), String::new(), Vec::new());
    for group in groups {
        let columns = group.len();
        names.push(format!("\\multicolumn{{{columns}}}{{c}}{{{}}}", text(&group[0].group)));
        rules.push(format!("\\cmidrule(lr){{{first}-{}}}", first + columns - 1));
        cells.push_str(&format!(" {}", "r".repeat(columns)));
        heads.extend(group.iter().map(|column| column.title.as_str()));
        first += columns;
    }
    let mut lines = vec![
        format!("% Needs \\usepackage{{booktabs}}. {comment}"),
        format!("\\begin{{tabular}}{{@{{}}l{cells}@{{}}}}"),
        "\\toprule".to_owned(),
        format!(" & {} \\\\", names.join(" & ")),
        rules.join(" "),
        format!("Attribute & {} \\\\", heads.join(" & ")),
        "\\midrule".to_owned(),
    ];
    lines.extend(sheet.rows.iter().map(|row| {
        let cells: Vec<String> = row.iter().map(cell).collect();
        format!("{} \\\\", cells.join(" & "))
    }));
    lines.extend(["\\bottomrule".to_owned(), "\\end{tabular}".to_owned(), String::new()]);
    lines.join("\n")
}

/// A document with tables: the name of each one's file without extension, and its caption. A table that is wider than the page is
/// set smaller.
pub(super) fn document(tables: &[(&str, &str)]) -> String {
    let mut lines = vec![
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
    ]
    .into_iter()
    .map(str::to_owned)
    .collect::<Vec<_>>();
    for (file, caption) in tables {
        lines.push(format!(
            "\\begin{{table}}[p]\n  \\centering\\footnotesize\n  \\caption{{{caption}}}\n  \\medskip\n  \\tablefile{{{file}}}\n\\end{{table}}"
        ));
    }
    lines.extend(["\\end{document}".to_owned(), String::new()]);
    lines.join("\n")
}

#[cfg(test)]
pub(super) mod tests {
    use std::process::Command;

    use metrics::ErrorRates;

    use super::*;
    use crate::measured::{AttributeMeasures, ClassifierMeasures, Measured};

    /// So many attributes whose names are hard to set, with errors and without maps.
    pub fn measured(count: usize, classifiers: &[&str]) -> Measured {
        let names = [
            "5_o_Clock_Shadow",
            "Salt & Pepper 50%",
            "a\\b{c}~^#$",
            "\"<|>\"",
            "Élan",
        ];
        let attribute = |index: usize| AttributeMeasures {
            name: format!("{} {index}", names[index % names.len()]),
            counts: (index + 1, 2 * count - index),
            local: true,
            area: Some(0.1),
            classifiers: classifiers
                .iter()
                .map(|_| {
                    ClassifierMeasures::of_rates(ErrorRates {
                        positives: usize::from(index != 2) * 10,
                        negatives: 100,
                        false_negatives: usize::from(index != 2) * (index % 10),
                        false_positives: index,
                    })
                })
                .collect(),
        };
        Measured {
            classifiers: classifiers.iter().map(|name| (*name).to_owned()).collect(),
            roles: vec![None; classifiers.len()],
            attributes: (0..count).map(attribute).collect(),
            findings: Vec::new(),
            faithfulness: Vec::new(),
        }
    }

    /// Braces and environments are closed, and every row has the columns that the head announces.
    fn parse(latex: &str) {
        let mut depth = 0_i32;
        let mut characters = latex.chars();
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
                    rest.split('}')
                        .next()
                        .unwrap_or_default()
                        .parse::<usize>()
                        .expect("a number")
                        - 1
                })
                .sum();
            assert_eq!(cells + spanned, columns, "{row}");
        }
    }

    #[test]
    fn tables_parse_and_compile() {
        for (count, classifiers) in [
            (1, &["balanced"][..]),
            (3, &["unbalanced", "balanced"]),
            (40, &["unbalanced", "balanced", "inverse_frequency", "half"]),
        ] {
            let measured = measured(count, classifiers);
            let bootstrap = metrics::Bootstrap { resamples: 10, seed: 1 };
            let files = super::super::files(&measured, bootstrap, None).expect("tables");
            let text = |name: &str| {
                let (_, bytes) = files.iter().find(|(file, _)| *file == name).expect(name);
                String::from_utf8(bytes.clone()).expect("text")
            };
            parse(&text("attributes.tex"));
            parse(&text("bias_reliance.tex"));
            assert!(text("attributes.tex").contains("5 o'Clock Shadow 0"));
            // Where a class has no sample, a dash.
            assert!(text("attributes.tex").contains("--"));
            if Command::new("pdflatex").arg("--version").output().is_err() {
                testing::missing("latex", "no pdflatex, so the tables were parsed only");
                continue;
            }
            let folder = tempfile::tempdir().expect("a temporary folder");
            for (name, bytes) in files.iter().filter(|(name, _)| name.ends_with(".tex")) {
                std::fs::write(folder.path().join(name), bytes).expect("written");
            }
            let output = Command::new("pdflatex")
                .args(["-interaction=nonstopmode", "-halt-on-error", "tables.tex"])
                .current_dir(folder.path())
                .output()
                .expect("pdflatex starts");
            let log = String::from_utf8_lossy(&output.stdout).into_owned();
            assert!(output.status.success(), "{log}");
            assert!(
                !log.contains("Overfull \\hbox"),
                "a table is wider than the page: {log}"
            );
            assert!(folder.path().join("tables.pdf").exists());
            if let Some(gallery) = std::env::var_os("BIASCAM_GALLERY") {
                let path = std::path::Path::new(&gallery).join(format!("tables-{count}.pdf"));
                std::fs::copy(folder.path().join("tables.pdf"), path).expect("copied");
            }
        }
    }

    #[test]
    fn numbers_and_names_are_set_properly() {
        assert_eq!(
            [Some(-0.25), Some(0.5), Some(-0.0001), None].map(number),
            ["$-$0.250", "0.500", "0.000", "--"]
        );
        assert_eq!(text("5_o_Clock_Shadow"), "5 o'Clock Shadow");
        assert_eq!(text("50%_&"), "50\\% \\&");
    }
}
