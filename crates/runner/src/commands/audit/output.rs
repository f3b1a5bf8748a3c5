//! Where an audit goes: the terminal, and files.

use std::path::Path;

use disk::write_whole;

use super::audited::Audited;
use super::found::Found;
use super::sheets;
use crate::error::Result;
use crate::output::print;
use render::report::{TablesPage, tables_page};
use render::sheet::Sheet;

/// Columns of a terminal.
const WIDTH: usize = 80;
/// Letters that stand for classifiers where names have no room.
const LETTERS: [&str; 2] = ["A", "B"];

/// Prints the tables, and last what was found.
///
/// # Errors
/// When standard output cannot be written.
pub(super) fn show(audited: &Audited, found: &Found) -> Result<()> {
    let letters: Vec<String> = LETTERS[..audited.classifiers.len()]
        .iter()
        .map(ToString::to_string)
        .collect();
    let legend: Vec<String> = letters
        .iter()
        .zip(&audited.classifiers)
        .map(|(letter, name)| format!("{letter}: {name}"))
        .collect();
    print(format_args!("{}\n{}\n", audited.source, legend.join(", ")))?;
    let summary = sheets::summary(audited, found);
    for sheet in of_attributes(audited, &letters, false).iter().chain([&summary]) {
        print(format_args!(
            "{}\n{}\n{}\n",
            sheet.title,
            sheet.terminal(),
            wrapped(&sheet.note)
        ))?;
    }
    let said = notes(audited).into_iter().chain(sheets::words(audited, found));
    said.map(|text| wrapped(&text)).try_for_each(print)
}

/// The tables of one row an attribute.
fn of_attributes(audited: &Audited, names: &[String], gaps: bool) -> Vec<Sheet> {
    let mut all = vec![sheets::thresholds(audited, names)];
    all.extend(sheets::energies(audited, names, gaps));
    all.extend(sheets::granularity(audited, names));
    all
}

/// What a reader must know of the numbers.
fn notes(audited: &Audited) -> Vec<String> {
    let said = sheets::granularity_words(audited);
    audited.notes.iter().cloned().chain([said]).collect()
}

/// Writes the files of an audit.
///
/// # Errors
/// When one cannot be written.
pub(super) fn write(audited: &Audited, found: &Found, folder: &Path) -> Result<()> {
    let summary = sheets::summary(audited, found);
    let mut tables = vec![summary];
    tables.extend(of_attributes(audited, &audited.classifiers, true));
    let words = sheets::words(audited, found);
    let files = [
        ("audit.csv", sheets::file(audited).csv()?),
        ("audit.md", markdown(audited, &words, &tables).into_bytes()),
        ("audit.tex", latex(&tables).into_bytes()),
        (
            "audit.html",
            tables_page(&TablesPage {
                kind: "biascam · audit",
                title: audited.source.clone(),
                summary: words.join(" "),
                notes: notes(audited),
                tables,
            })
            .into_bytes(),
        ),
    ];
    for (name, bytes) in files {
        let path = folder.join(name);
        write_whole(&path, &bytes)?;
        print(path.display())?;
    }
    Ok(())
}

fn markdown(audited: &Audited, words: &[String], tables: &[Sheet]) -> String {
    let mut parts = vec![format!("# {}", audited.source)];
    parts.extend(words.iter().cloned().chain(notes(audited)));
    for table in tables {
        parts.push(format!("## {}", table.title));
        parts.push(table.markdown());
        parts.push(table.note.clone());
    }
    parts.join("\n\n") + "\n"
}

/// All tables below each other, for one `\input`.
fn latex(tables: &[Sheet]) -> String {
    let tables: Vec<String> = tables.iter().map(Sheet::latex).collect();
    tables.join("\n\\par\\bigskip\n")
}

/// A text in lines of a terminal.
fn wrapped(text: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= WIDTH => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::super::{found, rates::published, regions};
    use super::*;

    #[test]
    fn texts_have_lines_of_a_terminal() {
        let text = "eighty ".repeat(40);
        let lines = wrapped(&text);
        let lengths: Vec<usize> = lines.lines().map(str::len).collect();
        // Eleven words of six letters and ten spaces; a twelfth would be one column too many.
        assert_eq!(lengths, [76, 76, 76, 48]);
        assert_eq!(lines.split_whitespace().count(), 40);
        assert_eq!(wrapped(""), "");
    }

    #[test]
    fn the_tables_compile_in_latex() {
        let mut audited = published().expect("well-formed");
        regions::add(&mut audited, None).expect("the paper's regions");
        for attribute in &mut audited.attributes {
            attribute.counts = Some((100, 10_000));
        }
        let found = found::find(&audited);
        let folder = tempfile::tempdir().expect("a temporary folder");
        write(&audited, &found, folder.path()).expect("written");
        let document = "\\documentclass{article}\n\\usepackage[utf8]{inputenc}\n\\usepackage[T1]{fontenc}\n\
                        \\usepackage[a4paper, margin=10mm]{geometry}\n\\usepackage{booktabs}\n\\begin{document}\\tiny\n\\input{audit}\n\
                        \\end{document}\n";
        std::fs::write(folder.path().join("all.tex"), document).expect("written");
        testing::pdflatex(folder.path(), "all.tex");
    }
}
