//! What decisions lose without the attribute's region, group by group: what `occlusion.parquet` holds, summed up.

use metrics::{Bootstrap, Class, Occluded, Paired, Statistics};

use crate::artefacts;
use crate::error::{Error, Result};
use crate::recorded::Recorded;
use pipeline::{ReadTable, RowKeys};

/// One classifier's file: `[images, attributes]`, images outermost.
#[derive(Debug)]
pub struct OcclusionFile {
    keys: RowKeys,
    /// The class that is predicted of the whole image.
    predicted: Vec<Class>,
    /// Absent where nothing was hidden.
    occluded: Vec<Option<Occluded>>,
    /// The score and what all biases make of it; absent where it was not taken apart.
    biases: Vec<Option<[f64; 2]>>,
}

impl OcclusionFile {
    /// Reads a classifier's file; `None` where the experiment does not want it, or it was not made.
    ///
    /// # Errors
    /// When it is damaged, or of other attributes.
    pub fn read(recorded: &Recorded<'_>, classifier: &str, attributes: &[String]) -> Result<Option<Self>> {
        let path = recorded.folder.join(artefacts::occlusion(classifier));
        if !recorded.experiment.measure.wants_occlusion() || !path.exists() {
            return Ok(None);
        }
        let table = ReadTable::parquet(&path)?;
        let keys = RowKeys::of(&table)?;
        if keys.attributes != attributes {
            return Err(Error::artefact(&path, "its attributes are not those of the data set"));
        }
        let predicted = table.integers("predicted")?;
        let [score, region, control, bias] =
            ["score", "region_hidden", "control_hidden", "bias_part"].map(|name| table.doubles(name));
        let (score, region, control, bias) = (score?, region?, control?, bias?);
        let occluded = |row: usize| {
            Some(Occluded {
                score: score[row]?,
                region: region[row]?,
                control: control[row],
            })
        };
        Ok(Some(Self {
            occluded: (0..score.len()).map(occluded).collect(),
            biases: score
                .iter()
                .zip(&bias)
                .map(|(score, bias)| Some([(*score)?, (*bias)?]))
                .collect(),
            predicted: predicted
                .iter()
                .map(|&sign| if sign > 0 { Class::Positive } else { Class::Negative })
                .collect(),
            keys,
        }))
    }

    /// Image, predicted class and scores of every image of an attribute of which something was hidden.
    pub fn of_attribute(&self, attribute: usize) -> impl Iterator<Item = (&str, Class, Occluded)> {
        let width = self.keys.attributes.len();
        self.rows(attribute).filter_map(move |row| {
            let image = self.keys.images[row / width].as_str();
            Some((image, self.predicted[row], self.occluded[row]?))
        })
    }

    /// Image, predicted class, and score and what all biases make of it, of every image whose score was taken apart.
    pub fn biases_of(&self, attribute: usize) -> impl Iterator<Item = (&str, Class, [f64; 2])> {
        let width = self.keys.attributes.len();
        self.rows(attribute).filter_map(move |row| {
            let image = self.keys.images[row / width].as_str();
            Some((image, self.predicted[row], self.biases[row]?))
        })
    }

    /// Rows of an attribute.
    fn rows(&self, attribute: usize) -> impl Iterator<Item = usize> {
        (attribute..self.predicted.len()).step_by(self.keys.attributes.len())
    }
}

/// The images predicted as one class, by one classifier and for one attribute. All means are in logits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Occlusion {
    /// Mean |z| of those of which something was hidden, with its interval.
    pub score: Statistics,
    /// What it loses without the region.
    pub region: Statistics,
    /// Share of the decisions that turn without it.
    pub turned: f64,
    /// What it loses without an equal area elsewhere; absent where there is no room for one.
    pub control: Option<Statistics>,
    /// What it loses without the region beyond that, paired by image.
    pub beyond_control: Option<Paired>,
    /// The first classifier's loss beyond its control less this one's, paired over the images of which both predict the class; absent
    /// for the first.
    pub first_less_this: Option<Paired>,
}

impl Occlusion {
    /// Mean loss without the region / mean score; `None` where all scores are 0.
    pub fn lost_share(&self) -> Option<f64> {
        (self.score.mean > 0.0).then(|| self.region.mean / self.score.mean)
    }

    fn of(
        file: &OcclusionFile,
        first: Option<&OcclusionFile>,
        attribute: usize,
        class: Class,
        bootstrap: Bootstrap,
    ) -> Option<Self> {
        let of = |file: &OcclusionFile, row: usize| file.occluded[row].filter(|_| file.predicted[row] == class);
        let all: Vec<Occluded> = file.rows(attribute).filter_map(|row| of(file, row)).collect();
        let statistics = |values: Vec<f64>| Statistics::of(&values, bootstrap);
        let (region, control): (Vec<f64>, Vec<f64>) = all
            .iter()
            .filter_map(|one| Some((one.drop(), one.control_drop()?)))
            .unzip();
        Some(Self {
            score: statistics(all.iter().map(|one| one.score).collect())?,
            region: statistics(all.iter().map(Occluded::drop).collect())?,
            turned: all.iter().filter(|one| one.turns()).count() as f64 / all.len() as f64,
            beyond_control: Paired::of(&region, &control, bootstrap),
            control: statistics(control),
            first_less_this: first.and_then(|first| {
                let both = |row: usize| Some((of(first, row)?.beyond_control()?, of(file, row)?.beyond_control()?));
                let (a, b): (Vec<f64>, Vec<f64>) = file.rows(attribute).filter_map(both).unzip();
                Paired::of(&a, &b, bootstrap)
            }),
        })
    }
}

/// What all biases of the network make of the scores of the images predicted as one class.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AllBiases {
    /// Number of images.
    pub n: usize,
    /// Mean |z|.
    pub score: f64,
    /// Mean of the biases' part.
    pub bias: f64,
}

impl AllBiases {
    /// The biases' part / the score.
    pub fn share(&self) -> Option<f64> {
        (self.score > 0.0).then(|| self.bias / self.score)
    }

    fn of(file: &OcclusionFile, attribute: usize, class: Class) -> Option<Self> {
        let rows = file.rows(attribute).filter(|&row| file.predicted[row] == class);
        let all: Vec<[f64; 2]> = rows.filter_map(|row| file.biases[row]).collect();
        let mean = |part: usize| all.iter().map(|parts| parts[part]).sum::<f64>() / all.len() as f64;
        (!all.is_empty()).then(|| Self {
            n: all.len(),
            score: mean(0),
            bias: mean(1),
        })
    }
}

/// What is known of one classifier and attribute, of the images predicted positive and negative.
pub type Losses = [(Option<Occlusion>, Option<AllBiases>); 2];

/// Every attribute of one classifier; `first`: the file of the classifier that it is compared with.
///
/// # Errors
/// When the two files are not of the same images.
pub fn losses(
    recorded: &Recorded<'_>,
    classifier: &str,
    file: &OcclusionFile,
    first: Option<&OcclusionFile>,
    bootstrap: Bootstrap,
) -> Result<Vec<Losses>> {
    if first.is_some_and(|first| first.keys != file.keys) {
        let path = recorded.folder.join(artefacts::occlusion(classifier));
        return Err(Error::artefact(
            &path,
            "its images are not those of the other classifiers",
        ));
    }
    let of = |attribute: usize| {
        Class::BOTH.map(|class| {
            (
                Occlusion::of(file, first, attribute, class, bootstrap),
                AllBiases::of(file, attribute, class),
            )
        })
    };
    Ok((0..file.keys.attributes.len()).map(of).collect())
}
