//! How much of a classifier's scores is a bias, group by group: what `energy.parquet` holds of it, summed up.

use metrics::{BiasReliance, Bootstrap, Class, Evidence, Paired, Statistics};

use crate::error::Result;
use crate::frames::{ParquetFile, Table};
use crate::measured::{AttributeMeasures, Measured};

/// A part of a score, and how to find and put it in a decomposition.
type Part = (
    &'static str,
    fn(&BiasReliance) -> f64,
    fn(&mut BiasReliance) -> &mut f64,
);

/// The columns of `energy.parquet`, in logits of the predicted class.
const PARTS: [Part; 10] = [
    ("bias", |r| r.bias, |r| &mut r.bias),
    ("constant", |r| r.constant, |r| &mut r.constant),
    (
        "evidence_for_inside",
        |r| r.evidence.for_inside,
        |r| &mut r.evidence.for_inside,
    ),
    (
        "evidence_for_outside",
        |r| r.evidence.for_outside,
        |r| &mut r.evidence.for_outside,
    ),
    (
        "evidence_against_inside",
        |r| r.evidence.against_inside,
        |r| &mut r.evidence.against_inside,
    ),
    (
        "evidence_against_outside",
        |r| r.evidence.against_outside,
        |r| &mut r.evidence.against_outside,
    ),
    (
        "specific_for_inside",
        |r| r.specific.for_inside,
        |r| &mut r.specific.for_inside,
    ),
    (
        "specific_for_outside",
        |r| r.specific.for_outside,
        |r| &mut r.specific.for_outside,
    ),
    (
        "specific_against_inside",
        |r| r.specific.against_inside,
        |r| &mut r.specific.against_inside,
    ),
    (
        "specific_against_outside",
        |r| r.specific.against_outside,
        |r| &mut r.specific.against_outside,
    ),
];

/// Adds the columns of some decompositions, one a row, to a long table.
pub fn write_columns<'a>(table: Table, rows: impl Iterator<Item = &'a BiasReliance> + Clone) -> Table {
    PARTS.iter().fold(table, |table, (name, get, _)| {
        // Not a number: evidence of an image without a region.
        let value = |row: &BiasReliance| Some(get(row) as f32).filter(|value| !value.is_nan());
        let values: Vec<Option<f32>> = rows.clone().map(value).collect();
        table.singles(name, &values)
    })
}

/// The decompositions in `energy.parquet`, images outermost, in the precision in which they are stored.
pub struct Decompositions {
    /// One for each of [`PARTS`]; not a number where there is no evidence.
    columns: [Vec<f32>; PARTS.len()],
}

impl Decompositions {
    /// Reads them.
    ///
    /// # Errors
    /// When a column is missing or has other values than numbers.
    pub fn read(file: &ParquetFile) -> Result<Self> {
        let mut columns: [Vec<f32>; PARTS.len()] = Default::default();
        for (column, (name, ..)) in columns.iter_mut().zip(&PARTS) {
            let values = file.columns(&[name])?.singles(name)?;
            *column = values.into_iter().map(|value| value.unwrap_or(f32::NAN)).collect();
        }
        Ok(Self { columns })
    }

    /// Those of one of `width` attributes, one an image, without the score; evidence is not a number where it is absent.
    pub fn of_attribute(&self, attribute: usize, width: usize) -> Vec<BiasReliance> {
        let empty = BiasReliance {
            score: 0.0,
            bias: 0.0,
            constant: 0.0,
            evidence: Evidence::default(),
            specific: Evidence::default(),
        };
        let mut rows = vec![empty; self.columns[0].len() / width];
        for ((_, _, place), column) in PARTS.iter().zip(&self.columns) {
            for (row, &value) in rows.iter_mut().zip(column[attribute..].iter().step_by(width)) {
                *place(row) = f64::from(value);
            }
        }
        rows
    }
}

/// The images predicted as one class, by one classifier and for one attribute.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reliance {
    /// Mean of |z|, with its interval.
    pub score: Statistics,
    /// The head's bias, for the class.
    pub bias: f64,
    /// The constant part, for the class.
    pub constant: f64,
    /// Means of the evidence, over the images in which the attribute has a region; absent without any, as all that follow.
    pub evidence: Option<Evidence>,
    /// Means of the evidence that is specific to the image.
    pub specific: Option<Evidence>,
    /// What the region adds to the score beyond the constant part: [`Evidence::inside`] of `specific`, with its interval.
    pub region: Option<Statistics>,
}

impl Reliance {
    /// Sums up a group; `None` if it is empty.
    pub fn of(rows: &[BiasReliance], bootstrap: Bootstrap) -> Option<Self> {
        let placed: Vec<BiasReliance> = rows
            .iter()
            .filter(|row| !row.specific.sum().is_nan())
            .copied()
            .collect();
        let statistics = |rows: &[BiasReliance], value: fn(&BiasReliance) -> f64| {
            let values: Vec<f64> = rows.iter().map(value).collect();
            Statistics::of(&values, bootstrap)
        };
        let mean = |rows: &[BiasReliance], value: &dyn Fn(&BiasReliance) -> f64| {
            rows.iter().map(value).sum::<f64>() / rows.len() as f64
        };
        let evidence = |of: fn(&BiasReliance) -> Evidence| {
            (!placed.is_empty()).then(|| Evidence {
                for_inside: mean(&placed, &|row| of(row).for_inside),
                for_outside: mean(&placed, &|row| of(row).for_outside),
                against_inside: mean(&placed, &|row| of(row).against_inside),
                against_outside: mean(&placed, &|row| of(row).against_outside),
            })
        };
        Some(Self {
            score: statistics(rows, |row| row.score)?,
            region: statistics(&placed, |row| row.specific.inside()),
            bias: mean(rows, &|row| row.bias),
            constant: mean(rows, &|row| row.constant),
            evidence: evidence(|row| row.evidence),
            specific: evidence(|row| row.specific),
        })
    }

    /// Constant part / mean score: above 1 where the images speak against the prediction on the whole, negative where the constant
    /// part does. `None` where all scores are 0.
    pub fn constant_share(&self) -> Option<f64> {
        self.share(self.constant)
    }

    /// The head's bias / mean score.
    pub fn bias_share(&self) -> Option<f64> {
        self.share(self.bias)
    }

    fn share(&self, part: f64) -> Option<f64> {
        (self.score.mean > 0.0).then(|| part / self.score.mean)
    }
}

/// A quantity that is compared, attribute by attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantity {
    /// [`Reliance::constant_share`].
    ConstantShare,
    /// [`Reliance::bias_share`].
    BiasShare,
    /// Mean of [`Reliance::region`]; attributes with a local region only.
    Region,
    /// The part of all biases of the network in the score.
    AllBiasesShare,
    /// What the score loses without the region; attributes with a local region only.
    RegionLoss,
    /// What it loses without the region beyond what it loses without an equal area elsewhere; of the same, where there is room for
    /// one.
    LossBeyondControl,
}

impl Quantity {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::ConstantShare,
        Self::BiasShare,
        Self::AllBiasesShare,
        Self::Region,
        Self::RegionLoss,
        Self::LossBeyondControl,
    ];

    /// As a reader sees it.
    pub fn title(self) -> &'static str {
        match self {
            Self::ConstantShare => "constant part / score",
            Self::BiasShare => "head's bias / score",
            Self::AllBiasesShare => "all biases / score",
            Self::Region => "region's specific evidence",
            Self::RegionLoss => "lost with the region hidden",
            Self::LossBeyondControl => "lost beyond an equal area's loss",
        }
    }

    /// Its value for the images that a classifier predicts as the minority or the majority; `None` below
    /// [`metrics::MIN_SAMPLES`] images.
    pub fn value(self, attribute: &AttributeMeasures, classifier: usize, minority: bool) -> Option<f64> {
        let measures = &attribute.classifiers[classifier];
        let class = attribute.class(minority);
        let local = attribute.local.then_some(());
        let reliance = || {
            measures
                .reliance(class)
                .filter(|found| found.score.n >= metrics::MIN_SAMPLES)
        };
        let occlusion = || {
            measures
                .occlusion(class)
                .filter(|found| found.score.n >= metrics::MIN_SAMPLES)
        };
        match self {
            Self::ConstantShare => reliance()?.constant_share(),
            Self::BiasShare => reliance()?.bias_share(),
            Self::AllBiasesShare => measures
                .all_biases(class)
                .filter(|found| found.n >= metrics::MIN_SAMPLES)?
                .share(),
            Self::Region => local.and_then(|()| Some(reliance()?.region?.mean)),
            Self::RegionLoss => local.and_then(|()| Some(occlusion()?.region.mean)),
            Self::LossBeyondControl => local.and_then(|()| Some(occlusion()?.beyond_control?.difference)),
        }
    }
}

/// One comparison over attributes, each paired with itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// What is compared.
    pub quantity: Quantity,
    /// Which group less which other, in words.
    pub groups: String,
    /// The differences; absent without an attribute that has both.
    pub paired: Option<Paired>,
}

/// Every comparison: within each classifier its majority less its minority predictions, and of every other classifier the
/// majority predictions of the first less its.
pub fn comparisons(measured: &Measured, bootstrap: Bootstrap) -> Vec<Comparison> {
    let mut all = Vec::new();
    for quantity in Quantity::ALL {
        let mut compare = |groups: String, first: (usize, bool), second: (usize, bool)| {
            let (a, b): (Vec<f64>, Vec<f64>) = measured
                .attributes
                .iter()
                .filter_map(|attribute| {
                    let value = |(classifier, minority)| quantity.value(attribute, classifier, minority);
                    value(first).zip(value(second))
                })
                .unzip();
            all.push(Comparison {
                quantity,
                groups,
                paired: Paired::of(&a, &b, bootstrap),
            });
        };
        for (index, name) in measured.classifiers.iter().enumerate() {
            compare(format!("{name}: majority - minority"), (index, false), (index, true));
        }
        for (index, name) in measured.classifiers.iter().enumerate().skip(1) {
            compare(
                format!("majority: {} - {name}", measured.classifiers[0]),
                (0, false),
                (index, false),
            );
        }
    }
    all
}

/// The decompositions of the images predicted as `class`, with their scores.
pub fn predicted_as(rows: &[BiasReliance], scores: &[f32], class: Class) -> Vec<BiasReliance> {
    rows.iter()
        .zip(scores)
        .filter(|(_, score)| Class::predicted(**score) == class)
        .map(|(row, score)| BiasReliance {
            score: f64::from(score.abs()),
            ..*row
        })
        .collect()
}
