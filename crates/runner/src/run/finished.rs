//! Whether a results folder already holds an experiment's results: asked of the same declarations that decide what a run does.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use pipeline::{Contents, Interrupt, Progress, why};

use super::declarations::declarations;
use super::{needs, sources};
use crate::context::contents;
use crate::data::{Content, DataSet, Place, Reading, bad_images, look};
use crate::error::Result;
use crate::experiment::{DataSettings, DataSource, Experiment, OnBadImage};
use crate::inputs::{Inputs, LookedAt};
use crate::measured::DataFacts;
use crate::recorded::Recorded;
use crate::request::Last;
use crate::steps::{draw, measure};

/// Judges results folders. Each data set is looked at once, however many runs are on it.
pub struct Judge {
    data_root: PathBuf,
    contents: Contents,
    progress: Progress,
    interrupt: Interrupt,
    /// By the settings of the data.
    known: Mutex<BTreeMap<String, Arc<Known>>>,
}

/// A data set that has been looked at.
struct Known {
    data: DataSet,
    content: Content,
}

impl Judge {
    /// One for runs whose data sets are below `data_root`.
    pub fn new(data_root: &Path) -> Self {
        Self {
            data_root: data_root.to_owned(),
            contents: contents(data_root, false),
            progress: Progress::new(),
            interrupt: Interrupt::default(),
            known: Mutex::default(),
        }
    }

    /// Whether a run of this experiment, carried through to `last`, would find nothing to do. Where the data set or weights are not
    /// here, they are taken to be what they were.
    pub fn is_finished(&self, recorded: &Recorded<'_>, last: Last) -> bool {
        let end = if last >= Last::Draw { draw::STEP } else { measure::STEP };
        // What cannot be read would be made anew, or named, by a run.
        recorded.manifest.stages.contains_key(end) && self.would_do_nothing(recorded, last).unwrap_or(false)
    }

    fn would_do_nothing(&self, recorded: &Recorded<'_>, last: Last) -> Result<bool> {
        let experiment = recorded.experiment;
        let known = match needs::missing(experiment, &self.data_root).as_slice() {
            [] => self.known(&experiment.data)?,
            _ => None,
        };
        let Some(known) = known else {
            if !sources::are_the_same(recorded.folder, experiment) {
                return Ok(false);
            }
            let facts = DataFacts::read(recorded.folder)?;
            return self.is_unchanged(recorded, &Inputs::believed(experiment, &facts.attributes)?, last);
        };
        let Known { data, content } = &*known;
        let (root, contents) = (&self.data_root, &self.contents);
        if experiment.data.on_bad_image == OnBadImage::Skip {
            let mut data = data.clone();
            let Some(bad) = bad_images::known(recorded, &data, self.reading())? else {
                return Ok(false);
            };
            if !bad.is_empty() {
                data.leave_out(bad)?;
                let content = Content::of(&data, &data.facts(&experiment.data), self.reading())?;
                let (data, content) = (&data, &content);
                let inputs = Inputs::of(experiment, LookedAt { data, content }, root, contents)?;
                return self.is_unchanged(recorded, &inputs, last);
            }
        }
        let inputs = Inputs::of(experiment, LookedAt { data, content }, root, contents)?;
        self.is_unchanged(recorded, &inputs, last)
    }

    fn is_unchanged(&self, recorded: &Recorded<'_>, inputs: &Inputs<'_>, last: Last) -> Result<bool> {
        let Recorded { manifest, folder, .. } = *recorded;
        for declaration in declarations(inputs, last)? {
            if why(manifest, folder, &self.contents, &declaration)?.is_some() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// How many training and test images a data set has; `None` where it is not here or cannot be read.
    pub fn sizes(&self, data: &DataSettings) -> Option<[usize; 2]> {
        let place = Place {
            root: &self.data_root,
            progress: &self.progress,
            interrupt: &self.interrupt,
        };
        let set = look(data, &place).ok().flatten()?;
        Some([set.training.len(), set.test.len()])
    }

    /// Scales an experiment to its images, if they are few; what is said of it.
    pub fn scale(&self, experiment: &mut Experiment) -> Option<String> {
        // Of images that the program makes, the settings were chosen with their number.
        let own = experiment.data.source == DataSource::Table && experiment.unset.network;
        let [training, _] = own.then(|| self.sizes(&experiment.data)).flatten()?;
        experiment.scale_to(training)
    }

    fn known(&self, data: &DataSettings) -> Result<Option<Arc<Known>>> {
        // Settings are plain data: their serialisation cannot fail, and if it did, the data set would only be looked at again.
        let key = serde_json::to_string(data).unwrap_or_default();
        let mut all = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = all.get(&key) {
            return Ok(Some(Arc::clone(known)));
        }
        let place = Place {
            root: &self.data_root,
            progress: &self.progress,
            interrupt: &self.interrupt,
        };
        let Some(set) = look(data, &place)? else {
            return Ok(None);
        };
        let known = Arc::new(Known {
            content: Content::of(&set, &set.facts(data), self.reading())?,
            data: set,
        });
        all.insert(key, Arc::clone(&known));
        Ok(Some(known))
    }

    fn reading(&self) -> Reading<'_> {
        Reading {
            contents: &self.contents,
            progress: &self.progress,
            interrupt: &self.interrupt,
        }
    }
}
