//! Audited tables: the paper's, a run's `attributes.csv`, or one's own.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use metrics::Class;

use super::audited::{Attribute, Audited, Group, Numbers};
use super::cells::{Cells, Row};
use crate::error::{Error, Result};
use crate::published::TABLE;

/// Ends of the columns that a classifier must have.
const RATES: [&str; 2] = ["fnr", "fpr"];
/// Ends of those that it may have, positive first.
const ENERGIES: [&str; 2] = ["energy_predicted_positive", "energy_predicted_negative"];
const ATTRIBUTE: &str = "attribute";
const SHARE: &str = "train_positive_rate";
const MINORITY: &str = "minority";
const AREA: &str = "region_area";
const COUNTS: [&str; 2] = ["positives", "negatives"];
/// The two that are compared if nobody says which.
const PAIR: [&str; 2] = ["unbalanced", "balanced"];

/// The paper's published table.
///
/// # Errors
/// None: the table is part of the program, and a test reads it.
pub(super) fn published() -> Result<Audited> {
    let table = Cells::parse("published_results.csv", TABLE.as_bytes())?;
    let mut audited = of(&table, None)?;
    audited.source = "The paper's published table".to_owned();
    audited.notes = vec![
        "The paper counts a map without any positive value as an energy of 0; how many there are, and how many images stand behind each \
         number, it does not say."
            .to_owned(),
    ];
    Ok(audited)
}

/// A table from a file, or of a results folder; `classifiers` says which two to compare.
///
/// # Errors
/// When it cannot be read, lacks columns, or has what is no share.
pub(super) fn read(path: &Path, classifiers: Option<&[String]>) -> Result<Audited> {
    let path = if path.is_dir() {
        path.join("tables/attributes.csv")
    } else {
        path.to_owned()
    };
    let mut audited = of(&Cells::read(&path)?, classifiers)?;
    audited.source = path.display().to_string();
    if let Some(statistics) = statistics_of(&path) {
        count_maps(&mut audited, &Cells::read(&statistics)?)?;
        audited.notes.push(
            "Energies are means over the maps that have any: maps without a positive value are left out. Numbers of images are those of \
             the maps."
                .to_owned(),
        );
    }
    Ok(audited)
}

/// Adds numbers of images from a file with the columns attribute, positives and negatives.
///
/// # Errors
/// When it cannot be read, lacks a column or an attribute, or has what is no number.
pub(super) fn add_counts(audited: &mut Audited, path: &Path) -> Result<()> {
    let table = Cells::read(path)?;
    table.require(&[ATTRIBUTE, COUNTS[0], COUNTS[1]], "")?;
    let mut counts = HashMap::new();
    for (index, row) in table.rows.iter().enumerate() {
        counts.insert(table.key(index, row, ATTRIBUTE)?, counts_of(&table, row)?);
    }
    for attribute in &mut audited.attributes {
        let found = counts.get(attribute.name.as_str()).copied().flatten();
        let found = found.ok_or_else(|| table.fault(format_args!("no numbers of attribute `{}`", attribute.name)))?;
        set_counts(attribute, found);
    }
    Ok(())
}

fn set_counts(attribute: &mut Attribute, counts: (usize, usize)) {
    attribute.counts = Some(counts);
    let numbers = attribute.numbers.iter_mut();
    numbers.for_each(|numbers| numbers.count_predictions(counts));
}

fn counts_of(table: &Cells, row: &Row) -> Result<Option<(usize, usize)>> {
    let [positives, negatives] = COUNTS.map(|column| table.count(row, column));
    Ok(positives?.zip(negatives?))
}

/// A table of attributes.
fn of(table: &Cells, classifiers: Option<&[String]>) -> Result<Audited> {
    table.require(&[ATTRIBUTE], "")?;
    let classifiers = choose(table, classifiers)?;
    for name in &classifiers {
        let [fnr, fpr] = RATES.map(|end| format!("{name}_{end}"));
        table.require(&[&fnr, &fpr], " beside the other rate")?;
        let [positive, negative] = ENERGIES.map(|end| format!("{name}_{end}"));
        if table.has(&positive) || table.has(&negative) {
            table.require(&[&positive, &negative], " beside the other energy")?;
            if !table.has(MINORITY) {
                table.require(&[SHARE], ", which says whose energy is the majority's")?;
            }
        }
    }
    if COUNTS.iter().any(|column| table.has(column)) {
        table.require(&COUNTS, " beside the other number")?;
    }
    let mut decimals = 0;
    let mut attributes = Vec::with_capacity(table.rows.len());
    for (index, row) in table.rows.iter().enumerate() {
        let share = |column: &str| Ok::<_, Error>(table.share(row, column)?.map(|share| share.value));
        let positive_rate = share(SHARE)?;
        let mut numbers = Vec::new();
        for name in &classifiers {
            let mut rates = [None; 2];
            for (rate, end) in rates.iter_mut().zip(RATES) {
                let found = table.share(row, &format!("{name}_{end}"))?;
                // A table that writes 0.05 for 0.050 has as many decimals as its longest rate.
                decimals = decimals.max(found.map_or(0, |share| share.decimals));
                *rate = found.map(|share| share.value);
            }
            let group = |end: &str| {
                Ok::<_, Error>(Group {
                    energy: share(&format!("{name}_{end}"))?,
                    images: None,
                })
            };
            numbers.push(Numbers {
                false_negative_rate: rates[0],
                false_positive_rate: rates[1],
                positive: group(ENERGIES[0])?,
                negative: group(ENERGIES[1])?,
            });
        }
        let mut attribute = Attribute {
            name: table.key(index, row, ATTRIBUTE)?.to_owned(),
            positive_rate,
            minority: minority(table, row, positive_rate)?,
            area: area(table, row)?,
            region: None,
            counts: None,
            numbers,
        };
        if let Some(counts) = counts_of(table, row)? {
            set_counts(&mut attribute, counts);
        }
        attributes.push(attribute);
    }
    Ok(Audited {
        source: String::new(),
        notes: Vec::new(),
        classifiers,
        attributes,
        decimals: Some(decimals),
    })
}

/// Which classifiers of a table are audited: as asked for, or the only one, or `unbalanced` and `balanced`.
fn choose(table: &Cells, asked: Option<&[String]>) -> Result<Vec<String>> {
    let found: Vec<&str> = table
        .columns()
        .iter()
        .filter_map(|column| column.strip_suffix("_fnr"))
        .collect();
    if let Some(asked) = asked {
        return match asked.iter().find(|name| !found.contains(&name.as_str())) {
            None => Ok(asked.to_vec()),
            Some(unknown) => Err(table.fault(format_args!(
                "no column `{unknown}_fnr` of the classifier asked for; found are {}",
                table.columns().join(", ")
            ))),
        };
    }
    if PAIR.iter().all(|name| found.contains(name)) {
        return Ok(PAIR.map(str::to_owned).to_vec());
    }
    match found[..] {
        [] => {
            table.require(&["unbalanced_fnr"], " (or of another classifier: NAME_fnr and NAME_fpr)")?;
            Ok(Vec::new())
        }
        [only] => Ok(vec![only.to_owned()]),
        [first, second, ..] => Err(table.fault(format_args!(
            "columns of {} classifiers, but not of `unbalanced` and `balanced`; say which to compare, the one without class weights first: \
             --classifiers {first},{second}",
            found.len()
        ))),
    }
}

/// The minority class, as the table says it or by the share of positives: half counts as positive.
fn minority(table: &Cells, row: &Row, positive_rate: Option<f64>) -> Result<Option<Class>> {
    match table.text(row, MINORITY) {
        "positive" => Ok(Some(Class::Positive)),
        "negative" => Ok(Some(Class::Negative)),
        "" => Ok(positive_rate.map(|rate| if rate <= 0.5 { Class::Positive } else { Class::Negative })),
        other => Err(table.fault_in(
            row,
            format_args!("column `{MINORITY}`: `{other}`, expected positive or negative, or nothing"),
        )),
    }
}

fn area(table: &Cells, row: &Row) -> Result<Option<f64>> {
    match table.share(row, AREA)? {
        Some(share) if share.value == 0.0 => Err(table.fault_in(
            row,
            format_args!("column `{AREA}`: 0, expected a part of the image, or nothing"),
        )),
        share => Ok(share.map(|share| share.value)),
    }
}

/// The file in which a run has the numbers behind its table.
fn statistics_of(path: &Path) -> Option<PathBuf> {
    let statistics = path.with_file_name("statistics.csv");
    (path.file_name()? == "attributes.csv" && statistics.is_file()).then_some(statistics)
}

/// Takes the numbers of maps from a run's `statistics.csv`.
fn count_maps(audited: &mut Audited, table: &Cells) -> Result<()> {
    table.require(
        &["classifier", ATTRIBUTE, "measure", "filter", "n"],
        " of a run's statistics",
    )?;
    let mut of_group: HashMap<(&str, &str, &str), usize> = HashMap::new();
    for row in &table.rows {
        let text = |column: &str| table.text(row, column);
        if let ("energy", Some(n)) = (text("measure"), table.count(row, "n")?) {
            of_group.insert((text("classifier"), text(ATTRIBUTE), text("filter")), n);
        }
    }
    for attribute in &mut audited.attributes {
        for (classifier, numbers) in audited.classifiers.iter().zip(&mut attribute.numbers) {
            for (group, filter) in [(&mut numbers.positive, "pr=1"), (&mut numbers.negative, "pr=-1")] {
                group.images = of_group.get(&(classifier, &attribute.name, filter)).copied();
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// Whatever is in a file: an error of one line, or numbers in their ranges.
        #[test]
        fn any_bytes_are_read_or_refused(
            cells in prop::collection::vec(
                prop::sample::select(vec!["attribute", "a_fnr", "a_fpr", "minority", "region_area", ",", "\n", "\"", "0.5", "1e-3", "2", "x", "\u{e9}"]),
                0..40,
            ),
            tail in prop::collection::vec(any::<u8>(), 0..4),
        ) {
            let mut bytes = format!("attribute,a_fnr,a_fpr\n{}", cells.concat()).into_bytes();
            bytes.extend(tail);
            match Cells::parse("a.csv", &bytes).and_then(|table| of(&table, None)) {
                Ok(found) => for attribute in found.attributes {
                    let numbers = attribute.numbers[0];
                    let rates = [numbers.false_negative_rate, numbers.false_positive_rate];
                    prop_assert!(rates.iter().flatten().all(|rate| (0.0..=1.0).contains(rate)));
                },
                Err(error) => prop_assert!(error.to_string().starts_with("a.csv:"), "{error}"),
            }
        }
    }

    fn parsed(text: &str) -> Result<Audited> {
        of(&Cells::parse("a.csv", text.as_bytes())?, None)
    }

    #[test]
    fn columns_are_found_in_any_order() {
        let found = parsed(
            "balanced_fpr,unbalanced_fpr,attribute,unbalanced_fnr,balanced_fnr,negatives,positives,more\n0.4,0.25,A,0.125,0.3,20,10,x\n",
        )
        .expect("a table");
        assert_eq!(found.classifiers, PAIR);
        let attribute = &found.attributes[0];
        let rates = |at: usize| {
            let numbers = &attribute.numbers[at];
            (numbers.false_negative_rate, numbers.false_positive_rate)
        };
        assert_eq!(
            [rates(0), rates(1)],
            [(Some(0.125), Some(0.25)), (Some(0.3), Some(0.4))]
        );
        assert_eq!((attribute.counts, found.decimals), (Some((10, 20)), Some(3)));
        assert_eq!(attribute.minority, None);
    }

    #[test]
    fn classifiers_of_other_names_are_asked_for() {
        let text = "attribute,plain_fnr,plain_fpr,weighted_fnr,weighted_fpr\nA,0,0,0,0\n";
        let table = Cells::parse("a.csv", text.as_bytes()).expect("a table");
        let message = of(&table, None).expect_err("which?").to_string();
        assert!(message.contains("--classifiers plain,weighted"), "{message}");
        let names = ["weighted", "plain"].map(str::to_owned);
        assert_eq!(of(&table, Some(&names)).expect("named").classifiers, names);
        let names = ["plain", "other"].map(str::to_owned);
        let message = of(&table, Some(&names)).expect_err("unknown").to_string();
        assert!(message.contains("no column `other_fnr`"), "{message}");
        let one = parsed("attribute,mine_fnr,mine_fpr\nA,0.5,0.25\n").expect("one classifier");
        assert_eq!(one.classifiers, ["mine"]);
    }

    #[test]
    fn faults_say_file_line_and_column() {
        let columns = "attribute,unbalanced_fnr,unbalanced_fpr";
        for (text, expected) in [
            (
                "name,x_fnr,x_fpr\nA,0,0\n".to_owned(),
                "a.csv: no column `attribute`; found are name, x_fnr, x_fpr",
            ),
            ("attribute,fnr\nA,0\n".to_owned(), "a.csv: no column `unbalanced_fnr`"),
            ("attribute,x_fnr\nA,0\n".to_owned(), "a.csv: no column `x_fpr`"),
            (
                format!("{columns}\nA,0,0\nB,0,1.01\n"),
                "a.csv:3: column `unbalanced_fpr`: `1.01`",
            ),
            (
                format!("{columns}\nA,0,0\nA,0,0\n"),
                "a.csv:3: attribute `A` is also in line 2",
            ),
            (
                format!("{columns},positives\nA,0,0,1\n"),
                "a.csv: no column `negatives`",
            ),
            (
                format!("{columns},unbalanced_energy_predicted_positive\nA,0,0,1\n"),
                "a.csv: no column `unbalanced_energy_predicted_negative`",
            ),
            (
                format!(
                    "{columns},unbalanced_energy_predicted_positive,unbalanced_energy_predicted_negative\nA,0,0,1,1\n"
                ),
                "a.csv: no column `train_positive_rate`",
            ),
            (
                format!("{columns},minority\nA,0,0,few\n"),
                "a.csv:2: column `minority`: `few`",
            ),
            (
                format!("{columns},region_area\nA,0,0,0\n"),
                "a.csv:2: column `region_area`: 0",
            ),
        ] {
            let message = parsed(&text).expect_err(expected).to_string();
            assert!(message.starts_with(expected), "{message}");
        }
    }

    #[test]
    fn the_paper_s_table_is_read_whole() {
        let found = published().expect("well-formed");
        assert_eq!((found.attributes.len(), found.decimals), (40, Some(3)));
        assert!(found.attributes.iter().all(|attribute| {
            attribute.numbers.iter().all(|numbers| numbers.point().is_some()) && attribute.gap(0).is_some()
        }));
    }
}
