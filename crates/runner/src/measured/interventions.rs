//! What toggling an attribute in an image does to the scores: `interventions.parquet`, read.

use std::collections::HashMap;

use pipeline::ReadTable;
use synthetic::faces;

use crate::artefacts;
use crate::error::{Error, Result};
use crate::experiment::{DataSource, Experiment};
use crate::recorded::Recorded;

/// The column of an attribute's score where another one is toggled.
pub fn toggled_score(attribute: &str) -> String {
    format!("score_{attribute}")
}

/// One classifier's file.
#[derive(Debug)]
pub struct InterventionFile {
    /// Names of the images, row by row.
    images: Vec<String>,
    /// The attribute that is toggled.
    toggled: Vec<usize>,
    /// Its class in the image, 1 or -1.
    labels: Vec<i8>,
    /// Logits with it toggled, `[rows, A]`.
    scores: Vec<f32>,
    attributes: usize,
    /// By attribute, those whose cues it hides.
    hides: Vec<Vec<usize>>,
}

/// What toggling one attribute in one image does to the score of one attribute.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Toggle {
    /// The image's place among those scored.
    pub image: usize,
    /// The toggled attribute.
    pub attribute: usize,
    /// Its class in the image, 1 or -1.
    pub label: i8,
    /// The score of the image itself.
    pub before: f64,
    /// The score with the attribute toggled.
    pub after: f64,
}

impl Toggle {
    /// The score where the toggled attribute is there less that where it is not, in logits.
    pub fn effect(&self) -> f64 {
        f64::from(self.label) * (self.before - self.after)
    }

    /// Whether the decision goes from the class that the image has to the one that it is given. Of the toggled attribute's own score.
    pub fn is_turned(&self) -> bool {
        let positive = [self.before >= 0.0, self.after >= 0.0];
        positive == [self.label > 0, self.label < 0]
    }
}

impl InterventionFile {
    /// Reads a classifier's file; `None` where the experiment does not want it.
    ///
    /// # Errors
    /// When it is damaged, or of other attributes.
    pub fn read(recorded: &Recorded<'_>, classifier: &str, attributes: &[String]) -> Result<Option<Self>> {
        let path = recorded.folder.join(artefacts::interventions(classifier));
        if !recorded.experiment.wants_interventions() || !recorded.has(&artefacts::interventions(classifier)) {
            return Ok(None);
        }
        let table = ReadTable::parquet(&path)?;
        let place: HashMap<&str, usize> = attributes
            .iter()
            .enumerate()
            .map(|(i, name)| (name.as_str(), i))
            .collect();
        let toggled = table.texts("toggled")?;
        let toggled: Option<Vec<usize>> = toggled.iter().map(|name| place.get(name.as_str()).copied()).collect();
        let toggled = toggled.ok_or_else(|| Error::artefact(&path, "its attributes are not those of the data set"))?;
        let mut scores = vec![0.0; toggled.len() * attributes.len()];
        for (attribute, name) in attributes.iter().enumerate() {
            let column = table.singles(&toggled_score(name))?;
            for (row, score) in column.into_iter().enumerate() {
                let score = score.ok_or_else(|| Error::artefact(&path, "a score is missing"))?;
                scores[row * attributes.len() + attribute] = score;
            }
        }
        let labels = table.integers("label")?;
        Ok(Some(Self {
            images: table.texts("image")?,
            toggled,
            labels: labels.into_iter().map(|label| label.signum() as i8).collect(),
            scores,
            attributes: attributes.len(),
            hides: hides(recorded.experiment, attributes.len()),
        }))
    }

    /// What happens to the score of an attribute where any attribute is toggled whose cue does not hide that of the scored one: of what the
    /// drawing hides, the score has to change. `scores` are those of the images themselves, `[N, A]`, and `places` where each stands.
    pub fn of_score<'a>(
        &'a self,
        attribute: usize,
        scores: &'a [f32],
        places: &'a HashMap<&str, usize>,
    ) -> impl Iterator<Item = Toggle> + 'a {
        let rows = (0..self.toggled.len()).filter(move |&row| !self.is_hidden(self.toggled[row], attribute));
        rows.filter_map(move |row| {
            let image = *places.get(self.images[row].as_str())?;
            Some(Toggle {
                image,
                attribute: self.toggled[row],
                label: self.labels[row],
                before: f64::from(*scores.get(image * self.attributes + attribute)?),
                after: f64::from(self.scores[row * self.attributes + attribute]),
            })
        })
    }

    /// Whether toggling an attribute hides or bares the cue of another one.
    pub fn is_hidden(&self, toggled: usize, scored: usize) -> bool {
        self.hides.get(toggled).is_some_and(|hidden| hidden.contains(&scored))
    }
}

/// By attribute, those whose cues it hides where the program draws the images.
fn hides(experiment: &Experiment, attributes: usize) -> Vec<Vec<usize>> {
    let hidden = |attribute: usize| match experiment.data.source {
        DataSource::Procedural => {
            let hidden = faces::Attribute::at(attribute).map_or(&[][..], faces::Attribute::hides);
            hidden.iter().map(|&one| one as usize).collect()
        }
        _ => Vec::new(),
    };
    (0..attributes).map(hidden).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decision_turns_with_the_toggle_or_it_does_not() {
        let toggle = |label, before, after| Toggle {
            image: 0,
            attribute: 0,
            label,
            before,
            after,
        };
        assert!(toggle(1, 0.5, -0.5).is_turned() && toggle(-1, -0.5, 0.5).is_turned());
        assert!(!toggle(1, 0.5, 0.1).is_turned() && !toggle(-1, -2.0, -0.1).is_turned());
        assert!(!toggle(1, -0.5, 0.5).is_turned(), "against the toggle");
        assert!(!toggle(1, -0.5, -1.0).is_turned(), "wrong before");
        assert_eq!(toggle(1, 0.5, -0.5).effect(), 1.0);
        assert_eq!(toggle(-1, -2.0, -0.5).effect(), 1.5);
    }
}
