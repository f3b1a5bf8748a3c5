//! The tables of a sweep's comparison, as text, Markdown, LaTeX, CSV and Parquet.

use super::Plan;
use super::comparison::{Comparison, From, LEVEL, Mean, Setting, Test};
use super::joint::{self, JointSetting};
use super::records::{Quantity, Record};
use crate::tables::Table;
use render::sheet::{Cell, Column, Sheet, Unit};

/// The quantities of the short tables.
const SHORT: [Quantity; 7] = [
    Quantity::MinorityError,
    Quantity::MajorityError,
    Quantity::BalancedError,
    Quantity::MinorityEnergy,
    Quantity::MajorityEnergy,
    Quantity::MinorityBias,
    Quantity::MajorityBias,
];

/// The tables of a comparison, by the names of their files.
pub const NAMES: [&str; 6] = ["comparison", "attributes", "runs", "tests", "onsets", "over_seeds"];

/// Every table: file name in `comparison/tables/` and contents.
///
/// # Errors
/// When a table has two columns of one title.
pub fn files(
    plan: &Plan,
    records: &[Record],
    comparison: &Comparison,
    joint: &[JointSetting],
) -> render::Result<Vec<(String, Vec<u8>)>> {
    let with_parquet = |name, numbers| Table {
        parquet: true,
        ..Table::new(name, numbers)
    };
    let short = short(comparison);
    let [whole, by_attribute, by_run, tested, begins, seeds] = NAMES;
    let tables = [
        Table {
            markdown: Some(format!("{}\n\n{}\n", short.markdown(), short.note)),
            latex: Some(short.rows_titled("Setting")),
            ..with_parquet(whole, settings(comparison))
        },
        with_parquet(by_attribute, attributes(comparison)),
        with_parquet(by_run, runs(plan, records)),
        with_parquet(tested, tests(comparison)),
        Table::new(begins, onsets(comparison)),
        with_parquet(seeds, joint::table(joint)),
    ];
    let files: render::Result<Vec<_>> = tables.into_iter().map(Table::files).collect();
    Ok(files?.into_iter().flatten().collect())
}

/// The columns that say which setting a row is.
fn keys(comparison: &Comparison, settings: &[&Setting]) -> Sheet {
    let series: Vec<&str> = settings
        .iter()
        .map(|setting| comparison.series[setting.series].as_str())
        .collect();
    let x: Vec<&str> = settings
        .iter()
        .map(|setting| comparison.labels[setting.x].as_str())
        .collect();
    let table = Sheet::default().texts("series", &series);
    match &comparison.numbers {
        Some(numbers) => {
            let x: Vec<Option<f64>> = settings.iter().map(|setting| Some(numbers[setting.x])).collect();
            table.numbers("x", &x)
        }
        None => table.texts("x", &x),
    }
}

/// A column of numbers of means.
fn column(means: &[Option<Mean>], value: fn(&Mean) -> Option<f64>) -> Vec<Option<f64>> {
    means.iter().map(|mean| mean.as_ref().and_then(value)).collect()
}

/// One row a setting: means over attributes and seeds, with their intervals over seeds.
pub fn settings(comparison: &Comparison) -> Sheet {
    let all: Vec<&Setting> = comparison.settings.iter().collect();
    let seeds: Vec<i64> = all
        .iter()
        .map(|setting| {
            setting
                .means
                .iter()
                .flatten()
                .map(|mean| mean.seeds as i64)
                .max()
                .unwrap_or(0)
        })
        .collect();
    let mut table = keys(comparison, &all).counts("seeds", &seeds);
    for quantity in Quantity::ALL {
        let means: Vec<Option<Mean>> = all.iter().map(|setting| setting.means[quantity.index()]).collect();
        let name = quantity.name();
        let count = comparison.common[quantity.index()].len() as i64;
        table = table
            .numbers(name, &column(&means, |mean| Some(mean.value)))
            .numbers(&format!("{name}_low"), &column(&means, |mean| Some(mean.interval?.low)))
            .numbers(
                &format!("{name}_high"),
                &column(&means, |mean| Some(mean.interval?.high)),
            )
            .counts(&format!("{name}_attributes"), &vec![count; all.len()]);
    }
    let looked_at: Vec<i64> = all.iter().map(|setting| setting.looked_at as i64).collect();
    let on_front: Vec<i64> = all.iter().map(|setting| i64::from(setting.on_front)).collect();
    table
        .counts("majority_looked_at", &looked_at)
        .counts("pareto_front", &on_front)
}

/// One row a setting, attribute and quantity: means over seeds.
pub fn attributes(comparison: &Comparison) -> Sheet {
    let mut places = Vec::new();
    let (mut names, mut quantities, mut means) = (Vec::new(), Vec::new(), Vec::new());
    for setting in &comparison.settings {
        for ((name, _), of_attribute) in comparison.attributes.iter().zip(&setting.attributes) {
            for quantity in Quantity::ALL {
                places.push(setting);
                names.push(name);
                quantities.push(quantity.name());
                means.push(of_attribute[quantity.index()]);
            }
        }
    }
    let seeds: Vec<i64> = means
        .iter()
        .map(|mean| mean.map_or(0, |mean| mean.seeds as i64))
        .collect();
    keys(comparison, &places)
        .texts("attribute", &names)
        .texts("quantity", &quantities)
        .counts("seeds", &seeds)
        .numbers("mean", &column(&means, |mean| Some(mean.value)))
        .numbers("low", &column(&means, |mean| Some(mean.interval?.low)))
        .numbers("high", &column(&means, |mean| Some(mean.interval?.high)))
}

/// One row a run, attribute and quantity: what everything else is computed from. A run that several points share stands under each.
pub fn runs(plan: &Plan, records: &[Record]) -> Sheet {
    let mut texts: [Vec<&str>; 6] = Default::default();
    let (mut seeds, mut areas, mut values) = (Vec::new(), Vec::new(), Vec::new());
    for record in records {
        let point = &plan.points[record.point];
        let run = &plan.runs[point.run];
        for attribute in &record.attributes {
            for quantity in Quantity::ALL {
                let row = [
                    run.name.as_str(),
                    &record.classifier,
                    &point.series,
                    &point.x,
                    &attribute.name,
                    quantity.name(),
                ];
                for (column, text) in texts.iter_mut().zip(row) {
                    column.push(text);
                }
                seeds.push(point.seed.unwrap_or(run.experiment.seed) as i64);
                areas.push(attribute.area);
                values.push(attribute.values[quantity.index()]);
            }
        }
    }
    let names = ["run", "classifier", "series", "x", "attribute", "quantity"];
    let table = names
        .iter()
        .zip(&texts)
        .fold(Sheet::default(), |table, (name, column)| table.texts(name, column));
    table
        .counts("seed", &seeds)
        .numbers("region_area", &areas)
        .numbers("value", &values)
}

/// The tests, one row each; differences are second - first.
pub fn tests(comparison: &Comparison) -> Sheet {
    let all = &comparison.tests;
    let name = |test: &Test, position: usize| comparison.name(&comparison.settings[test.settings[position]]);
    let texts = |value: &dyn Fn(&Test) -> String| -> Vec<String> { all.iter().map(value).collect() };
    let numbers = |value: fn(&Test) -> Option<f64>| -> Vec<Option<f64>> { all.iter().map(value).collect() };
    let counts = |value: fn(&Test) -> usize| -> Vec<i64> { all.iter().map(|test| value(test) as i64).collect() };
    Sheet::default()
        .texts("quantity", &texts(&|test| test.quantity.name().to_owned()))
        .texts("first", &texts(&|test| name(test, 0)))
        .texts("second", &texts(&|test| name(test, 1)))
        .counts("seeds", &counts(|test| test.seeds))
        .numbers("difference", &numbers(|test| Some(test.attributes.difference)))
        .numbers("low", &numbers(|test| Some(test.interval?.low)))
        .numbers("high", &numbers(|test| Some(test.interval?.high)))
        .numbers("p", &numbers(|test| test.p))
        .numbers("p_holm", &numbers(|test| test.p_adjusted))
        .counts("attributes", &counts(|test| test.attributes.n))
        .counts("larger", &counts(|test| test.attributes.larger))
        .numbers("effect_size", &numbers(|test| test.attributes.effect_size))
        .numbers("p_attributes", &numbers(|test| test.p_attributes))
        .numbers("p_attributes_holm", &numbers(|test| test.p_attributes_adjusted))
}

/// A place along x, as tables have it: a number, or a word.
fn from_text(from: From) -> String {
    match from {
        From::Always => "always".to_owned(),
        From::Never => "never".to_owned(),
        From::X(x) => format!("{x:.3}"),
    }
}

/// Where each attribute's majority begins to be looked at, and the mean's; one row a curve and attribute.
pub fn onsets(comparison: &Comparison) -> Sheet {
    let (mut series, mut names, mut what, mut from) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for onset in &comparison.onsets {
        let mut push = |name: &str, kind: &str, place: From| {
            series.push(comparison.series[onset.series].clone());
            names.push(name.to_owned());
            what.push(kind.to_owned());
            from.push(from_text(place));
        };
        push("mean", "above_chance", onset.above_chance);
        push("mean", "risen", onset.risen);
        for ((name, _), place) in comparison.attributes.iter().zip(&onset.attributes) {
            if let Some(place) = place {
                push(name, "above_chance", *place);
            }
        }
    }
    Sheet::default()
        .texts("series", &series)
        .texts("attribute", &names)
        .texts("what", &what)
        .texts("from", &from)
}

/// A mean with half of its interval's width.
pub fn mean(mean: Option<Mean>) -> Cell {
    let cell = Cell::number(mean.map(|mean| mean.value));
    match mean.and_then(|mean| mean.interval) {
        Some(interval) => cell.with_note(format!("± {:.3}", (interval.high - interval.low) / 2.0)),
        None => cell,
    }
}

/// A column of means.
pub fn mean_column(quantity: Quantity) -> Column {
    let (class, kind) = quantity.name().split_once('_').unwrap_or((quantity.name(), ""));
    Column::new(class, Unit::Share).of(kind.replace('_', " "))
}

/// What readers are shown of each setting.
fn short(comparison: &Comparison) -> Sheet {
    let row = |setting: &Setting| {
        let mut row = vec![Cell::from(comparison.name(setting))];
        row.extend(SHORT.map(|quantity| mean(setting.means[quantity.index()])));
        row.push(Cell::from(format!(
            "{} of {}",
            setting.looked_at,
            comparison.common[Quantity::MajorityEnergy.index()].len()
        )));
        row
    };
    Sheet {
        note: note(comparison),
        columns: std::iter::once(Column::new("setting", Unit::Text))
            .chain(SHORT.map(mean_column))
            .chain([Column::new("majority", Unit::Text).of("looked at")])
            .collect(),
        rows: comparison.settings.iter().map(row).collect(),
        ..Sheet::default()
    }
}

/// What the numbers are.
pub fn note(comparison: &Comparison) -> String {
    let count = |quantity: Quantity| comparison.common[quantity.index()].len();
    let intervals = if comparison
        .settings
        .iter()
        .flat_map(|s| s.means.iter().flatten())
        .any(|m| m.interval.is_some())
    {
        "; ± is half of the 95 % interval over seeds (Student's t)"
    } else {
        "; one seed, so no interval"
    };
    format!(
        "Means over the attributes that every run measured ({} for errors, {} for minority energy, {} for majority energy, {} and {} \
         for bias reliance){intervals}. Looked at: attributes whose majority energy is above their region's area.",
        count(Quantity::BalancedError),
        count(Quantity::MinorityEnergy),
        count(Quantity::MajorityEnergy),
        count(Quantity::MinorityBias),
        count(Quantity::MajorityBias),
    )
}

/// The comparison for the terminal: table, onsets, front and tests.
pub fn text(comparison: &Comparison) -> String {
    let short = short(comparison);
    let mut parts = vec![short.terminal(), short.note, String::new()];
    parts.extend(findings(comparison));
    parts.extend(test_counts(comparison));
    parts.join("\n")
}

/// What the comparison says, a sentence each.
pub fn findings(comparison: &Comparison) -> Vec<String> {
    let mut lines = Vec::new();
    for onset in &comparison.onsets {
        let curve = if comparison.series.len() > 1 {
            format!("{}: ", comparison.series[onset.series])
        } else {
            String::new()
        };
        let x = &comparison.x;
        lines.push(format!(
            "{curve}Majority energy above the region's area, which a map that knows nothing has: {}. Above that at the smallest {x}: {}.",
            from_words(onset.above_chance, x),
            from_words(onset.risen, x),
        ));
    }
    let front: Vec<String> = comparison
        .settings
        .iter()
        .filter(|setting| setting.on_front)
        .map(|setting| comparison.name(setting))
        .collect();
    if !front.is_empty() {
        lines.push(format!(
            "Front of balanced error and balanced energy: {}.",
            front.join("; ")
        ));
    }
    lines
}

/// How many pairs of settings a test tells apart, a sentence for each main quantity.
pub fn test_counts(comparison: &Comparison) -> Vec<String> {
    let mut lines = Vec::new();
    for quantity in [
        Quantity::MinorityError,
        Quantity::MajorityError,
        Quantity::MajorityEnergy,
        Quantity::MajorityBias,
    ] {
        let of: Vec<&Test> = comparison
            .tests
            .iter()
            .filter(|test| test.quantity == quantity)
            .collect();
        if of.is_empty() {
            continue;
        }
        let differ = |differs: &dyn Fn(&Test) -> bool| of.iter().filter(|test| differs(test)).count();
        let by_attribute = |test: &Test| test.p_attributes_adjusted.is_some_and(|p| p < LEVEL);
        let over_seeds = if of.iter().any(|test| test.p.is_some()) {
            format!(
                "{} of {} pairs of settings differ over seeds",
                differ(&Test::differs),
                of.len()
            )
        } else {
            "one seed says nothing of another training".to_owned()
        };
        let title = quantity.title();
        let (first, rest) = title.split_at(1);
        lines.push(format!(
            "{}{rest}: {over_seeds} (p < {LEVEL} after Holm); {} of {} would over attributes, if those were independent (tables/tests.csv).",
            first.to_uppercase(),
            differ(&by_attribute),
            of.len(),
        ));
    }
    lines
}

fn from_words(from: From, x: &str) -> String {
    match from {
        From::Always => format!("at every {x}"),
        From::Never => format!("not at the largest {x}"),
        From::X(value) => format!("from {x} {value} on"),
    }
}

#[cfg(test)]
mod unit_tests {
    use super::super::comparison::tests::{plan, records};
    use super::*;

    fn sample() -> (Plan, Vec<Record>, Comparison) {
        let plan = plan("axes: {classifiers.swept.exponent: [0, 0.5, 1]}\nseeds: [1, 2]\n");
        let records = records(&plan, 12, |point, attribute| {
            Some(0.1 + 0.1 * (point / 2) as f64 + 0.001 * (attribute * (point + 1)) as f64)
        });
        let comparison = Comparison::of(&plan, &records).expect("a comparison");
        (plan, records, comparison)
    }

    #[test]
    fn every_table_is_made_and_says_the_same() {
        let (plan, records, comparison) = sample();
        let files = files(&plan, &records, &comparison, &[]).expect("tables");
        assert_eq!(files.len(), 13);
        let text = |name: &str| {
            let (_, bytes) = files.iter().find(|(file, _)| file == name).expect(name);
            String::from_utf8(bytes.clone()).expect("text")
        };
        assert_eq!(text("comparison.csv").lines().count(), 1 + 3);
        assert_eq!(text("attributes.csv").lines().count(), 1 + 3 * 12 * 8);
        assert_eq!(text("runs.csv").lines().count(), 1 + 6 * 12 * 8);
        assert_eq!(text("tests.csv").lines().count(), 1 + 3 * 8);
        // The mean curve's two onsets, and one for each attribute.
        assert_eq!(text("onsets.csv").lines().count(), 1 + 2 + 12);
        let first = comparison.settings[0].means[0].expect("a mean").value;
        assert!(text("comparison.tex").contains(&format!("exponent 0 & {first:.3} $\\pm$")));
        assert!(text("comparison.md").contains(&format!("{first:.3} ±")));
        assert_eq!(text("comparison.tex").matches("\\\\").count(), 2 + 3);
    }

    #[test]
    fn an_area_that_nobody_measured_is_empty() {
        let (plan, mut records, _) = sample();
        for attribute in records.iter_mut().flat_map(|record| &mut record.attributes) {
            attribute.area = None;
        }
        let csv = String::from_utf8(runs(&plan, &records).csv().expect("a table")).expect("text");
        let row = csv.lines().nth(1).expect("a row");
        assert!(row.contains(",,") && !csv.contains("NaN"), "{row}");
        let comparison = Comparison::of(&plan, &records).expect("a comparison");
        assert_eq!(comparison.settings[2].looked_at, 0);
    }

    #[test]
    fn the_terminal_says_where_it_begins() {
        let (_, _, comparison) = sample();
        let text = text(&comparison);
        for part in ["exponent 0.5", "from exponent", "over seeds", "12 of 12"] {
            assert!(text.contains(part), "{part:?} is missing:\n{text}");
        }
    }
}
