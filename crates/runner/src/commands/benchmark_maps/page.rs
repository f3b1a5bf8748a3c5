//! What the benchmark says: tables, and which methods are beyond what knows nothing of the image.

use metrics::{Interval, OverSeeds, over_seeds};
use render::sheet::{Cell, Column, Sheet, Unit};
use render::text::counted;

use super::tried::{Tried, TriedClassifier};
use crate::error::Result;
use crate::measured::{CENTRE, MEAN, RANDOM, SCORES, method_title};

/// What this command writes stands between these lines of a page.
pub const BEGIN: &str = "<!-- biascam benchmark-maps: begin -->";
/// The end of it.
pub const END: &str = "<!-- biascam benchmark-maps: end -->";

/// Whether a page has both, in this order.
pub fn has_marks(page: &str) -> bool {
    page.split_once(BEGIN).is_some_and(|(_, rest)| rest.contains(END))
}

/// A score that is shown: its place in [`SCORES`], and whether a small value is the better one.
const SHOWN: [(&str, bool); 9] = [
    ("auroc_toggled", false),
    ("energy_toggled", false),
    ("pointing_toggled", false),
    ("top_k_toggled", false),
    ("rank_accuracy_toggled", false),
    ("deletion", true),
    ("insertion", false),
    ("road", false),
    ("stability", false),
];

/// The scores by which a method is judged: it has to be beyond every baseline in each of them.
const JUDGED: [&str; 3] = ["auroc_toggled", "deletion", "insertion"];

/// More alike to the maps of a random network than this, a map tells of the image rather than of the network.
const ALIKE: f64 = 0.5;

/// Fewer trainings have no verdict.
const LEAST: usize = 3;

/// One method of one classifier in the images that are predicted as a class.
struct Row {
    method: String,
    /// Means over trainings, by [`SHOWN`].
    means: Vec<Option<f64>>,
    /// How alike its maps are to those of a random network.
    all_random: Option<f64>,
    /// By [`JUDGED`]: how much better it is than the centre prior and than the mean map, on the same images; absent of a baseline.
    better: Vec<[Option<OverSeeds>; 2]>,
}

/// One classifier and predicted class.
struct Group {
    classifier: String,
    minority: bool,
    cases: usize,
    /// How many trainings have any of them.
    trainings: usize,
    rows: Vec<Row>,
}

/// What all trainings say together.
pub struct Page {
    groups: Vec<Group>,
    command: String,
    seeds: Vec<u64>,
    masks_and_steps: [usize; 2],
}

impl Page {
    /// Sums up trainings of the same experiment; `same_images` says whether all of them are tested on the same images.
    ///
    /// # Errors
    /// None that finished runs can cause.
    pub fn of(all: &[Tried], command: &str, seeds: &[u64], same_images: bool) -> Result<Self> {
        let mut groups = Vec::new();
        let names = all.first().map_or(&[][..], |tried| &tried.classifiers);
        for one in names {
            let trainings: Vec<&TriedClassifier> = all
                .iter()
                .filter_map(|tried| tried.classifiers.iter().find(|other| other.name == one.name))
                .collect();
            for minority in [false, true] {
                groups.push(group(&trainings, minority, same_images));
            }
        }
        Ok(Self {
            groups,
            command: command.to_owned(),
            seeds: seeds.to_vec(),
            masks_and_steps: all.first().map_or([0; 2], |one| one.masks_and_steps),
        })
    }

    /// What stands between the marks.
    pub fn markdown(&self) -> String {
        let seeds: Vec<String> = self.seeds.iter().map(u64::to_string).collect();
        let mut text = format!(
            "{BEGIN}\n\n    {}\n\nMeans over {} (seeds {}) of the means of each; a score without changed pixels counts in the columns that need none. RISE has \
             {}, FAME {}. docs/understand/which-map.md explains the columns.\n",
            self.command,
            counted(self.seeds.len(), "training"),
            seeds.join(", "),
            counted(self.masks_and_steps[0], "mask"),
            counted(self.masks_and_steps[1], "step")
        );
        for group in &self.groups {
            text += &format!(
                "\n**{}, images predicted as the {}** ({} of {})\n\n{}\n\n{}\n",
                group.classifier,
                if group.minority { "minority" } else { "majority" },
                counted(group.cases, "score"),
                counted(group.trainings, "training"),
                sheet(group).markdown(),
                verdict(group)
            );
        }
        text + &format!("\n{END}")
    }

    /// A page with it: a new one, or `before` with what stood between the marks replaced. `None` where that has no marks.
    pub fn within(&self, before: Option<&str>) -> Option<String> {
        let Some(before) = before else {
            return Some(format!("# Which map to trust\n\n{}\n", self.markdown()));
        };
        let (start, rest) = before.split_once(BEGIN)?;
        let (_, end) = rest.split_once(END)?;
        Some(format!("{start}{}{end}", self.markdown()))
    }

    /// All numbers as one table: a row for each classifier, predicted class and method.
    ///
    /// # Errors
    /// None: no two columns have a title.
    pub fn csv(&self) -> Result<Vec<u8>> {
        let rows: Vec<(&Group, &Row)> = self
            .groups
            .iter()
            .flat_map(|group| group.rows.iter().map(move |row| (group, row)))
            .collect();
        let texts = |value: &dyn Fn(&Group, &Row) -> String| -> Vec<String> {
            rows.iter().map(|(group, row)| value(group, row)).collect()
        };
        let numbers = |value: &dyn Fn(&Row) -> Option<f64>| -> Vec<Option<f64>> {
            rows.iter().map(|(_, row)| value(row)).collect()
        };
        let mut table = Sheet::default()
            .texts("classifier", &texts(&|group, _| group.classifier.clone()))
            .texts(
                "predicted",
                &texts(&|group, _| if group.minority { "minority" } else { "majority" }.to_owned()),
            )
            .texts("method", &texts(&|_, row| row.method.clone()));
        for (place, (name, _)) in SHOWN.iter().enumerate() {
            table = table.numbers(name, &numbers(&|row| row.means[place]));
        }
        table = table.numbers("all_random", &numbers(&|row| row.all_random));
        for (place, name) in JUDGED.iter().enumerate() {
            for (side, baseline) in [CENTRE, MEAN].into_iter().enumerate() {
                let of = |row: &Row| row.better.get(place).and_then(|both| both[side]);
                let title = format!("{name}_better_than_{baseline}");
                table = table
                    .numbers(&title, &numbers(&|row| Some(of(row)?.value)))
                    .numbers(&format!("{title}_low"), &numbers(&|row| Some(of(row)?.interval.low)))
                    .numbers(&format!("{title}_high"), &numbers(&|row| Some(of(row)?.interval.high)));
            }
        }
        Ok(table.csv()?)
    }
}

fn is_baseline(method: &str) -> bool {
    [RANDOM, CENTRE, MEAN].contains(&method)
}

fn place_of(name: &str) -> usize {
    SCORES.iter().position(|score| score.name == name).unwrap_or_default()
}

/// One classifier, as all trainings have it.
fn group(trainings: &[&TriedClassifier], minority: bool, same_images: bool) -> Group {
    let methods = trainings.first().map_or(&[][..], |one| &one.methods);
    let mean = |values: &[f64]| (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64);
    let over_trainings = |value: &dyn Fn(&TriedClassifier) -> Option<f64>| {
        let values: Vec<f64> = trainings.iter().filter_map(|one| value(one)).collect();
        mean(&values)
    };
    let plain = |values: Vec<(usize, f64)>| -> Vec<f64> { values.into_iter().map(|(_, value)| value).collect() };
    let row = |(place, method): (usize, &String)| Row {
        method: method.clone(),
        means: SHOWN
            .iter()
            .map(|(name, _)| over_trainings(&|one| mean(&plain(one.values(place_of(name), place, minority)))))
            .collect(),
        all_random: over_trainings(&|one| {
            let of_class = one.all_random[place]
                .iter()
                .filter(|(case, _)| one.minority[*case] == minority);
            mean(&of_class.map(|(_, similarity)| *similarity).collect::<Vec<f64>>())
        }),
        better: match is_baseline(method) {
            true => Vec::new(),
            false => JUDGED
                .iter()
                .map(|name| {
                    [CENTRE, MEAN].map(|baseline| better(trainings, [name, baseline], place, minority, same_images))
                })
                .collect(),
        },
    };
    Group {
        classifier: trainings.first().map(|one| one.name.clone()).unwrap_or_default(),
        minority,
        cases: trainings
            .iter()
            .map(|one| one.minority.iter().filter(|&&one| one == minority).count())
            .sum(),
        trainings: trainings.iter().filter(|one| one.minority.contains(&minority)).count(),
        rows: methods.iter().enumerate().map(row).collect(),
    }
}

/// By how much a method is better in a score than a baseline, on the same images: a mean over trainings, with their interval.
fn better(
    trainings: &[&TriedClassifier],
    [name, baseline]: [&str; 2],
    method: usize,
    minority: bool,
    same_images: bool,
) -> Option<OverSeeds> {
    let score = place_of(name);
    let sign = if SHOWN.iter().any(|(known, small)| *known == name && *small) {
        -1.0
    } else {
        1.0
    };
    let mut means = Vec::new();
    let mut errors = Vec::new();
    for one in trainings {
        let other = one.methods.iter().position(|known| known == baseline)?;
        let (own, others) = (one.values(score, method, minority), one.values(score, other, minority));
        let others: std::collections::HashMap<usize, f64> = others.into_iter().collect();
        let differences: Vec<f64> = own
            .into_iter()
            .filter_map(|(case, value)| Some(sign * (value - others.get(&case)?)))
            .collect();
        let n = differences.len() as f64;
        let mean = differences.iter().sum::<f64>() / n;
        let variance = differences.iter().map(|one| (one - mean).powi(2)).sum::<f64>() / (n - 1.0);
        means.push(mean);
        errors.push((variance / n).sqrt());
    }
    over_seeds(&means, same_images.then_some(&errors[..]))
}

fn sheet(group: &Group) -> Sheet {
    let titles = SHOWN
        .iter()
        .map(|(name, _)| SCORES[place_of(name)].title.replace(", toggled", ""));
    let columns = titles
        .chain(["all random ↓".to_owned()])
        .map(|title| Column::new(&title, Unit::Number(3)));
    let row = |row: &Row| {
        let name = Cell::Name {
            name: row.method.clone(),
            title: method_title(&row.method),
        };
        std::iter::once(name)
            .chain(row.means.iter().map(|mean| Cell::number(*mean)))
            .chain([Cell::number(row.all_random)])
            .collect()
    };
    Sheet {
        columns: std::iter::once(Column::new("method", Unit::Text))
            .chain(columns)
            .collect(),
        rows: group.rows.iter().map(row).collect(),
        ..Sheet::default()
    }
}

/// Which methods are to be trusted here, as a list.
fn verdict(group: &Group) -> String {
    if group.trainings < LEAST {
        return format!("Of fewer than {LEAST} trainings nothing is said: they hardly tell how much trainings differ.");
    }
    let beyond = |one: &Option<OverSeeds>| {
        one.as_ref().is_some_and(
            |OverSeeds {
                 interval: Interval { low, .. },
                 ..
             }| *low > 0.0,
        )
    };
    let all: Vec<&Row> = group.rows.iter().filter(|row| !is_baseline(&row.method)).collect();
    let those = |keep: &dyn Fn(&Row) -> bool| -> String {
        let kept = all.iter().filter(|row| keep(row));
        let titles: Vec<String> = kept.map(|row| method_title(&row.method)).collect();
        if titles.is_empty() {
            "none".to_owned()
        } else {
            titles.join(", ")
        }
    };
    let passes = |row: &Row, place: usize, side: usize| row.better.get(place).is_some_and(|both| beyond(&both[side]));
    let passes_all = |row: &Row, side: usize| (0..JUDGED.len()).all(|place| passes(row, place, side));
    let forgets = |row: &Row| row.all_random.is_some_and(|alike| alike < ALIKE);
    let keeps = |row: &Row| row.all_random.is_some_and(|alike| alike >= ALIKE);
    let unmeasured =
        |row: &Row| row.all_random.is_none() || row.better.iter().flatten().any(|difference| difference.is_none());
    let line = |(place, name): (usize, &&str)| {
        let title = SCORES[place_of(name)].title;
        let title = title.trim_end_matches([' ', '↑', '↓']).replace(", toggled", "");
        format!(
            "- {title}: beyond the centre prior {}; beyond the mean map {}",
            those(&|row| passes(row, place, 0)),
            those(&|row| passes(row, place, 1))
        )
    };
    let mut lines: Vec<String> = JUDGED.iter().enumerate().map(line).collect();
    lines.push(format!(
        "- all three: beyond the centre prior {}; beyond both {}",
        those(&|row| passes_all(row, 0)),
        those(&|row| passes_all(row, 0) && passes_all(row, 1))
    ));
    lines.push(format!(
        "- maps that random weights hardly change (all random at least {ALIKE}): {}",
        those(&keeps)
    ));
    if all.iter().any(|row| unmeasured(row)) {
        lines.push(format!(
            "- too few scores to say everything of: {}",
            those(&|row| unmeasured(row))
        ));
    }
    lines.push(format!(
        "- **to be trusted** (all three beyond both, and changed by random weights): {}",
        those(&|row| passes_all(row, 0) && passes_all(row, 1) && forgets(row))
    ));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two methods and the baselines, on cases that all predict the majority.
    fn tried(shift: f64) -> Tried {
        let methods: Vec<String> = ["hires_cam", "eigen_cam", RANDOM, CENTRE, MEAN]
            .map(str::to_owned)
            .to_vec();
        let cases = 30;
        let score = |name: &str, method: usize, case: usize| {
            let good = [0.9, 0.5, 0.3, 0.5, 0.6][method];
            let noise = 0.01 * ((case * 7919 + method) % 10) as f64 + shift * good;
            match name {
                "deletion" => 1.0 - good + noise,
                _ => good + noise,
            }
        };
        let scores = SCORES
            .iter()
            .map(|one| {
                let of = |case| (0..methods.len()).map(move |method| (case, method));
                (0..cases)
                    .flat_map(of)
                    .map(|(case, method)| Some(score(one.name, method, case)))
                    .collect()
            })
            .collect();
        Tried {
            masks_and_steps: [500, 75],
            classifiers: vec![TriedClassifier {
                name: "unbalanced".to_owned(),
                all_random: vec![vec![(0, 0.1)], vec![(0, 0.9)], Vec::new(), Vec::new(), Vec::new()],
                minority: vec![false; cases],
                methods,
                scores,
            }],
        }
    }

    #[test]
    fn a_method_is_trusted_that_is_beyond_every_baseline_on_the_same_images() {
        let all = [tried(0.0), tried(0.01), tried(0.02)];
        let page = Page::of(&all, "biascam benchmark-maps embedded", &[1, 2, 3], false).unwrap();
        let group = &page.groups[0];
        assert_eq!((group.minority, group.cases), (false, 90));
        let text = verdict(group);
        assert!(
            text.contains("- AUROC: beyond the centre prior HiResCAM; beyond the mean map HiResCAM\n"),
            "{text}"
        );
        assert!(text.contains("(all random at least 0.5): Eigen-CAM\n"), "{text}");
        assert!(text.ends_with("changed by random weights): HiResCAM"), "{text}");
        let two = Page::of(&all[..2], "biascam benchmark-maps embedded", &[1, 2], false).unwrap();
        assert!(verdict(&two.groups[0]).starts_with("Of fewer than 3 trainings nothing"));
        let better = group.rows[0].better[1][1].unwrap();
        assert!((better.value - 0.3).abs() < 0.01, "less deletion is better: {better:?}");
        // What the images do to all trainings alike is not in the spread between these.
        let alike = Page::of(&all, "biascam benchmark-maps embedded", &[1, 2, 3], true).unwrap();
        let wider = alike.groups[0].rows[0].better[1][1].unwrap();
        assert!(wider.standard_error > better.standard_error, "{wider:?} and {better:?}");
        let csv = String::from_utf8(page.csv().unwrap()).unwrap();
        assert!(
            csv.lines()
                .next()
                .unwrap()
                .contains("auroc_toggled_better_than_mean_map_low")
        );
        // None predicts the minority.
        assert!(verdict(&page.groups[1]).starts_with("Of fewer than 3 trainings nothing"));
        assert!(page.markdown().contains("RISE has 500 masks, FAME 75 steps."));
    }

    #[test]
    fn what_stands_between_the_marks_is_replaced_and_nothing_else() {
        let page = Page::of(&[tried(0.0), tried(0.01)], "biascam benchmark-maps x", &[1, 2], false).unwrap();
        let before = format!("# A page\n\nbefore\n\n{BEGIN}\nold\n{END}\n\nafter\n");
        let after = page.within(Some(&before)).unwrap();
        assert!(after.starts_with("# A page\n\nbefore\n\n") && after.ends_with("\n\nafter\n"));
        assert!(!after.contains("\nold\n") && after.contains("    biascam benchmark-maps x\n"));
        assert_eq!(page.within(Some(&after)).unwrap(), after);
        assert!(page.within(Some("# Another page")).is_none());
        assert!(page.within(None).unwrap().starts_with("# Which map to trust"));
    }
}
