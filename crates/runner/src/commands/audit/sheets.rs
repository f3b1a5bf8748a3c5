//! An audit as tables.

use metrics::{Class, Grim, Interval, grim};

use super::audited::{Attribute, Audited, Numbers};
use super::found::{Found, OfClassifier};
use render::sheet::{Cell, Column, Sheet, Unit};
use render::text::{number, signed};

/// Of each attribute: errors as they are and with the threshold moved, and d'. `names` are the classifiers' in the heads.
pub(super) fn thresholds(audited: &Audited, names: &[String]) -> Sheet {
    let mut columns = vec![
        Column::new("attribute", Unit::Text),
        Column::new("positive", Unit::Share),
    ];
    for name in names {
        for (title, unit) in [("error", Unit::Share), ("moved", Unit::Share), ("d'", Unit::Number(2))] {
            columns.push(Column::new(title, unit).under(name));
        }
    }
    let row = |attribute: &Attribute| {
        let cells = attribute.numbers.iter().flat_map(|numbers| {
            let point = numbers.point();
            [
                Cell::number(point.map(|point| point.balanced_error())),
                Cell::number(point.map(|point| point.ideal_error())),
                Cell::number(point.map(|point| point.d_prime())),
            ]
        });
        [Cell::name(&attribute.name), Cell::number(attribute.positive_rate)]
            .into_iter()
            .chain(cells)
            .collect()
    };
    Sheet {
        id: "thresholds".to_owned(),
        title: "Errors, and with the thresholds moved".to_owned(),
        note: "positive: share of positives. error: (FNR + FPR) / 2. d': z(1 - FNR) - z(FPR), how many standard deviations apart the scores of \
               both classes are, if they are normal with equal variance (rates clipped to [0.0005, 0.9995]). moved: the error that the best \
               threshold would then have, Phi(-d'/2)."
            .to_owned(),
        columns,
        rows: audited.attributes.iter().map(row).collect(),
        searchable: audited.attributes.len() > 10,
        ..Sheet::default()
    }
}

/// Of each attribute with a local region: the energy of images predicted as the majority class beside the region's area, and with `gaps`
/// what the minority class has more. `None` without any.
pub(super) fn energies(audited: &Audited, names: &[String], gaps: bool) -> Option<Sheet> {
    let rows: Vec<&Attribute> = audited
        .attributes
        .iter()
        .filter(|attribute| {
            let measured = |classifier| attribute.majority(classifier).energy.is_some();
            attribute.is_local() && (0..names.len()).any(measured)
        })
        .collect();
    if rows.is_empty() {
        return None;
    }
    let counted = rows.iter().any(|attribute| {
        let counted = |classifier| attribute.majority(classifier).images.is_some();
        (0..names.len()).any(counted)
    });
    let mut columns = vec![Column::new("attribute", Unit::Text), Column::new("area", Unit::Share)];
    for name in names {
        columns.push(Column::new("energy", Unit::Share).under(name));
        columns.push(Column::new("fold", Unit::Number(2)).under(name));
        if gaps {
            columns.push(Column::new("gap", Unit::Signed(3)).under(name));
        }
        if counted {
            columns.push(Column::new("n", Unit::Count).under(name));
        }
    }
    let row = |attribute: &&Attribute| {
        let cells = (0..names.len()).flat_map(|classifier| {
            let majority = attribute.majority(classifier);
            let mut cells = vec![
                Cell::number(majority.energy),
                Cell::number(over(majority.energy, attribute.area)),
            ];
            if gaps {
                cells.push(Cell::number(attribute.gap(classifier)));
            }
            if counted {
                cells.push(majority.images.map_or(Cell::Absent, Cell::count));
            }
            cells
        });
        [Cell::name(&attribute.name), Cell::number(attribute.area)]
            .into_iter()
            .chain(cells)
            .collect()
    };
    let mut note = "Attributes whose region covers less than half of the image. energy: mean proportional energy of the images predicted as the \
                    majority class of the training images. fold: energy / area; a uniform map has an energy equal to the area, 1."
        .to_owned();
    if gaps {
        note += " gap: the minority class's energy minus the majority class's.";
    }
    note += if counted {
        " n: how many images these are."
    } else {
        " How many images these are is not known."
    };
    Some(Sheet {
        id: "energies".to_owned(),
        title: "Energy of the majority class beside the region's area".to_owned(),
        note,
        columns,
        searchable: rows.len() > 10,
        rows: rows.iter().map(row).collect(),
        ..Sheet::default()
    })
}

fn over(energy: Option<f64>, area: Option<f64>) -> Option<f64> {
    Some(energy? / area?)
}

/// What GRIM says of each rate. `None` where no number of images is known, or rates were not rounded.
pub(super) fn granularity(audited: &Audited, names: &[String]) -> Option<Sheet> {
    audited.decimals?;
    let rows: Vec<&Attribute> = audited
        .attributes
        .iter()
        .filter(|attribute| attribute.counts.is_some())
        .collect();
    if rows.is_empty() {
        return None;
    }
    let mut columns = vec![
        Column::new("attribute", Unit::Text),
        Column::new("positives", Unit::Count),
        Column::new("negatives", Unit::Count),
    ];
    for name in names {
        columns.extend(["FNR", "FPR"].map(|title| Column::new(title, Unit::Text).under(name)));
    }
    let row = |attribute: &&Attribute| {
        let counts = attribute.counts.unwrap_or_default();
        let said = |found: Option<Grim>| found.map_or(Cell::Absent, |found| Cell::from(found.name()));
        let cells = attribute
            .numbers
            .iter()
            .flat_map(|numbers| tested(audited, attribute, numbers).map(said));
        [
            Cell::name(&attribute.name),
            Cell::count(counts.0),
            Cell::count(counts.1),
        ]
        .into_iter()
        .chain(cells)
        .collect()
    };
    Some(Sheet {
        id: "grim".to_owned(),
        title: "Can the rates be shares of so many images?".to_owned(),
        note: format!(
            "GRIM (Brown and Heathers 2017). possible: some k of n rounds to the rate at {} decimals. impossible: none does. no test: n is so \
             large that any rate is some k of n.",
            audited.decimals.unwrap_or(0)
        ),
        columns,
        searchable: rows.len() > 10,
        rows: rows.iter().map(row).collect(),
        ..Sheet::default()
    })
}

/// Both rates of a classifier.
fn tested(audited: &Audited, attribute: &Attribute, numbers: &Numbers) -> [Option<Grim>; 2] {
    let test = |rate: Option<f64>, n: usize| grim(rate?, audited.decimals?, n);
    let Some((positives, negatives)) = attribute.counts else {
        return [None; 2];
    };
    [
        test(numbers.false_negative_rate, positives),
        test(numbers.false_positive_rate, negatives),
    ]
}

/// How many rates GRIM finds possible, impossible, and cannot test; `None` where no number of images is known.
pub(super) fn granularity_counts(audited: &Audited) -> Option<[usize; 3]> {
    let mut counts = [0; 3];
    for attribute in &audited.attributes {
        let found = attribute
            .numbers
            .iter()
            .flat_map(|numbers| tested(audited, attribute, numbers));
        for found in found.flatten() {
            counts[match found {
                Grim::Possible => 0,
                Grim::Impossible => 1,
                Grim::NoTest => 2,
            }] += 1;
        }
    }
    (counts.iter().sum::<usize>() > 0).then_some(counts)
}

/// What was found over attributes.
pub(super) fn summary(audited: &Audited, found: &Found) -> Sheet {
    let mut rows = Vec::new();
    for (name, of) in audited.classifiers.iter().zip(&found.classifiers) {
        rows.extend(of_classifier(of).into_iter().map(|row| row.cells(name)));
    }
    let all = match &audited.classifiers[..] {
        [only] => only.as_str(),
        _ => "both",
    };
    rows.extend(of_both(audited, found).into_iter().map(|row| row.cells(all)));
    let mut note = "Means over n attributes. error: (FNR + FPR) / 2.".to_owned();
    if found.gain.is_some() {
        note += " gain by thresholds alone: the part of the difference between the two errors that the first classifier would gain with its \
                 thresholds moved.";
    }
    if found.classifiers.iter().any(|of| of.imbalance.is_some()) {
        note += " correlation: Spearman's, of |2p - 1| and the gap between minority and majority energy.";
    }
    note += " Intervals: 95 %, percentiles of 10,000 bootstrap draws of attributes, or of regions with all their attributes, taken for \
             independent; of fewer than ten there is none. Attributes of the same people are not independent: the intervals are too narrow \
             rather than too wide.";
    Sheet {
        id: "summary".to_owned(),
        title: "Over attributes".to_owned(),
        note,
        columns: vec![
            Column::new("classifier", Unit::Text),
            Column::new("measure", Unit::Text),
            Column::new("value", Unit::Text),
            Column::new("95 % interval", Unit::Text),
            Column::new("n", Unit::Count),
        ],
        rows,
        sections: true,
        ..Sheet::default()
    }
}

/// A row of the summary.
struct Line {
    what: &'static str,
    value: String,
    /// Empty where there is none.
    interval: String,
    n: usize,
}

impl Line {
    fn new(what: &'static str, value: String, n: usize) -> Self {
        Self {
            what,
            value,
            interval: String::new(),
            n,
        }
    }

    fn with(mut self, interval: Option<Interval>, write: fn(f64) -> String) -> Self {
        if let Some(Interval { low, high }) = interval {
            self.interval = format!("[{}, {}]", write(low), write(high));
        }
        self
    }

    fn cells(self, classifier: &str) -> Vec<Cell> {
        vec![
            Cell::from(classifier),
            Cell::from(self.what),
            Cell::from(self.value),
            Cell::from(self.interval),
            Cell::count(self.n),
        ]
    }
}

fn of_classifier(of: &OfClassifier) -> Vec<Line> {
    let mut lines = Vec::new();
    if let Some(rates) = of.rates {
        let n = rates.attributes;
        lines.push(Line::new("error", three(rates.error), n));
        lines.push(Line::new("error, thresholds moved", three(rates.ideal), n));
        lines.push(Line::new("d'", number(rates.d_prime, 2), n));
    }
    if let Some(energy) = of.energy {
        let (all, n) = (energy.all, energy.all.attributes);
        lines.push(Line::new("majority energy", three(all.energy), n));
        lines.push(Line::new("area of their regions", three(all.area), n));
        lines.push(Line::new("energy / area", number(all.ratio, 2), n));
        lines.push(Line::new("energy above area", format!("{} of {n}", all.above), n));
        if let Some(above) = energy.above.filter(|above| above.attributes < n) {
            let value = format!("{}, {}", three(above.energy), three(above.area));
            lines.push(Line::new("energy, area of those", value, above.attributes));
        }
    }
    if let Some(imbalance) = of.imbalance {
        let line = |what, n| Line::new(what, two_signed(imbalance.correlation), n);
        lines.push(line("correlation by attributes", imbalance.attributes).with(imbalance.interval, two_signed));
        if let Some((regions, interval)) = imbalance.regions {
            lines.push(line("correlation by regions", regions).with(interval, two_signed));
        }
    }
    lines
}

fn of_both(audited: &Audited, found: &Found) -> Vec<Line> {
    let mut lines = Vec::new();
    if let Some(gain) = found.gain {
        let share = gain.share.map_or_else(|| "no gain".to_owned(), percent);
        let n = gain.attributes;
        lines.push(Line::new("gain by thresholds alone", share, n).with(gain.interval, percent));
        lines.push(Line::new(
            "larger d' in the second",
            format!("{} of {n}", gain.more_sensitive),
            n,
        ));
    }
    if let Some([possible, impossible, untested]) = granularity_counts(audited) {
        let tested = possible + impossible;
        let value = format!("{impossible} of {tested}");
        lines.push(Line::new("impossible rates (GRIM)", value, tested + untested));
    }
    lines
}

/// What was found, in sentences.
pub(super) fn words(audited: &Audited, found: &Found) -> Vec<String> {
    let mut words = Vec::new();
    if let (Some(gain), [first, second]) = (found.gain, &audited.classifiers[..]) {
        words.push(match gain.share {
            Some(share) => format!(
                "Moving the thresholds of {first} predicts {} of what {second} gains in error ({} to {}; moved {}), if scores are normal.",
                percent(share),
                three(gain.before),
                three(gain.after),
                three(gain.moved),
            ),
            None => format!(
                "{second} has no smaller error than {first} ({} and {}): there is no gain to explain.",
                three(gain.after),
                three(gain.before)
            ),
        });
    }
    for (name, OfClassifier { energy, .. }) in audited.classifiers.iter().zip(&found.classifiers) {
        if let Some(energy) = energy {
            words.push(format!(
                "The majority energy of {name} is above the area of the region in {} of {} attributes.",
                energy.all.above, energy.all.attributes
            ));
        }
    }
    words
}

/// What GRIM found, or why nothing was to be found.
pub(super) fn granularity_words(audited: &Audited) -> String {
    match (granularity_counts(audited), audited.decimals) {
        (_, None) => "GRIM is for printed rates; these were counted here.".to_owned(),
        (None, Some(_)) => "GRIM was not done: how many images stand behind the rates is not known (columns positives and negatives, or \
                            --counts FILE)."
            .to_owned(),
        (Some([0, 0, all]), Some(_)) => {
            format!("GRIM says nothing of these {all} rates: with so many images any rate of so few decimals is some k of n.")
        }
        (Some([_, 0, _]), Some(_)) => "GRIM finds no rate impossible.".to_owned(),
        (Some([_, impossible, _]), Some(_)) => {
            format!("GRIM: {impossible} rates are no k of n for the n that is given.")
        }
    }
}

/// Everything of each attribute, for programs; an audit can read it again.
pub(super) fn file(audited: &Audited) -> Sheet {
    let head = [
        ("attribute", Unit::Text),
        ("minority", Unit::Text),
        ("train_positive_rate", Unit::Share),
        ("region_area", Unit::Share),
        ("positives", Unit::Count),
        ("negatives", Unit::Count),
    ];
    let mut columns: Vec<Column> = head.map(|(title, unit)| Column::new(title, unit)).to_vec();
    let of_classifier = [
        ("fnr", Unit::Share),
        ("fpr", Unit::Share),
        ("balanced_error", Unit::Share),
        ("d_prime", Unit::Number(3)),
        ("ideal_error", Unit::Share),
        ("energy_predicted_positive", Unit::Share),
        ("energy_predicted_negative", Unit::Share),
        ("images_predicted_positive", Unit::Count),
        ("images_predicted_negative", Unit::Count),
        ("majority_energy_over_area", Unit::Number(3)),
        ("energy_gap", Unit::Number(3)),
        ("fnr_grim", Unit::Text),
        ("fpr_grim", Unit::Text),
    ];
    for name in &audited.classifiers {
        columns.extend(of_classifier.map(|(title, unit)| Column::new(format!("{name}_{title}"), unit)));
    }
    let count = |count: Option<usize>| count.map_or(Cell::Absent, Cell::count);
    let row = |attribute: &Attribute| {
        let mut row = vec![
            Cell::name(&attribute.name),
            attribute.minority.map_or(Cell::Absent, |class| {
                Cell::from(if class == Class::Positive {
                    "positive"
                } else {
                    "negative"
                })
            }),
            Cell::number(attribute.positive_rate),
            Cell::number(attribute.area),
            count(attribute.counts.map(|counts| counts.0)),
            count(attribute.counts.map(|counts| counts.1)),
        ];
        for (classifier, numbers) in attribute.numbers.iter().enumerate() {
            let point = numbers.point();
            row.extend([
                Cell::number(numbers.false_negative_rate),
                Cell::number(numbers.false_positive_rate),
                Cell::number(point.map(|point| point.balanced_error())),
                Cell::number(point.map(|point| point.d_prime())),
                Cell::number(point.map(|point| point.ideal_error())),
                Cell::number(numbers.positive.energy),
                Cell::number(numbers.negative.energy),
                count(numbers.positive.images),
                count(numbers.negative.images),
                Cell::number(over(attribute.majority(classifier).energy, attribute.area)),
                Cell::number(attribute.gap(classifier)),
            ]);
            let grims = tested(audited, attribute, numbers);
            row.extend(grims.map(|found| found.map_or(Cell::Absent, |found| Cell::from(found.name()))));
        }
        row
    };
    Sheet {
        columns,
        rows: audited.attributes.iter().map(row).collect(),
        ..Sheet::default()
    }
}

fn three(value: f64) -> String {
    number(value, 3)
}

fn two_signed(value: f64) -> String {
    signed(value, 2)
}

fn percent(share: f64) -> String {
    format!("{:.0} %", 100.0 * share)
}
