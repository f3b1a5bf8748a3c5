//! The measurement step: tables and verdicts from predictions and energies.

use super::{explain, faithfulness, intervene, locality, occlude, predict};
use crate::artefacts;
use crate::error::Result;
use crate::experiment::Experiment;
use crate::inputs::{DeclaredRegions, Inputs};
use crate::measured::{DataFacts, Measured, arms};
use crate::published::Published;
use crate::tables::{self, BesideThePaper};
use pipeline::{Declaration, Sandbox};

/// Bumped when tables come out otherwise from the same numbers: they alone are made anew, in seconds.
const VERSION: u32 = 8;

/// The step.
pub const STEP: &str = "measure";

/// What the step reads: every classifier's scores and energies, and what else was measured of it.
///
/// # Errors
/// None: the paper's numbers are part of the program.
pub fn declaration(inputs: &Inputs<'_>) -> Result<Declaration> {
    let declaration = Declaration::of(STEP, VERSION).reading(&inputs.facts());
    let (attributes, regions) = (inputs.attributes(), inputs.regions());
    results(declaration, inputs.experiment, attributes.names(), regions.declared())
}

/// What is read by everything that is made of all results.
///
/// # Errors
/// None: the paper's numbers are part of the program.
pub fn results(
    declaration: Declaration,
    experiment: &Experiment,
    attributes: &[String],
    regions: &DeclaredRegions,
) -> Result<Declaration> {
    let measure = &experiment.measure;
    let declaration = declaration
        .reading(regions)
        .settings("attributes", attributes)
        .settings("classifiers", &experiment.classifier_names())
        .settings(
            "classifiers.roles",
            &experiment.classifiers.values().map(|one| one.role).collect::<Vec<_>>(),
        )
        .settings("classifiers.arms", &arms(experiment))
        .settings("measure.resamples", &measure.resamples)
        .settings("measure.subgroups", &measure.subgroups)
        .settings("measure.published", &Published::of(experiment)?.is_some())
        .settings("seed", &experiment.seed);
    let all = experiment.classifier_names();
    Ok(all.iter().fold(declaration, |declaration, name| {
        let mut declaration = declaration
            .reading(&predict::predictions(name))
            .reading(&explain::energies(name));
        if measure.wants_occlusion() {
            declaration = declaration.artefact(&occlude::step_name(name), &artefacts::occlusion(name));
        }
        if experiment.wants_interventions() {
            declaration = declaration.artefact(&intervene::step_name(name), &artefacts::interventions(name));
        }
        if experiment.wants_locality(name) {
            let [table, _] = artefacts::locality(name);
            declaration = declaration.artefact(&locality::step_name(name), &table);
        }
        if experiment.wants_faithfulness(name) {
            for file in artefacts::faithfulness(name) {
                declaration = declaration.artefact(&faithfulness::step_name(name), &file);
            }
        }
        declaration
    }))
}

/// All results of a run, from which tables are made.
pub struct Results<'a> {
    /// What is known of the data set.
    pub facts: &'a DataFacts,
    /// The numbers.
    pub measured: &'a Measured,
    /// The paper's beside them, where they are asked for.
    pub published: Option<BesideThePaper>,
}

impl<'a> Results<'a> {
    /// Those of a run.
    ///
    /// # Errors
    /// None: the paper's numbers are part of the program.
    pub fn new(experiment: &Experiment, facts: &'a DataFacts, measured: &'a Measured) -> Result<Self> {
        let published = Published::of(experiment)?;
        Ok(Self {
            facts,
            measured,
            published: published.map(|published| BesideThePaper::new(measured, &published)),
        })
    }

    /// Writes the tables: the step. `explained` of the test images have maps.
    ///
    /// # Errors
    /// Those of writing.
    pub fn write(&self, folder: &Sandbox<'_>, explained: usize) -> Result<()> {
        for (name, bytes) in tables::files(self.measured, self.facts.test_images(), self.published.as_ref())? {
            folder.write(&format!("tables/{name}"), &bytes)?;
        }
        folder.write(artefacts::SUMMARY, self.text(explained).as_bytes())?;
        Ok(folder.write(artefacts::FACTS, &self.facts.to_bytes())?)
    }

    /// What a run prints: the paper's table, means, and verdicts.
    fn text(&self, explained: usize) -> String {
        let (measured, tested) = (self.measured, self.facts.test);
        let learnt = &measured.learnt();
        let energies = if explained < tested {
            format!(", energies of {explained} of them")
        } else {
            String::new()
        };
        let what = if measured.has_regions() {
            "energies are means over the images predicted + and -"
        } else {
            "no energies: no regions were given (measure.regions, or data.table.boxes or masks of a table's images)"
        };
        let mut parts = vec![
            tables::paper(learnt).terminal(),
            format!("* the majority class; {what}; {tested} test images{energies}\n"),
        ];
        parts.extend(tables::locality_note(measured).map(|note| format!("{note}\n")));
        parts.push(format!("{}\n", tables::summary(measured)));
        parts.push(format!("{}\n", tables::bias_reliance(learnt)));
        parts.push(tables::faithfulness(measured));
        if let Some(published) = &self.published {
            parts.push(format!("{}\n", published.text()));
        }
        parts.push(format!("{}\n", tables::verdicts(measured)));
        match &measured.decomposition {
            Some(decomposition) => parts.push(format!("{}\n", tables::decomposition(measured, decomposition))),
            None if measured.derived.contains(&true) && !measured.findings.is_empty() => parts.push(
                "No steps from the unbalanced to the balanced classifier: they take two trained classifiers, of each one with its threshold moved \
                 (prior) and one with its head refitted to the class weights of the other, and images of both classes (docs/understand/arms.md)\n"
                    .to_owned(),
            ),
            None => {}
        }
        parts.retain(|part| !part.is_empty());
        parts.join("\n")
    }
}
