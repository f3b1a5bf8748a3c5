//! The comparison over a sweep: means with intervals over seeds, tests between settings, where the majority is looked at, and
//! which settings are worth considering.
//!
//! A mean over attributes is over those that every run measured, so that no point of a curve is about other attributes than the
//! next. Intervals are Student's, over the trainings that differ in their seed alone; with one seed there is none.

use std::collections::BTreeSet;

use metrics::{Bootstrap, Interval, Paired, holm, paired_t_test, pareto_front, signed_rank_test, student_interval};

use super::Plan;
use super::records::{Quantity, Record};

/// Below this adjusted p value two settings are said to differ.
pub const LEVEL: f64 = 0.05;

/// A mean over seeds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mean {
    /// The mean.
    pub value: f64,
    /// Its 95 % interval over seeds ([`student_interval`]), of a share cut at 0 and 1.
    pub interval: Option<Interval>,
    /// Seeds behind it.
    pub seeds: usize,
}

impl Mean {
    fn of(values: &[f64], quantity: Quantity) -> Option<Self> {
        let cut = |interval: Interval| match quantity.is_share() {
            true => Interval {
                low: interval.low.max(0.0),
                high: interval.high.min(1.0),
            },
            false => interval,
        };
        (!values.is_empty()).then(|| Self {
            value: values.iter().sum::<f64>() / values.len() as f64,
            interval: student_interval(values).map(cut),
            seeds: values.len(),
        })
    }
}

/// One value a [`Quantity`].
pub type Means = [Option<Mean>; Quantity::ALL.len()];

/// One setting: a place on a curve, with all its seeds.
#[derive(Debug, Clone, PartialEq)]
pub struct Setting {
    /// Position of the curve.
    pub series: usize,
    /// Position along x.
    pub x: usize,
    /// Positions of its records.
    records: Vec<usize>,
    /// Means over the common attributes.
    pub means: Means,
    /// The same for each attribute.
    pub attributes: Vec<Means>,
    /// Attributes whose majority is looked at: its energy, mean over seeds, is above the region's area.
    pub looked_at: usize,
    /// Whether no other setting has at most its balanced error and at least its balanced energy.
    pub on_front: bool,
}

/// A test between two settings.
#[derive(Debug, Clone, PartialEq)]
pub struct Test {
    /// What is compared.
    pub quantity: Quantity,
    /// Positions of the settings; differences are second - first.
    pub settings: [usize; 2],
    /// Seeds that both have.
    pub seeds: usize,
    /// The 95 % interval over seeds of the mean difference ([`student_interval`] of the seeds' differences).
    pub interval: Option<Interval>,
    /// Student's paired test over seeds, of means over attributes.
    pub p: Option<f64>,
    /// The same by Holm over all tests of the quantity.
    pub p_adjusted: Option<f64>,
    /// The differences of the attributes, each averaged over seeds first.
    pub attributes: Paired,
    /// Wilcoxon's signed-rank test over attributes, which takes them to be independent: they are measured on the same people.
    pub p_attributes: Option<f64>,
    /// The same by Holm.
    pub p_attributes_adjusted: Option<f64>,
}

impl Test {
    /// Whether the settings differ at [`LEVEL`], over seeds: never with one.
    pub fn differs(&self) -> bool {
        self.p_adjusted.is_some_and(|p| p < LEVEL)
    }
}

/// From where on something holds along x.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum From {
    /// At every x.
    Always,
    /// From this x on, at every larger one; between two tested values where it was interpolated.
    X(f64),
    /// Not at the largest x.
    Never,
}

/// Where along one curve the majority begins to be looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct Onset {
    /// Position of the curve.
    pub series: usize,
    /// From which tested x on the majority's energy is above the region's area: the 95 % interval over seeds of the mean excess is above 0, or
    /// with one seed the excess itself.
    pub above_chance: From,
    /// From which tested x on it is above that of the smallest x, by the adjusted test.
    pub risen: From,
    /// For each attribute, where its majority's energy passes the area of its region, linearly between tested values; `None` for attributes
    /// that not every run measured.
    pub attributes: Vec<Option<From>>,
}

/// Everything that is compared.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// What x is.
    pub x: String,
    /// The values along x, as a person reads them, in order.
    pub labels: Vec<String>,
    /// The same as numbers, if all are.
    pub numbers: Option<Vec<f64>>,
    /// The curves' names.
    pub series: Vec<String>,
    /// The settings, by curve and x.
    pub settings: Vec<Setting>,
    /// The attributes, and the areas of their regions.
    pub attributes: Vec<(String, Option<f64>)>,
    /// For each quantity, the attributes behind its mean.
    pub common: Vec<Vec<usize>>,
    /// The tests, by quantity.
    pub tests: Vec<Test>,
    /// Where the majority begins to be looked at; empty unless x is a number with at least two values.
    pub onsets: Vec<Onset>,
}

impl Comparison {
    /// Compares records; `None` if there are none.
    pub fn of(plan: &Plan, records: &[Record]) -> Option<Self> {
        let first = records.first()?;
        let attributes: Vec<(String, Option<f64>)> = first
            .attributes
            .iter()
            .map(|attribute| (attribute.name.clone(), attribute.area))
            .collect();
        let values = Values::of(records, &attributes);
        let classifiers: BTreeSet<&str> = records.iter().map(|record| record.classifier.as_str()).collect();
        let (labels, numbers) = x_values(plan, records);

        let mut comparison = Self {
            x: plan.x.clone(),
            labels,
            numbers,
            series: Vec::new(),
            settings: Vec::new(),
            common: Quantity::ALL.map(|quantity| values.common(quantity)).to_vec(),
            attributes,
            tests: Vec::new(),
            onsets: Vec::new(),
        };
        for (position, record) in records.iter().enumerate() {
            let point = &plan.points[record.point];
            let name = match (point.series.as_str(), classifiers.len()) {
                ("", _) => record.classifier.clone(),
                (series, 1) => series.to_owned(),
                (series, _) => format!("{series}, {}", record.classifier),
            };
            let series = place(&mut comparison.series, name);
            let x = comparison.labels.iter().position(|label| *label == point.x)?;
            let known = comparison
                .settings
                .iter_mut()
                .find(|setting| (setting.series, setting.x) == (series, x));
            match known {
                Some(setting) => setting.records.push(position),
                None => comparison.settings.push(Setting {
                    series,
                    x,
                    records: vec![position],
                    means: [None; Quantity::ALL.len()],
                    attributes: Vec::new(),
                    looked_at: 0,
                    on_front: false,
                }),
            }
        }
        comparison.settings.sort_by_key(|setting| (setting.series, setting.x));
        comparison.fill_settings(&values);
        comparison.tests = comparison.tests(plan, records, &values);
        comparison.onsets = comparison.onsets(&values);
        Some(comparison)
    }

    /// A setting in words.
    pub fn name(&self, setting: &Setting) -> String {
        let place = format!("{} {}", self.x, self.labels[setting.x]);
        if self.series.len() > 1 {
            format!("{}, {place}", self.series[setting.series])
        } else {
            place
        }
    }

    fn fill_settings(&mut self, values: &Values) {
        for setting in &mut self.settings {
            for quantity in Quantity::ALL {
                let common = &self.common[quantity.index()];
                let by_seed: Vec<f64> = setting
                    .records
                    .iter()
                    .filter_map(|&record| values.mean(record, common, quantity))
                    .collect();
                setting.means[quantity.index()] = Mean::of(&by_seed, quantity);
            }
            setting.attributes = (0..self.attributes.len())
                .map(|attribute| {
                    Quantity::ALL.map(|quantity| {
                        let records = setting.records.iter();
                        let by_seed: Vec<f64> = records
                            .filter_map(|&record| values.get(record, attribute, quantity))
                            .collect();
                        Mean::of(&by_seed, quantity)
                    })
                })
                .collect();
            setting.looked_at = self.common[Quantity::MajorityEnergy.index()]
                .iter()
                .filter(|&&attribute| excess(setting, &self.attributes, attribute).is_some_and(|excess| excess > 0.0))
                .count();
        }
        let points: Vec<(f64, f64)> = self
            .settings
            .iter()
            .map(|setting| {
                let mean = |quantity: Quantity| setting.means[quantity.index()].map_or(f64::NAN, |mean| mean.value);
                (mean(Quantity::BalancedError), mean(Quantity::BalancedEnergy))
            })
            .collect();
        for (setting, on_front) in self.settings.iter_mut().zip(pareto_front(&points)) {
            setting.on_front = on_front;
        }
    }

    /// Tests of every two settings of one curve, and of every two curves at one x: those that differ in one thing.
    fn tests(&self, plan: &Plan, records: &[Record], values: &Values) -> Vec<Test> {
        let mut all = Vec::new();
        for quantity in Quantity::ALL {
            let common = &self.common[quantity.index()];
            let mut family = Vec::new();
            for (second, b) in self.settings.iter().enumerate() {
                for (first, a) in self.settings[..second].iter().enumerate() {
                    if a.series != b.series && a.x != b.x {
                        continue;
                    }
                    let of = |setting: &Setting| -> Vec<f64> {
                        let mean = |&attribute: &usize| Some(setting.attributes[attribute][quantity.index()]?.value);
                        common.iter().filter_map(mean).collect()
                    };
                    let (of_a, of_b) = (of(a), of(b));
                    let none = Bootstrap { resamples: 0, seed: 0 };
                    let Some(attributes) = Paired::of(&of_b, &of_a, none) else {
                        continue;
                    };
                    let differences: Vec<f64> = of_b.iter().zip(&of_a).map(|(b, a)| b - a).collect();
                    let by_seed = seed_differences(plan, records, values, [a, b], common, quantity);
                    family.push(Test {
                        quantity,
                        settings: [first, second],
                        seeds: by_seed.len(),
                        interval: student_interval(&by_seed),
                        p: paired_t_test(&by_seed),
                        p_adjusted: None,
                        attributes,
                        p_attributes: signed_rank_test(&differences),
                        p_attributes_adjusted: None,
                    });
                }
            }
            adjust(&mut family, |test| test.p, |test| &mut test.p_adjusted);
            adjust(
                &mut family,
                |test| test.p_attributes,
                |test| &mut test.p_attributes_adjusted,
            );
            all.extend(family);
        }
        all
    }

    fn onsets(&self, values: &Values) -> Vec<Onset> {
        let Some(numbers) = self.numbers.as_ref().filter(|numbers| numbers.len() > 1) else {
            return Vec::new();
        };
        let quantity = Quantity::MajorityEnergy;
        let common = &self.common[quantity.index()];
        let of_series = |series: usize| {
            let settings: Vec<(usize, &Setting)> = self
                .settings
                .iter()
                .enumerate()
                .filter(|(_, setting)| setting.series == series)
                .collect();
            let x = |setting: &Setting| numbers[setting.x];
            let above: Vec<(f64, bool)> = settings
                .iter()
                .map(|(_, setting)| {
                    let areas: f64 = common
                        .iter()
                        .filter_map(|&attribute| self.attributes[attribute].1)
                        .sum();
                    let chance = areas / common.len().max(1) as f64;
                    let by_seed: Vec<f64> = setting
                        .records
                        .iter()
                        .filter_map(|&record| Some(values.mean(record, common, quantity)? - chance))
                        .collect();
                    let least = match (student_interval(&by_seed), by_seed.as_slice()) {
                        (Some(interval), _) => interval.low,
                        (None, &[only]) => only,
                        _ => f64::NEG_INFINITY,
                    };
                    (x(setting), least > 0.0)
                })
                .collect();
            let risen: Vec<(f64, bool)> = settings
                .iter()
                .map(|&(position, setting)| {
                    let test = self
                        .tests
                        .iter()
                        .find(|test| test.quantity == quantity && test.settings == [settings[0].0, position]);
                    let rises = test.is_some_and(|test| test.differs() && test.attributes.difference > 0.0);
                    (x(setting), rises)
                })
                .collect();
            let attributes = (0..self.attributes.len())
                .map(|attribute| {
                    common.contains(&attribute).then(|| {
                        let curve: Vec<(f64, f64)> = settings
                            .iter()
                            .filter_map(|(_, setting)| {
                                Some((x(setting), excess(setting, &self.attributes, attribute)?))
                            })
                            .collect();
                        crossing(&curve)
                    })
                })
                .collect();
            Onset {
                series,
                above_chance: from(&above),
                risen: from(&risen),
                attributes,
            }
        };
        (0..self.series.len()).map(of_series).collect()
    }
}

/// How far the majority's energy, mean over seeds, is above the region's area.
fn excess(setting: &Setting, attributes: &[(String, Option<f64>)], attribute: usize) -> Option<f64> {
    let energy = setting.attributes[attribute][Quantity::MajorityEnergy.index()]?;
    Some(energy.value - attributes[attribute].1?)
}

/// The first x from which on it holds at every later one.
fn from(curve: &[(f64, bool)]) -> From {
    let holding = curve.iter().rev().take_while(|(_, holds)| *holds).count();
    match curve.len() - holding {
        _ if holding == 0 => From::Never,
        0 => From::Always,
        first => From::X(curve[first].0),
    }
}

/// Where a curve passes 0 and stays above it, linearly between its points.
fn crossing(curve: &[(f64, f64)]) -> From {
    let above: Vec<(f64, bool)> = curve.iter().map(|&(x, y)| (x, y > 0.0)).collect();
    match from(&above) {
        From::X(x) => {
            let position = curve.iter().position(|&(known, _)| known == x).unwrap_or_default();
            let [(x0, y0), (x1, y1)] = [curve[position - 1], curve[position]];
            From::X(x0 + (x1 - x0) * -y0 / (y1 - y0))
        }
        other => other,
    }
}

/// The differences of means over attributes, seed by seed, of the seeds that both settings have.
fn seed_differences(
    plan: &Plan,
    records: &[Record],
    values: &Values,
    [a, b]: [&Setting; 2],
    common: &[usize],
    quantity: Quantity,
) -> Vec<f64> {
    let seed = |record: usize| plan.points[records[record].point].seed;
    a.records
        .iter()
        .filter_map(|&first| {
            let second = b.records.iter().find(|&&second| seed(second) == seed(first))?;
            let mean = |record| values.mean(record, common, quantity);
            Some(mean(*second)? - mean(first)?)
        })
        .collect()
}

/// Corrects the p values of a family for their number.
fn adjust(family: &mut [Test], p: impl Fn(&Test) -> Option<f64>, adjusted: impl Fn(&mut Test) -> &mut Option<f64>) {
    let (positions, values): (Vec<usize>, Vec<f64>) = family
        .iter()
        .enumerate()
        .filter_map(|(position, test)| Some((position, p(test)?)))
        .unzip();
    for (position, value) in positions.into_iter().zip(holm(&values)) {
        *adjusted(&mut family[position]) = Some(value);
    }
}

/// The values along x in order: numbers by size, others as they come.
fn x_values(plan: &Plan, records: &[Record]) -> (Vec<String>, Option<Vec<f64>>) {
    let mut all: Vec<(&str, Option<f64>)> = Vec::new();
    for record in records {
        let point = &plan.points[record.point];
        if all.iter().all(|(label, _)| *label != point.x) {
            all.push((&point.x, point.number));
        }
    }
    let numeric = all.iter().all(|(_, number)| number.is_some());
    if numeric {
        all.sort_by(|a, b| a.1.unwrap_or_default().total_cmp(&b.1.unwrap_or_default()));
    }
    let labels = all.iter().map(|(label, _)| (*label).to_owned()).collect();
    (
        labels,
        numeric.then(|| all.iter().filter_map(|(_, number)| *number).collect()),
    )
}

/// The position of a name in a list, which it is added to if need be.
fn place(names: &mut Vec<String>, name: String) -> usize {
    names.iter().position(|known| *known == name).unwrap_or_else(|| {
        names.push(name);
        names.len() - 1
    })
}

/// The records' values by attribute, in the order of one list of attributes.
struct Values(Vec<Vec<[Option<f64>; Quantity::ALL.len()]>>);

impl Values {
    fn of(records: &[Record], attributes: &[(String, Option<f64>)]) -> Self {
        let of_record = |record: &Record| {
            attributes
                .iter()
                .map(|(name, _)| {
                    let found = record.attributes.iter().find(|attribute| attribute.name == *name);
                    found.map_or([None; Quantity::ALL.len()], |attribute| attribute.values)
                })
                .collect()
        };
        Self(records.iter().map(of_record).collect())
    }

    fn get(&self, record: usize, attribute: usize, quantity: Quantity) -> Option<f64> {
        self.0[record][attribute][quantity.index()]
    }

    /// The attributes of which every record has the quantity.
    fn common(&self, quantity: Quantity) -> Vec<usize> {
        let attributes = self.0.first().map_or(0, Vec::len);
        (0..attributes)
            .filter(|&attribute| (0..self.0.len()).all(|record| self.get(record, attribute, quantity).is_some()))
            .collect()
    }

    fn mean(&self, record: usize, attributes: &[usize], quantity: Quantity) -> Option<f64> {
        let values: Option<Vec<f64>> = attributes
            .iter()
            .map(|&attribute| self.get(record, attribute, quantity))
            .collect();
        let values = values.filter(|values| !values.is_empty())?;
        Some(values.iter().sum::<f64>() / values.len() as f64)
    }
}

#[cfg(test)]
pub(super) mod tests;
