//! The drawing stage: from tables and maps to figures and the report.
//!
//! Every figure is drawn from files of the results folder alone, so that a folder can be drawn again without data set and
//! network. What cannot be drawn is named, and the rest is drawn all the same.

use std::cell::OnceCell;

use metrics::Bootstrap;

use super::figure_data as from;
use super::measure::{comparison, results};
use super::{DataSet, chosen, examples, explain, measure, pictures, report, train};
use crate::artefacts;
use crate::context::Context;
use crate::error::{Error, Result, describe};
use crate::experiment::Experiment;
use crate::measured::{DataFacts, Measured, Predictions};
use crate::published::Published;
use pipeline::Declaration;
use render::figures;
use render::{Figure, Style};

/// What figures are made from.
pub struct Sources<'a> {
    /// The run.
    pub context: &'a Context,
    /// What is known of the data set.
    pub facts: &'a DataFacts,
    /// Error rates of every classifier with scores.
    pub scores: &'a Measured,
    /// All measures of every classifier with scores and energies.
    pub measured: &'a Measured,
    predictions: OnceCell<Vec<Predictions>>,
}

impl<'a> Sources<'a> {
    /// Those of a run.
    pub fn new(context: &'a Context, facts: &'a DataFacts, scores: &'a Measured, measured: &'a Measured) -> Self {
        Self {
            context,
            facts,
            scores,
            measured,
            predictions: OnceCell::new(),
        }
    }

    /// The scores of [`Sources::scores`]' classifiers.
    fn predictions(&self) -> Result<&[Predictions]> {
        if let Some(read) = self.predictions.get() {
            return Ok(read);
        }
        let names = self.scores.classifiers.iter();
        let read: Vec<Predictions> = names
            .map(|name| Predictions::read(self.context, name))
            .collect::<Result<_>>()?;
        Ok(self.predictions.get_or_init(|| read))
    }

    /// The paper's numbers, where they apply.
    fn published(&self) -> Result<Published> {
        Ok(Published::of(&self.context.experiment)?.unwrap_or_default())
    }

    fn bootstrap(&self) -> Bootstrap {
        Bootstrap {
            resamples: self.context.experiment.measure.resamples,
            seed: self.context.experiment.seed,
        }
    }
}

/// Draws one figure; `None` where the experiment has nothing for it.
type Maker = fn(&Sources<'_>, &Style) -> Result<Option<Figure>>;

/// Every figure by its name, in the order of [`figures::NAMES`].
const FIGURES: [(&str, Maker); figures::NAMES.len()] = [
    ("error_rates", |sources, style| {
        let data = from::error_bars(sources.scores, &sources.published()?);
        Ok(Some(figures::error_rates(style, &data)?))
    }),
    ("energies", |sources, style| {
        let data = from::energy_bars(sources.measured, &sources.published()?);
        Ok(Some(figures::energies(style, &data)?))
    }),
    ("energy_scatter", |sources, style| {
        let data = from::scatter(sources.measured);
        // Without an attribute that has a place there is nothing to say, which is no fault.
        if data.points.is_empty() && !sources.measured.attributes.is_empty() {
            return Ok(None);
        }
        Ok(Some(figures::energy_scatter(style, &data)?))
    }),
    ("imbalance", |sources, style| {
        let data = from::imbalance(sources.measured, sources.bootstrap());
        Ok(Some(figures::imbalance(style, &data)?))
    }),
    ("average_cams", |sources, style| {
        let data = pictures::average_cams(sources.context, sources.facts, sources.measured)?;
        Ok(Some(figures::average_cams(style, &data)?))
    }),
    ("examples", |sources, style| {
        let data = pictures::examples(sources.context, sources.facts, &sources.measured.classifiers)?;
        Ok(data.map(|data| figures::examples(style, &data)).transpose()?)
    }),
    ("bias_reliance", |sources, style| {
        Ok(Some(figures::bias_reliance(
            style,
            &from::bias_reliance(sources.measured),
        )?))
    }),
    ("occlusion", |sources, style| {
        let hidden = sources.context.experiment.measure.occlusion.images > 0;
        if !hidden {
            return Ok(None);
        }
        Ok(Some(figures::occlusion(style, &from::occlusion(sources.measured))?))
    }),
    ("sanity_checks", |sources, style| {
        let data = from::sanity_checks(sources.measured);
        Ok(data.map(|data| figures::sanity_checks(style, &data)).transpose()?)
    }),
    ("score_distributions", |sources, style| {
        let data = from::score_distributions(sources.scores, sources.facts, sources.predictions()?);
        Ok(Some(figures::score_distributions(style, &data)?))
    }),
    ("calibration", |sources, style| {
        let loss = sources.context.experiment.training.loss;
        let data = from::calibration(sources.scores, sources.facts, sources.predictions()?, loss);
        Ok(Some(figures::calibration(style, &data)?))
    }),
    ("published", |sources, style| {
        let comparison = comparison(sources.context, sources.measured)?;
        let drawn = comparison.filter(|comparison| !comparison.numbers.is_empty());
        let figure = drawn.map(|comparison| figures::published(style, &from::published(&comparison)));
        Ok(figure.transpose()?)
    }),
    ("training_curves", |sources, style| {
        let data = from::training_curves(sources.context)?;
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
    /// The others: name and reason.
    pub missing: Vec<(&'static str, String)>,
}

/// Draws every figure that the experiment wants.
pub fn all(sources: &Sources<'_>) -> Drawn {
    let settings = &sources.context.experiment.figures;
    let mut drawn = Drawn {
        figures: Vec::new(),
        missing: Vec::new(),
    };
    for (name, make) in FIGURES.iter().filter(|(name, _)| settings.wants(name)) {
        match make(sources, &settings.style(name)) {
            Ok(figure) => drawn.figures.extend(figure),
            Err(error) => drawn.missing.push((name, describe(&error))),
        }
    }
    drawn
}

/// Writes figures in the formats that the experiment wants; returns their paths in the results folder.
///
/// # Errors
/// Those of conversion and of writing.
pub fn write(context: &Context, drawn: &[Figure]) -> Result<Vec<String>> {
    let settings = &context.experiment.figures;
    let mut written = Vec::new();
    for figure in drawn {
        for &format in &settings.formats {
            let path = format!("figures/{}.{}", figure.name(), format.extension());
            context
                .results()
                .write(&path, &figure.file(format, settings.resolution)?)?;
            written.push(path);
        }
    }
    Ok(written)
}

/// Bumped when figures or the report come out otherwise from the same numbers.
const VERSION: u32 = 1;

/// The stage.
pub const STAGE: &str = "draw";

/// What the stage reads: all results, and the whole experiment, which the report shows.
///
/// # Errors
/// Those of the regions file.
pub fn declaration(experiment: &Experiment, attributes: &[String]) -> Result<Declaration> {
    let declaration = Declaration::of(STAGE, VERSION)
        .settings("", experiment)
        .artefact(measure::STAGE, artefacts::FACTS)
        .artefacts_of(chosen::STAGE)
        .artefacts_of(examples::STAGE);
    let declaration = experiment
        .classifier_names()
        .iter()
        .fold(declaration, |declaration, name| {
            let declaration = declaration.artefact(&explain::stage(name), &artefacts::maps(name));
            if experiment.is_trained(name) {
                declaration.artefact(&train::stage(name), &artefacts::history(name))
            } else {
                declaration
            }
        });
    results(declaration, experiment, attributes)
}

/// Runs the stage.
///
/// # Errors
/// Those of reading results, of drawing, and of writing.
pub fn run(context: &Context, data: &DataSet, measured: &Measured) -> Result<()> {
    let declaration = declaration(&context.experiment, data.attributes())?;
    context.workspace.step(&declaration, || {
        let facts = data.facts(&context.experiment.data);
        let drawn = all(&Sources::new(context, &facts, measured, measured));
        if let Some((name, reason)) = drawn.missing.first() {
            return Err(Error::Request(format!("figure `{name}`: {reason}")));
        }
        let mut written = write(context, &drawn.figures)?;
        written.push(write_report(context, &facts, measured, &drawn.figures)?);
        Ok(written)
    })
}

/// Writes the report; returns its path in the results folder.
///
/// # Errors
/// Those of collecting it, and of writing.
pub fn write_report(context: &Context, facts: &DataFacts, measured: &Measured, figures: &[Figure]) -> Result<String> {
    let report = render::report::run(&report::report_data(context, facts, measured, figures)?);
    context.results().write(artefacts::REPORT, report.as_bytes())?;
    Ok(artefacts::REPORT.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_figure_has_its_maker() {
        assert_eq!(FIGURES.map(|(name, _)| name), figures::NAMES);
    }
}
