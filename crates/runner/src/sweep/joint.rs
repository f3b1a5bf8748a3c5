//! What the runs of one setting say together: the paper's claims and the parts of the difference, over seeds.
//!
//! One run speaks of its networks; only several trainings say what another training would show. Each run's effect is a mean over its
//! people, and the seeds' effects are the units ([`metrics::over_seeds`]). Where all seeds are tested on the same people, the variance over
//! people is added.

use std::path::Path;

use metrics::{Claim, Judgement, OverSeeds, judge, over_seeds};

use super::Plan;
use super::state::State;
use crate::error::Result;
use crate::measured::DecomposedQuantity;
use pipeline::ReadTable;
use render::sheet::Sheet;

/// A number of every seed's run, over seeds.
#[derive(Debug, Clone, PartialEq)]
pub struct Joint {
    /// What it is: in the decomposition quantity, kind and name; of a claim its name.
    pub key: [String; 3],
    /// Its mean; with one seed no interval.
    pub mean: f64,
    /// Interval and p value, of at least two seeds.
    pub over: Option<OverSeeds>,
    /// Seeds that have it.
    pub seeds: usize,
    /// What the seeds say together, of a claim that is judged.
    pub judgement: Option<Judgement>,
    /// The p value after Holm's correction over the claims that are judged.
    pub adjusted_p_value: Option<f64>,
}

/// What the runs of one setting say together.
#[derive(Debug, Clone, PartialEq)]
pub struct JointSetting {
    /// What else varies, in words; empty if nothing does.
    pub series: String,
    /// The value along x.
    pub x: String,
    /// The claims.
    pub claims: Vec<Joint>,
    /// The parts of the difference; empty where the experiment has not all arms.
    pub parts: Vec<Joint>,
}

/// A key, a value and its standard error over people, of one run.
type Row = ([String; 3], f64, Option<f64>);

/// Reads what the finished runs say, and joins the seeds of each setting.
///
/// # Errors
/// When a table of a finished run is damaged.
pub fn read(plan: &Plan, states: &[State], sweep: &Path) -> Result<Vec<JointSetting>> {
    let mut settings: Vec<((&str, &str), Vec<usize>)> = Vec::new();
    for point in &plan.points {
        if !states[point.run].is_finished() {
            continue;
        }
        let key = (point.series.as_str(), point.x.as_str());
        match settings.iter_mut().find(|(known, _)| *known == key) {
            Some((_, runs)) => runs.push(point.run),
            None => settings.push((key, vec![point.run])),
        }
    }
    let mut all = Vec::new();
    for ((series, x), runs) in settings {
        let same_people = runs
            .iter()
            .all(|&run| plan.runs[run].experiment.data == plan.runs[runs[0]].experiment.data);
        let mut claims = Vec::new();
        let mut parts = Vec::new();
        for &run in &runs {
            let tables = sweep.join(&plan.runs[run].name).join("tables");
            claims.push(rows(&tables.join("claims.parquet"), ["claim"; 3], "effect")?);
            parts.push(rows(
                &tables.join("decomposition.parquet"),
                ["quantity", "kind", "name"],
                "value",
            )?);
        }
        let mut claims = join(&claims, same_people);
        judge_all(&mut claims);
        all.push(JointSetting {
            series: series.to_owned(),
            x: x.to_owned(),
            claims,
            parts: join(&parts, same_people),
        });
    }
    Ok(all)
}

/// The rows of a run's table; none where it has no such table.
fn rows(path: &Path, keys: [&str; 3], value: &str) -> Result<Vec<Row>> {
    if !path.exists() {
        return Ok(Vec::new());
    }
    let table = ReadTable::parquet(path)?;
    let [a, b, c] = keys.map(|key| table.texts(key));
    let (a, b, c) = (a?, b?, c?);
    let (values, errors) = (table.doubles(value)?, table.doubles("standard_error")?);
    let row = |row: usize| {
        Some((
            [a[row].clone(), b[row].clone(), c[row].clone()],
            values[row]?,
            errors[row],
        ))
    };
    Ok((0..table.height()).filter_map(row).collect())
}

/// The numbers that every run has.
fn join(runs: &[Vec<Row>], same_people: bool) -> Vec<Joint> {
    let Some(first) = runs.first() else { return Vec::new() };
    let of_key = |(key, ..): &Row| {
        let all: Vec<&Row> = runs
            .iter()
            .map(|rows| rows.iter().find(|(known, ..)| known == key))
            .collect::<Option<_>>()?;
        let values: Vec<f64> = all.iter().map(|(_, value, _)| *value).collect();
        let errors: Option<Vec<f64>> = all.iter().map(|(_, _, error)| *error).collect();
        let within = errors.filter(|_| same_people);
        Some(Joint {
            key: key.clone(),
            mean: values.iter().sum::<f64>() / values.len() as f64,
            // Without the people's part, seeds on the same people would seem to know more than they do.
            over: (!same_people || within.is_some())
                .then(|| over_seeds(&values, within.as_deref()))
                .flatten(),
            seeds: values.len(),
            judgement: None,
            adjusted_p_value: None,
        })
    };
    first.iter().filter_map(of_key).collect()
}

fn judge_all(claims: &mut [Joint]) {
    let is_judged = |joint: &Joint| {
        Claim::ALL
            .iter()
            .any(|claim| claim.name() == joint.key[0] && claim.is_judged())
    };
    let effects: Vec<_> = claims
        .iter()
        .map(|joint| {
            let over = joint.over.as_ref().filter(|_| is_judged(joint))?;
            Some((over.value, Some(over.p_value)))
        })
        .collect();
    for (joint, judged) in claims.iter_mut().zip(judge(&effects)) {
        if is_judged(joint) {
            joint.judgement = Some(judged.judgement);
            joint.adjusted_p_value = judged.adjusted_p_value;
        }
    }
}

impl JointSetting {
    /// A part of a quantity's difference.
    pub fn part(&self, quantity: DecomposedQuantity, kind: &str, name: &str) -> Option<&Joint> {
        let key = [quantity.name(), kind, name];
        self.parts.iter().find(|joint| joint.key == key)
    }

    /// The setting in words.
    pub fn name(&self) -> String {
        let named = [self.series.as_str(), self.x.as_str()].into_iter();
        let named: Vec<&str> = named.filter(|part| !part.is_empty()).collect();
        named.join(", ")
    }

    /// What its seeds say together; `prefix` says of which setting.
    fn sentences(&self, prefix: &str) -> Vec<String> {
        let seeds = self.claims.iter().map(|joint| joint.seeds).max().unwrap_or_default();
        let mut lines = Vec::new();
        for claim in Claim::ALL {
            let Some(joint) = self.claims.iter().find(|joint| joint.key[0] == claim.name()) else {
                continue;
            };
            let verdict = joint
                .judgement
                .map_or_else(|| "described".to_owned(), |judgement| judgement.to_string());
            lines.push(format!(
                "{prefix}{}. {}: {} {}.",
                claim.statement(),
                capitalised(&verdict),
                claim.effect(),
                number(joint)
            ));
        }
        for (quantity, name) in [
            (DecomposedQuantity::BalancedError, "balanced error"),
            (DecomposedQuantity::MinorityEnergy, "minority energy"),
            (DecomposedQuantity::MajorityEnergy, "majority energy"),
            (DecomposedQuantity::MajoritySpecificity, "majority specificity"),
        ] {
            let step = |part: &str| self.part(quantity, "step from unbalanced", part);
            let difference = self.part(quantity, "difference", "balanced - unbalanced");
            if let (Some(difference), Some(threshold), Some(head), Some(features)) =
                (difference, step("threshold"), step("head"), step("features"))
            {
                lines.push(format!(
                    "{prefix}Balancing changes {name} by {}. Moving the unbalanced classifier's threshold alone makes {} of that, refitting its head then \
                     {}, and the balanced features {}.",
                    number(difference),
                    number(threshold),
                    number(head),
                    number(features)
                ));
            }
        }
        if seeds > 0 {
            lines.push(format!(
                "Over {seeds} seed{}: brackets are 95 % intervals over them (Student's t).",
                if seeds == 1 {
                    ", which says nothing of another"
                } else {
                    "s"
                }
            ));
        }
        lines
    }
}

/// What the seeds of each setting say together, a finding each; the setting is named where there are several.
pub fn sentences(settings: &[JointSetting]) -> Vec<String> {
    let prefix = |one: &JointSetting| match settings.len() {
        1 => String::new(),
        _ => format!("{}: ", one.name()),
    };
    settings.iter().flat_map(|one| one.sentences(&prefix(one))).collect()
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn number(joint: &Joint) -> String {
    let interval = joint.over.as_ref().map_or_else(String::new, |over| {
        format!(" [{:+.3}, {:+.3}]", over.interval.low, over.interval.high)
    });
    format!("{:+.3}{interval}", joint.mean)
}

/// All of it as a table: one row a setting and number.
pub fn table(settings: &[JointSetting]) -> Sheet {
    let rows: Vec<(&JointSetting, &Joint, bool)> = settings
        .iter()
        .flat_map(|setting| {
            let claims = setting.claims.iter().map(move |joint| (setting, joint, true));
            claims.chain(setting.parts.iter().map(move |joint| (setting, joint, false)))
        })
        .collect();
    let texts = |value: &dyn Fn(&JointSetting, &Joint, bool) -> String| -> Vec<String> {
        rows.iter()
            .map(|(setting, joint, claim)| value(setting, joint, *claim))
            .collect()
    };
    let numbers = |value: fn(&Joint) -> Option<f64>| -> Vec<Option<f64>> {
        rows.iter().map(|(_, joint, _)| value(joint)).collect()
    };
    Sheet::default()
        .texts("series", &texts(&|setting, _, _| setting.series.clone()))
        .texts("x", &texts(&|setting, _, _| setting.x.clone()))
        .texts("quantity", &texts(&|_, joint, _| joint.key[0].clone()))
        .texts(
            "kind",
            &texts(&|_, joint, claim| {
                if claim {
                    "claim".to_owned()
                } else {
                    joint.key[1].clone()
                }
            }),
        )
        .texts(
            "name",
            &texts(&|_, joint, claim| if claim { String::new() } else { joint.key[2].clone() }),
        )
        .counts(
            "seeds",
            &rows.iter().map(|(_, joint, _)| joint.seeds as i64).collect::<Vec<_>>(),
        )
        .numbers("mean", &numbers(|joint| Some(joint.mean)))
        .numbers("low", &numbers(|joint| Some(joint.over.as_ref()?.interval.low)))
        .numbers("high", &numbers(|joint| Some(joint.over.as_ref()?.interval.high)))
        .numbers("p_value", &numbers(|joint| Some(joint.over.as_ref()?.p_value)))
        .numbers("p_value_holm", &numbers(|joint| joint.adjusted_p_value))
        .texts(
            "verdict",
            &texts(&|_, joint, _| {
                joint
                    .judgement
                    .map_or_else(String::new, |judgement| judgement.to_string())
            }),
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(claim: &str, value: f64, error: f64) -> Row {
        ([claim; 3].map(str::to_owned), value, Some(error))
    }

    #[test]
    fn seeds_are_the_units() {
        let runs: Vec<Vec<Row>> = [0.10, 0.11, 0.12]
            .iter()
            .map(|&value| {
                vec![
                    row("minority_errs_more", value, 0.01),
                    row("majority_looks_elsewhere", value - 0.11, 0.01),
                ]
            })
            .collect();
        let mut joint = join(&runs, false);
        judge_all(&mut joint);
        assert!((joint[0].mean - 0.11).abs() < 1e-12);
        assert_eq!(joint[0].judgement, Some(Judgement::Observed));
        assert_eq!(joint[1].judgement, Some(Judgement::NoClearEffect));
        // On the same people the people's variance comes on top.
        let wider = join(&runs, true);
        let width = |joint: &Joint| joint.over.as_ref().map(|over| over.interval.high - over.interval.low);
        assert!(width(&wider[0]) > width(&joint[0]));
    }

    #[test]
    fn one_seed_says_nothing_of_another() {
        let mut joint = join(&[vec![row("minority_errs_more", 0.5, 0.01)]], false);
        judge_all(&mut joint);
        assert_eq!(
            (joint[0].over, joint[0].judgement),
            (None, Some(Judgement::TooLittleData))
        );
        assert!(join(&[], false).is_empty());
    }

    /// What one run lacks is not joined: the mean would be of other attributes or arms.
    #[test]
    fn only_what_every_run_has_is_joined() {
        let runs = [vec![row("a", 1.0, 0.1), row("b", 1.0, 0.1)], vec![row("b", 3.0, 0.1)]];
        let joint = join(&runs, false);
        assert_eq!(joint.len(), 1);
        assert_eq!((joint[0].key[0].as_str(), joint[0].mean), ("b", 2.0));
    }
}
