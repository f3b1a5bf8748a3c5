//! Whether maps tell what the classifiers use, method by method: what `faithfulness.parquet` and `sanity.parquet` hold, summed up.

use metrics::{Bootstrap, Paired, Statistics};

use crate::artefacts;
use crate::error::{Error, Result};
use crate::recorded::Recorded;
use pipeline::{self, ReadTable};
use render::text::readable;

/// The baseline that knows nothing.
pub const RANDOM: &str = "random_map";
/// The baseline that knows only that the middle of an aligned face matters.
pub const CENTRE: &str = "centre_prior";
/// The baseline that knows attribute and prediction and not the image: the mean of the maps of all images that are predicted so.
pub const MEAN: &str = "mean_map";

/// What is measured of a method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Score {
    /// The column in every table.
    pub name: &'static str,
    /// As a reader sees it, with the better direction.
    pub title: &'static str,
    /// Whether small tables show it.
    pub short: bool,
}

/// All scores, in the order of the tables.
pub const SCORES: [Score; 14] = [
    score("deletion", "deletion ↓", true),
    score("insertion", "insertion ↑", true),
    score("road", "ROAD ↑", true),
    score("pointing_region", "pointing, region ↑", false),
    score("pointing_exact", "pointing ↑", true),
    score("mask_score_region", "IoU region ↑", true),
    score("mask_score_exact", "IoU mask ↑", true),
    score("heatmap_score", "IoU other map", false),
    score("pointing_toggled", "pointing, toggled ↑", false),
    score("energy_toggled", "energy, toggled ↑", false),
    score("auroc_toggled", "AUROC, toggled ↑", true),
    score("top_k_toggled", "top 2 %, toggled ↑", false),
    score("rank_accuracy_toggled", "rank accuracy, toggled ↑", false),
    score("stability", "stability ↑", false),
];

const fn score(name: &'static str, title: &'static str, short: bool) -> Score {
    Score { name, title, short }
}

/// One score of one method.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Summary {
    /// Over the scores of the sample that have it.
    pub statistics: Statistics,
    /// Less the random map's, paired by image and attribute; absent for the random map itself.
    pub over_random: Option<Paired>,
    /// Less the mean map's, likewise; absent in results of versions that did not try that.
    pub over_mean: Option<Paired>,
}

/// One method.
#[derive(Debug, Clone, PartialEq)]
pub struct MethodScores {
    /// Its name.
    pub method: String,
    /// One entry for each of [`SCORES`].
    pub scores: Vec<Option<Summary>>,
    /// Mean rank correlation with the map before, for each depth of randomisation; empty for the baselines.
    pub similarity: Vec<Option<Statistics>>,
}

/// All methods of one classifier.
#[derive(Debug, Clone, PartialEq)]
pub struct Faithfulness {
    /// The methods, the experiment's own first and the baselines last.
    pub methods: Vec<MethodScores>,
    /// From the head down: the part of the network from which on weights were randomised.
    pub depths: Vec<String>,
}

impl Faithfulness {
    /// Reads a classifier's files; `None` where the experiment does not want them, or they were not made.
    ///
    /// # Errors
    /// When one is damaged, or one of the two absent.
    pub fn read(recorded: &Recorded<'_>, classifier: &str, bootstrap: Bootstrap) -> Result<Option<Self>> {
        let [scores_path, sanity_path] = artefacts::faithfulness(classifier).map(|path| recorded.folder.join(path));
        if !recorded.experiment.wants_faithfulness(classifier) || !scores_path.exists() {
            return Ok(None);
        }
        let table = ReadTable::parquet(&scores_path)?;
        let names = table.texts("method")?;
        let methods = distinct(&names);
        let random = methods.iter().position(|name| name == RANDOM);
        let Some(random) = random.filter(|_| names.len() % methods.len() == 0) else {
            return Err(Error::artefact(&scores_path, "its rows are not scores times methods"));
        };
        let mean = methods.iter().position(|name| name == MEAN);
        let columns: Vec<Vec<Option<f64>>> = SCORES
            .iter()
            .map(|score| table.doubles(score.name))
            .collect::<pipeline::Result<_>>()?;
        let summary = |column: &[Option<f64>], method: usize| {
            let of = |method: usize| column.iter().skip(method).step_by(methods.len());
            let values: Vec<f64> = of(method).flatten().copied().collect();
            let over = |baseline: usize| {
                let (own, others): (Vec<f64>, Vec<f64>) = of(method)
                    .zip(of(baseline))
                    .filter_map(|(own, other)| own.zip(*other))
                    .unzip();
                Paired::of(&own, &others, bootstrap).filter(|_| method != baseline)
            };
            Some(Summary {
                statistics: Statistics::of(&values, bootstrap)?,
                over_random: over(random),
                over_mean: mean.and_then(over),
            })
        };

        let sanity = ReadTable::parquet(&sanity_path)?;
        let [of_method, of_depth] = ["method", "randomised_from"].map(|name| sanity.texts(name));
        let (of_method, of_depth, similarity) = (of_method?, of_depth?, sanity.doubles("similarity")?);
        let depths = distinct(&of_depth);
        let similar = |method: &String, depth: &String| {
            let rows = (0..similarity.len()).filter(|&row| of_method[row] == *method && of_depth[row] == *depth);
            Statistics::of(&rows.filter_map(|row| similarity[row]).collect::<Vec<_>>(), bootstrap)
        };
        let methods = methods
            .iter()
            .enumerate()
            .map(|(position, method)| MethodScores {
                method: method.clone(),
                scores: columns.iter().map(|column| summary(column, position)).collect(),
                similarity: if of_method.contains(method) {
                    depths.iter().map(|depth| similar(method, depth)).collect()
                } else {
                    Vec::new()
                },
            })
            .collect();
        Ok(Some(Self { methods, depths }))
    }
}

/// A method's name as papers write it: `grad_cam_plus_plus` is Grad-CAM++. What is no method, as the baselines, is [`readable`].
#[must_use]
pub fn method_title(name: &str) -> String {
    name.parse()
        .map_or_else(|_| readable(name), |method: cam::Method| method.title().to_owned())
}

/// The names that occur, in the order in which they do.
fn distinct(names: &[String]) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for name in names {
        if !found.contains(name) {
            found.push(name.clone());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_have_the_names_of_their_papers() {
        let names = ["hires_cam", "grad_cam_plus_plus", "random_map"].map(method_title);
        assert_eq!(names, ["HiResCAM", "Grad-CAM++", "random map"]);
    }
}
