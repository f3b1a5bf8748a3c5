//! The methods as one training's classifiers were tried on them, score by score.

use std::path::Path;

use metrics::Class;
use pipeline::ReadTable;

use crate::artefacts;
use crate::error::{Error, Result};
use crate::experiment;
use crate::measured::{DataFacts, SCORES};

/// One classifier of one training.
pub struct TriedClassifier {
    /// Its name.
    pub name: String,
    /// Methods and baselines, in the order of the rows.
    pub methods: Vec<String>,
    /// Of each case whether the minority is predicted.
    pub minority: Vec<bool>,
    /// By score of [`SCORES`], `[cases, methods]`.
    pub scores: Vec<Vec<Option<f64>>>,
    /// By method: rank correlations of maps with those of the network with all weights random, one a case that has it.
    pub all_random: Vec<Vec<(usize, f64)>>,
}

/// What one training's classifiers show.
pub struct Tried {
    /// The classifiers.
    pub classifiers: Vec<TriedClassifier>,
    /// RISE's masks and FAME's steps.
    pub masks_and_steps: [usize; 2],
}

impl Tried {
    /// Reads a results folder.
    ///
    /// # Errors
    /// When a file is absent or damaged.
    pub fn read(folder: &Path) -> Result<Self> {
        let loaded = experiment::load(&folder.join(artefacts::EXPERIMENT), &[])?;
        let facts = DataFacts::read(folder)?;
        let names = loaded.experiment.classifier_names();
        let read = |name: &String| TriedClassifier::read(folder, name, &facts);
        let explain = &loaded.experiment.explain;
        Ok(Self {
            classifiers: names.iter().map(read).collect::<Result<_>>()?,
            masks_and_steps: [explain.rise.masks, explain.fame.steps],
        })
    }
}

impl TriedClassifier {
    fn read(folder: &Path, name: &str, facts: &DataFacts) -> Result<Self> {
        let [scores_path, sanity_path] = artefacts::faithfulness(name).map(|path| folder.join(path));
        let table = ReadTable::parquet(&scores_path)?;
        let all = table.texts("method")?;
        let methods: Vec<String> = all.iter().take_while_distinct().cloned().collect();
        if methods.is_empty() || all.len() % methods.len() != 0 {
            return Err(Error::artefact(&scores_path, "its rows are not scores times methods"));
        }
        let (images, attributes) = (table.texts("image")?, table.texts("attribute")?);
        let predicted = table.integers("predicted")?;
        let case = |case: usize| case * methods.len();
        let cases = all.len() / methods.len();
        let minority = (0..cases)
            .map(|number| {
                let row = case(number);
                let place = facts.attributes.iter().position(|known| *known == attributes[row])?;
                let (positives, negatives) = facts.counts[place];
                let predicted = if predicted[row] > 0 {
                    Class::Positive
                } else {
                    Class::Negative
                };
                Some(predicted == Class::minority(positives, negatives))
            })
            .collect::<Option<Vec<bool>>>()
            .ok_or_else(|| Error::artefact(&scores_path, "its attributes are not those of the data set"))?;
        let scores = SCORES
            .iter()
            .map(|score| table.doubles(score.name))
            .collect::<pipeline::Result<_>>()?;

        let sanity = ReadTable::parquet(&sanity_path)?;
        let [of_image, of_attribute, of_method, of_depth] =
            ["image", "attribute", "method", "randomised_from"].map(|column| sanity.texts(column));
        let (of_image, of_attribute, of_method, of_depth) = (of_image?, of_attribute?, of_method?, of_depth?);
        let similarity = sanity.doubles("similarity")?;
        let keys: std::collections::HashMap<(&str, &str), usize> = (0..cases)
            .map(|number| {
                (
                    (images[case(number)].as_str(), attributes[case(number)].as_str()),
                    number,
                )
            })
            .collect();
        let last = of_depth.last().cloned().unwrap_or_default();
        let mut all_random = vec![Vec::new(); methods.len()];
        for row in (0..similarity.len()).filter(|&row| of_depth[row] == last) {
            let method = methods.iter().position(|method| *method == of_method[row]);
            let number = keys.get(&(of_image[row].as_str(), of_attribute[row].as_str()));
            if let (Some(method), Some(&number), Some(similarity)) = (method, number, similarity[row]) {
                all_random[method].push((number, similarity));
            }
        }
        Ok(Self {
            name: name.to_owned(),
            methods,
            minority,
            scores,
            all_random,
        })
    }

    /// Values of a score and a method in the cases of a predicted class, with the case's number.
    pub fn values(&self, score: usize, method: usize, minority: bool) -> Vec<(usize, f64)> {
        let cases = (0..self.minority.len()).filter(|&case| self.minority[case] == minority);
        cases
            .filter_map(|case| Some((case, self.scores[score][case * self.methods.len() + method]?)))
            .collect()
    }
}

/// The first round of what comes round again.
trait TakeWhileDistinct<'a>: Iterator<Item = &'a String> + Sized {
    fn take_while_distinct(self) -> std::vec::IntoIter<&'a String> {
        let mut found: Vec<&String> = Vec::new();
        for one in self {
            if found.contains(&one) {
                break;
            }
            found.push(one);
        }
        found.into_iter()
    }
}

impl<'a, I: Iterator<Item = &'a String>> TakeWhileDistinct<'a> for I {}
