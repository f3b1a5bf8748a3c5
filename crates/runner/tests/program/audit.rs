//! `biascam audit`: tables of rates and energies, as a user audits them.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use runner::published::TABLE;

use crate::place::{fails, succeeds};

/// Runs it in a folder.
fn audit(folder: &Path, arguments: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_biascam"));
    command
        .arg("audit")
        .args(arguments.split_whitespace())
        .current_dir(folder);
    command.output().expect("the program starts")
}

fn place() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

/// The summary's value of a line.
fn value<'a>(printed: &'a str, classifier: &str, what: &str) -> &'a str {
    let of_line = |line: &'a str| line.trim().strip_prefix(classifier)?.trim().strip_prefix(what);
    let lines: Vec<&str> = printed.lines().filter_map(of_line).map(str::trim).collect();
    let found = lines
        .iter()
        .find(|rest| rest.starts_with(|c: char| c.is_ascii_digit() || "+−[".contains(c)));
    found.unwrap_or_else(|| panic!("{classifier} {what} in {printed}"))
}

/// A number of a CSV file by its row's name and its column's.
fn cell(csv: &str, row: &str, column: &str) -> String {
    let mut lines = csv.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let head = lines.next().expect("a head");
    let at = head.iter().position(|name| *name == column).expect(column);
    lines.find(|cells| cells[0] == row).expect(row)[at].to_owned()
}

#[test]
fn the_paper_is_audited_and_what_is_written_can_be_audited_again() {
    let place = place();
    let printed = succeeds(&audit(place.path(), "--published --output out"));
    for line in printed.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
    for (classifier, what, expected) in [
        ("unbalanced", "error", "0.163"),
        ("unbalanced", "error, thresholds moved", "0.120"),
        ("balanced", "error", "0.112"),
        ("unbalanced", "d'", "2.55"),
        ("balanced", "d'", "2.70"),
        ("both", "gain by thresholds alone", "85 %"),
        ("both", "larger d' in the second", "30 of 40"),
        ("unbalanced", "majority energy", "0.252"),
        ("unbalanced", "area of their regions", "0.167"),
        ("unbalanced", "energy / area", "2.01"),
        ("unbalanced", "energy above area", "25 of 35"),
        ("unbalanced", "correlation by attributes", "+0.41"),
        ("unbalanced", "correlation by regions", "+0.41"),
    ] {
        let found = value(&printed, classifier, what);
        assert!(found.starts_with(expected), "{classifier} {what}: {found}");
    }
    assert!(printed.contains("GRIM was not done"), "{printed}");
    // What the documentation shows.
    let documented = include_str!("../../../../docs/understand/audit.md");
    let (_, shown) = printed.split_once("Over attributes\n").expect("a summary");
    let (table, _) = shown.split_once("Means over").expect("a note");
    for line in table.lines() {
        assert!(
            documented.contains(line.trim_end()),
            "docs/understand/audit.md is older than: {line}"
        );
    }
    let file = |name: &str| fs::read_to_string(place.path().join("out").join(name)).expect(name);
    let page = file("audit.html");
    for part in ["85 %", "Narrow Eyes", "25 of 35", "GRIM was not done"] {
        for (name, text) in [("audit.html", &page), ("audit.md", &file("audit.md"))] {
            assert!(text.contains(part), "{part} in {name}");
        }
    }
    assert!(
        !page.contains("src=\"http") && !page.contains("href=\"http"),
        "it loads nothing"
    );
    assert_eq!(file("audit.tex").matches("\\begin{tabular}").count(), 3);
    let again = succeeds(&audit(place.path(), "out/audit.csv"));
    let summary = |printed: &str| {
        let (_, summary) = printed.split_once("Over attributes\n").expect("a summary");
        summary.split_once("Means over").expect("a note").0.to_owned()
    };
    assert_eq!(summary(&again), summary(&printed));
}

#[test]
fn the_order_of_columns_and_rows_does_not_matter() {
    let place = place();
    let mut rows: Vec<Vec<&str>> = TABLE.lines().map(|line| line.split(',').rev().collect()).collect();
    rows[1..].reverse();
    let text: String = rows.iter().map(|row| row.join(", ") + "\r\n").collect();
    fs::write(place.path().join("turned.csv"), format!("\u{feff}{text}")).expect("written");
    let printed = succeeds(&audit(place.path(), "turned.csv"));
    assert!(value(&printed, "both", "gain by thresholds alone").starts_with("85 %"));
    assert!(value(&printed, "unbalanced", "energy above area").starts_with("25 of 35"));
}

#[test]
fn what_is_no_table_is_refused_in_one_line() {
    let place = place();
    let lines: Vec<&str> = TABLE.lines().collect();
    let (head, rest) = (lines[0], lines[1..].join("\n"));
    for (text, expected) in [
        (String::new().into_bytes(), "t.csv: empty"),
        (format!("{head}\n").into_bytes(), "t.csv:1: no row"),
        (
            format!("{head}\n{rest}\n{}\n", lines[5]).into_bytes(),
            "t.csv:42: attribute `High_Cheekbones` is also in line 6",
        ),
        (
            format!("{}\n{rest}\n", head.replace("balanced_fpr", "balanced_false")).into_bytes(),
            "t.csv: no column `unbalanced_fpr`",
        ),
        (
            format!("{head}\n{}\n", rest.replacen("0.175", "17.5", 1)).into_bytes(),
            "t.csv:2: column `unbalanced_fnr`: `17.5`, expected a number in [0, 1]",
        ),
        (
            format!("{head}\n{}\n", rest.replacen("0.175", "-0.175", 1)).into_bytes(),
            "t.csv:2: column `unbalanced_fnr`: `-0.175`",
        ),
        (
            format!("{head}\n{}\n", rest.replacen(",0.055", "", 1)).into_bytes(),
            "t.csv:3: 9 cells, expected 10",
        ),
        ([head.as_bytes(), b"\nBald\xff"].concat(), "t.csv:2: not UTF-8"),
    ] {
        fs::write(place.path().join("t.csv"), text).expect("written");
        let message = fails(&audit(place.path(), "t.csv"));
        assert!(message.starts_with(&format!("biascam: {expected}")), "{message}");
        assert_eq!(message.trim_end().lines().count(), 1, "{message}");
    }
    let message = fails(&audit(place.path(), "nowhere.csv"));
    assert!(message.contains("nowhere.csv"), "{message}");
    fs::write(place.path().join("t.csv"), TABLE).expect("written");
    for (arguments, expected) in [
        ("t.csv --classifiers balanced,other", "no column `other_fnr`"),
        (
            "t.csv --classifiers balanced,balanced",
            "expected one, or two that differ",
        ),
        ("t.csv --regions masks", "--regions masks"),
        ("t.csv --regions nowhere.yaml", "nowhere.yaml"),
        ("t.csv --counts t.csv", "t.csv: no column `positives`"),
        ("--published --output t.csv", "t.csv"),
    ] {
        let message = fails(&audit(place.path(), arguments));
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn rates_that_no_number_of_images_gives_are_found() {
    let place = place();
    // 7 of 28 and 3 of 50; 0.19 is no k of 28 at two decimals, and of 5,000 negatives any rate is some k.
    let table = "attribute,plain_fnr,plain_fpr\nA,0.25,0.06\nB,0.19,0.06\nC,0.5,0.13\n";
    fs::write(place.path().join("t.csv"), table).expect("written");
    let counts = "negatives,attribute,positives\n50,A,28\n50,B,28\n5000,C,28\n";
    fs::write(place.path().join("n.csv"), counts).expect("written");
    let printed = succeeds(&audit(place.path(), "t.csv --counts n.csv --output out"));
    assert!(
        value(&printed, "plain", "impossible rates (GRIM)").starts_with("1 of 5"),
        "{printed}"
    );
    let csv = fs::read_to_string(place.path().join("out/audit.csv")).expect("written");
    let said = [("A", "fnr"), ("A", "fpr"), ("B", "fnr"), ("C", "fpr")];
    let said = said.map(|(row, rate)| cell(&csv, row, &format!("plain_{rate}_grim")));
    assert_eq!(said, ["possible", "possible", "impossible", "no test"]);
    assert_eq!(cell(&csv, "A", "plain_images_predicted_positive"), "24");
    fs::write(
        place.path().join("n.csv"),
        "attribute,positives,negatives\nA,28,50\nB,28,\n",
    )
    .expect("written");
    let message = fails(&audit(place.path(), "t.csv --counts n.csv"));
    assert!(message.contains("n.csv: no numbers of attribute `B`"), "{message}");
}

#[test]
fn scores_are_audited_as_their_rates() {
    let place = place();
    let write = |name: &str, text: &str| fs::write(place.path().join(name), text).expect("written");
    write(
        "labels.txt",
        "4\nBald Young\n1.jpg 1 -1\n2.jpg -1 1\n3.jpg -1 1\n4.jpg 1 -1\n",
    );
    write(
        "a.csv",
        "image,Young,Bald\n1.jpg,1,-1\n2.jpg,2,-1\n3.jpg,-1,-1\n4.jpg,0,1\n",
    );
    write(
        "b.csv",
        "image,Bald,Young\n4.jpg,1,-1\n3.jpg,-1,2\n2.jpg,-1,2\n1.jpg,1,-1\n",
    );
    let printed = succeeds(&audit(
        place.path(),
        "--scores a.csv b.csv --labels labels.txt --classifiers plain,weighted --output out",
    ));
    assert!(printed.contains("A: plain, B: weighted"), "{printed}");
    let csv = fs::read_to_string(place.path().join("out/audit.csv")).expect("written");
    for (row, column, expected) in [
        ("Bald", "plain_fnr", "0.5"),
        ("Bald", "plain_fpr", "0.0"),
        ("Young", "plain_fnr", "0.5"),
        ("Young", "plain_fpr", "1.0"),
        ("Bald", "weighted_fnr", "0.0"),
        ("Young", "weighted_fpr", "0.0"),
        ("Young", "positives", "2"),
        ("Young", "negatives", "2"),
        ("Young", "plain_images_predicted_positive", "3"),
    ] {
        assert_eq!(cell(&csv, row, column), expected, "{row} {column}");
    }
    // What measure-scores prints of the same file: z(0.5) is 0, and no false positive counts as one in two thousand.
    let mut command = Command::new(env!("CARGO_BIN_EXE_biascam"));
    command.args(["measure-scores", "--scores", "a.csv", "--labels", "labels.txt"]);
    let measured = succeeds(&command.current_dir(place.path()).output().expect("the program starts"));
    let rows: Vec<&str> = measured
        .lines()
        .filter(|line| line.trim().starts_with("Bald"))
        .collect();
    let ranked: Vec<&str> = rows[1]
        .split_whitespace()
        .filter(|word| word.parse::<f64>().is_ok())
        .collect();
    // The scores of Bald: -1 and 1 of positives, -1 and -1 of negatives.
    assert_eq!(ranked[..3], ["0.7500", "0.7500", "3.29"], "{measured}");
    assert_eq!(cell(&csv, "Bald", "plain_d_prime")[..4], *"3.29");
    for (arguments, expected) in [
        (
            "--scores a.csv a.csv --scores b.csv --labels labels.txt",
            "3 files, expected one",
        ),
        (
            "--scores a.csv --labels labels.txt --classifiers x,y",
            "a name for each of the 1 files",
        ),
    ] {
        let message = fails(&audit(place.path(), arguments));
        assert!(message.contains(expected), "{message}");
    }
}
