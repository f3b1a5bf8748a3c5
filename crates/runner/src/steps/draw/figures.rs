//! The drawing stage: from tables and maps to figures and the report.
//!
//! Every figure is drawn from files of the results folder alone, so that a folder can be drawn again without data set and
//! network. What cannot be drawn is named, and the rest is drawn all the same.

use std::cell::OnceCell;

use super::figure_data as from;
use super::{pictures, report};
use crate::artefacts;
use crate::error::{Error, Result, describe};
use crate::experiment::{Experiment, FigureSettings};
use crate::inputs::DeclaredRegions;
use crate::letters::said_of_letters;
use crate::measured::{DataFacts, Measured, Predictions};
use crate::published::Published;
use crate::recorded::Recorded;
use crate::steps::measure::{Results, results};
use crate::steps::{examples, explain, locality, measure, train};
use pipeline::{Declaration, Progress, Sandbox};
use rayon::prelude::*;
use render::figures;
use render::{Figure, Style};

/// What figures are made from.
pub struct Sources<'a> {
    /// The run.
    pub recorded: Recorded<'a>,
    /// What is known of the data set.
    pub facts: &'a DataFacts,
    /// Error rates of every classifier with scores, but for derived ones.
    pub scores: Measured,
    /// All measures of every classifier with scores and energies.
    pub all: &'a Measured,
    /// The same, but for derived ones: what figures show.
    pub measured: Measured,
    predictions: OnceCell<Vec<Predictions>>,
}

impl<'a> Sources<'a> {
    /// Those of a run.
    pub fn new(recorded: Recorded<'a>, facts: &'a DataFacts, scores: &'a Measured, measured: &'a Measured) -> Self {
        Self {
            recorded,
            facts,
            scores: scores.learnt(),
            all: measured,
            measured: measured.learnt(),
            predictions: OnceCell::new(),
        }
    }

    /// The scores of [`Sources::scores`]' classifiers.
    fn predictions(&self) -> Result<&[Predictions]> {
        if let Some(read) = self.predictions.get() {
            return Ok(read);
        }
        let folder = self.recorded.folder;
        let names = self.scores.classifiers.iter();
        let read: Vec<Predictions> = names
            .map(|name| Predictions::read(&folder.join(artefacts::predictions(name))))
            .collect::<Result<_>>()?;
        Ok(self.predictions.get_or_init(|| read))
    }

    /// The paper's numbers, where they apply.
    fn published(&self) -> Result<Published> {
        Ok(Published::of(self.recorded.experiment)?.unwrap_or_default())
    }
}

/// Draws one figure; `None` where the experiment has nothing for it.
type Maker = fn(&Sources<'_>, &Style) -> Result<Option<Figure>>;

/// Every figure by its name, in the order of [`figures::NAMES`].
const FIGURES: [(&str, Maker); figures::NAMES.len()] = [
    ("decomposition", |sources, style| {
        let data = sources.all.decomposition.as_ref().map(from::decomposition);
        Ok(data.map(|data| figures::decomposition(style, &data)).transpose()?)
    }),
    ("error_rates", |sources, style| {
        let data = from::error_bars(&sources.scores, &sources.published()?);
        Ok(Some(figures::error_rates(style, &data)?))
    }),
    ("energies", |sources, style| {
        let data = from::energy_bars(&sources.measured, &sources.published()?);
        Ok(Some(figures::energies(style, &data)?))
    }),
    ("turned_decisions", |sources, style| {
        let data = from::turned_decisions(sources.all);
        Ok(data.map(|data| figures::turned_decisions(style, &data)).transpose()?)
    }),
    ("cross_effects", |sources, style| {
        let data = from::cross_effects(&sources.measured);
        Ok(data.map(|data| figures::cross_effects(style, &data)).transpose()?)
    }),
    ("energy_scatter", |sources, style| {
        let data = from::scatter(&sources.measured);
        // Without an attribute that has a place there is nothing to say, which is no fault.
        if data.points.is_empty() && !sources.measured.attributes.is_empty() {
            return Ok(None);
        }
        Ok(Some(figures::energy_scatter(style, &data)?))
    }),
    ("imbalance", |sources, style| {
        let data = from::imbalance(&sources.measured);
        let mut gaps = data
            .points
            .iter()
            .flat_map(|point| point.error_gaps.iter().chain(&point.energy_gaps));
        // Without an attribute that has images enough on both sides there is nothing to say, which is no fault.
        if gaps.all(Option::is_none) && !data.points.is_empty() {
            return Ok(None);
        }
        Ok(Some(figures::imbalance(style, &data)?))
    }),
    ("locality", |sources, style| {
        let data = pictures::locality(&sources.recorded, &sources.measured)?;
        Ok(data.map(|data| figures::locality(style, &data)).transpose()?)
    }),
    ("average_cams", |sources, style| {
        let data = pictures::average_cams(&sources.recorded, sources.facts, &sources.measured)?;
        Ok(Some(figures::average_cams(style, &data)?))
    }),
    ("examples", |sources, style| {
        let data = pictures::examples(&sources.recorded, sources.facts, &sources.measured.classifiers)?;
        Ok(data.map(|data| figures::examples(style, &data)).transpose()?)
    }),
    ("bias_reliance", |sources, style| {
        Ok(Some(figures::bias_reliance(
            style,
            &from::bias_reliance(&sources.measured),
        )?))
    }),
    ("occlusion", |sources, style| {
        let hidden = sources.recorded.experiment.measure.occlusion.images > 0;
        if !hidden {
            return Ok(None);
        }
        Ok(Some(figures::occlusion(style, &from::occlusion(&sources.measured))?))
    }),
    ("sanity_checks", |sources, style| {
        let data = from::sanity_checks(&sources.measured);
        Ok(data.map(|data| figures::sanity_checks(style, &data)).transpose()?)
    }),
    ("score_distributions", |sources, style| {
        let data = from::score_distributions(&sources.scores, sources.facts, sources.predictions()?);
        Ok(Some(figures::score_distributions(style, &data)?))
    }),
    ("calibration", |sources, style| {
        let loss = sources.recorded.experiment.training.loss;
        let data = from::calibration(&sources.scores, sources.facts, sources.predictions()?, loss);
        Ok(Some(figures::calibration(style, &data)?))
    }),
    ("published", |sources, style| {
        let results = Results::new(sources.recorded.experiment, sources.facts, &sources.measured)?;
        let drawn = results.published.filter(|comparison| !comparison.numbers.is_empty());
        let figure = drawn.map(|comparison| figures::published(style, &from::published(&comparison)));
        Ok(figure.transpose()?)
    }),
    ("training_curves", |sources, style| {
        let data = from::training_curves(&sources.recorded)?;
        if data.is_empty() {
            return Ok(None);
        }
        Ok(Some(figures::training_curves(style, &data)?))
    }),
];

/// What was drawn, and what could not be.
pub struct Drawn {
    /// The figures.
    pub figures: Vec<Figure>,
    /// Of the others those that the experiment wants as files: name and reason.
    pub missing: Vec<(&'static str, String)>,
    /// Those that it does not want, and whose files could not be read: the report would lack them for good.
    pub unread: Vec<(&'static str, String)>,
}

/// Draws every figure. The report shows all, whichever of them the experiment wants as files; of those that it does not, none is
/// missed.
pub fn all(sources: &Sources<'_>) -> Drawn {
    let settings = &sources.recorded.experiment.figures;
    let mut drawn = Drawn {
        figures: Vec::new(),
        missing: Vec::new(),
        unread: Vec::new(),
    };
    for (name, make) in FIGURES {
        match make(sources, &settings.style(name)) {
            Ok(figure) => drawn.figures.extend(figure),
            Err(error) if settings.wants(name) => drawn.missing.push((name, describe(&error))),
            Err(Error::Figure(_)) => {}
            Err(error) => drawn.unread.push((name, describe(&error))),
        }
    }
    drawn
}

/// Writes the figures that the experiment wants in the formats that it wants, each by `put` under its file's name.
///
/// # Errors
/// Those of conversion and of writing.
pub fn write(
    settings: &FigureSettings,
    drawn: &[Figure],
    progress: &Progress,
    put: impl Fn(&str, &[u8]) -> Result<()>,
) -> Result<()> {
    let wanted = drawn.iter().filter(|figure| settings.wants(figure.name()));
    convert(settings, wanted.collect(), progress, put)
}

/// The same of any figures.
///
/// # Errors
/// Those of conversion and of writing.
pub fn convert(
    settings: &FigureSettings,
    figures: Vec<&Figure>,
    progress: &Progress,
    put: impl Fn(&str, &[u8]) -> Result<()>,
) -> Result<()> {
    let files: Vec<_> = figures
        .iter()
        .flat_map(|figure| settings.formats.iter().map(move |&format| (figure, format)))
        .collect();
    // Compressing a picture's pixels takes longest. In print quality those of one picture take hundreds of megabytes.
    let together = if settings.resolution > 300 { 1 } else { 4 };
    let mut work = progress.work("drawing", files.len() as u64);
    let mut done = 0;
    for files in files.chunks(together) {
        let converted: Vec<_> = files
            .par_iter()
            .map(|(figure, format)| figure.file(*format, settings.resolution))
            .collect();
        for ((figure, format), bytes) in files.iter().zip(converted) {
            let name = format!("{}.{}", figure.name(), format.extension());
            put(&name, &bytes?)?;
            done += 1;
            work.at(done, &name);
        }
    }
    work.abandon();
    let letters = figures
        .iter()
        .flat_map(|figure| figure.letters_without_picture())
        .collect();
    if let Some(line) = said_of_letters(&letters, &settings.formats) {
        progress.say(&line);
    }
    Ok(())
}

/// The same into the results folder.
///
/// # Errors
/// As [`write()`].
pub fn write_in_place(folder: &Sandbox<'_>, settings: &FigureSettings, drawn: &[Figure]) -> Result<()> {
    write(settings, drawn, folder.progress(), |name, bytes| {
        Ok(folder.write(&format!("figures/{name}"), bytes)?)
    })
}

/// Bumped when figures or the report come out otherwise from the same numbers.
const VERSION: u32 = 4;

/// The step.
pub const STEP: &str = "draw";

/// What the step reads: all results, and the whole experiment, which the report shows.
///
/// # Errors
/// None: the paper's numbers are part of the program.
pub fn declaration(experiment: &Experiment, attributes: &[String], regions: &DeclaredRegions) -> Result<Declaration> {
    let declaration = Declaration::of(STEP, VERSION)
        .settings("", experiment)
        .artefact(measure::STEP, artefacts::FACTS)
        .artefacts_of(examples::CHOOSE)
        .artefacts_of(examples::BROWSE);
    let all = experiment.classifier_names();
    let declaration = all.iter().fold(declaration, |declaration, name| {
        let mut declaration = declaration.artefact(&explain::step_name(name), &artefacts::maps(name));
        if experiment.wants_locality(name) {
            let [_, tensors] = artefacts::locality(name);
            declaration = declaration.artefact(&locality::step_name(name), &tensors);
        }
        if experiment.is_trained(name) {
            declaration.artefact(&train::step_name(name), &artefacts::history(name))
        } else {
            declaration
        }
    });
    results(declaration, experiment, attributes, regions)
}

/// Draws and writes everything: the step.
///
/// # Errors
/// Those of reading results, of drawing, and of writing.
pub fn work(folder: &Sandbox<'_>, sources: &Sources<'_>) -> Result<()> {
    let drawn = all(sources);
    if let Some((name, reason)) = drawn.missing.iter().chain(&drawn.unread).next() {
        return Err(Error::Request(format!("figure `{name}`: {reason}")));
    }
    write_in_place(folder, &sources.recorded.experiment.figures, &drawn.figures)?;
    write_report(folder, sources, &drawn.figures)
}

/// Writes the report.
///
/// # Errors
/// Those of collecting it, and of writing.
pub fn write_report(folder: &Sandbox<'_>, sources: &Sources<'_>, figures: &[Figure]) -> Result<()> {
    let data = report::report_data(&sources.recorded, sources.facts, sources.all, figures)?;
    Ok(folder.write(artefacts::REPORT, render::report::run(&data).as_bytes())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_figure_has_its_maker() {
        assert_eq!(FIGURES.map(|(name, _)| name), figures::NAMES);
    }
}
