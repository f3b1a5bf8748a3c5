//! Drawing results again from the files of their folder alone: `biascam draw`, in seconds and without data set and weights.
//!
//! From a damaged or older folder what can be drawn is drawn, and what cannot is named.

use std::path::{Path, PathBuf};

use candle_core::Device;

use super::declarations::declarations;
use super::finished::Judge;
use super::sources;
use crate::artefacts;
use crate::context::{Context, contents};
use crate::error::{Error, Result, describe};
use crate::experiment::{self, Experiment, FigureSettings, Loaded};
use crate::inputs::{Inputs, regions_of};
use crate::measured::{Available, DataFacts};
use crate::output::print;
use crate::recorded::Recorded;
use crate::request::{Again, Last, Run};
use crate::steps::{draw, measure};
use disk::write_whole;
use pipeline::{Interrupt, Manifest, Progress, Sandbox, changed, finds_its_artefacts};
use render::Format;

/// A results folder that is drawn again.
pub struct Redraw {
    loaded: Loaded,
    /// The folder that holds the results folder.
    root: PathBuf,
    data_root: PathBuf,
    /// Whether it is drawn even where nothing has changed since the last time.
    always: bool,
    /// The folder that figures alone are written into, in place of the results folder.
    out: Option<PathBuf>,
}

impl Redraw {
    /// What a request to draw asks to be drawn again: the results folder that it names, or its experiment's where nothing but the
    /// figures is to be different. `None` where something has to be computed first.
    ///
    /// # Errors
    /// When the experiment or the folder's record of it cannot be read.
    pub fn of(request: &Run) -> Result<Option<Self>> {
        if request.experiment.is_dir() {
            return Self::of_folder(request).map(Some);
        }
        let mut loaded =
            experiment::load(&request.experiment, &request.options.settings).map_err(|error| match error {
                Error::Request(message) if !request.experiment.exists() => {
                    let named = request.options.results.join(&request.experiment);
                    Error::Request(match named.join(artefacts::EXPERIMENT).is_file() {
                        true => format!(
                            "{message}; {0} is a results folder: `biascam draw {0}`",
                            named.display()
                        ),
                        false => format!(
                            "{message}; nor is there a results folder {}, or {}",
                            request.experiment.display(),
                            named.display()
                        ),
                    })
                }
                other => other,
            })?;
        if let Some(name) = &request.name {
            loaded.name.clone_from(name);
        }
        Judge::new(&request.options.data).scale(&mut loaded.experiment);
        let folder = request.options.results.join(&loaded.name);
        // What cannot be read is made anew by the run that follows, or named.
        let complete =
            !request.options.fresh && is_complete(&folder, &request.options.data, &loaded.experiment).unwrap_or(false);
        Ok(complete.then(|| Self {
            loaded,
            root: request.options.results.clone(),
            data_root: request.options.data.clone(),
            always: false,
            out: request.out.clone(),
        }))
    }

    fn of_folder(request: &Run) -> Result<Self> {
        let folder = &request.experiment;
        let record = folder.join(artefacts::EXPERIMENT);
        if !record.is_file() {
            return Err(Error::Request(format!(
                "{}: no results folder, for it has no experiment.yaml",
                folder.display()
            )));
        }
        let made = experiment::load(&record, &[])?;
        let asked = experiment::load(&record, &request.options.settings)?;
        if not_of_drawing(&made.experiment) != not_of_drawing(&asked.experiment) {
            return Err(Error::Request(format!(
                "{}: a folder that is drawn again takes the settings of `figures`, but for figures.examples and \
                 figures.example_attributes, and measure.published; for others `biascam reproduce` the experiment",
                folder.display()
            )));
        }
        // `.` and `..` have names of their own.
        let whole = folder.canonicalize().map_err(Error::io(folder, "finding"))?;
        let name = whole.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        Ok(Self {
            loaded: Loaded {
                name: name.to_owned(),
                ..asked
            },
            root: whole.parent().unwrap_or(Path::new("/")).to_owned(),
            data_root: request.options.data.clone(),
            always: true,
            out: request.out.clone(),
        })
    }

    /// Draws it.
    ///
    /// # Errors
    /// What could not be drawn, after the rest has been; those of writing.
    pub fn run(self) -> Result<()> {
        if let Some(out) = &self.out {
            return self.elsewhere(out);
        }
        let context = Context::open(
            self.loaded,
            &self.root,
            &self.data_root,
            Device::Cpu,
            Again::default(),
            Interrupt::listen()?,
        )?;
        context.progress().say(&format!(
            "{}: drawn from its files; nothing is computed again",
            context.results().path().display()
        ));
        if self.always {
            // Files may be damaged that the record takes for whole.
            context.workspace.forget(draw::STEP);
        }
        // Where the facts cannot be read, drawing says so.
        let facts = DataFacts::read(context.results().path());
        if let Ok(facts) = &facts {
            refuse_mixture(&context.recorded(&context.manifest()), facts)?;
        }
        let facts = facts.unwrap_or_default();
        let regions = regions_of(&context.experiment, &facts.attributes)?;
        let declaration = draw::declaration(&context.experiment, &facts.attributes, &regions)?;
        let manifest = context.manifest();
        let recorded = context.recorded(&manifest);
        context.workspace.step(&declaration, |folder| -> Result<()> {
            draw_what_can_be(folder, recorded)?;
            context.write_experiment()
        })?;
        print(context.results().join("figures").display())
    }
}

impl Redraw {
    /// Draws the figures alone into another folder. Of the results folder nothing is written.
    fn elsewhere(&self, out: &Path) -> Result<()> {
        let folder = self.root.join(&self.loaded.name);
        let (manifest, facts) = (Manifest::read(&folder)?, DataFacts::read(&folder)?);
        refuse_inside(out, &folder, &manifest)?;
        let experiment = &self.loaded.experiment;
        let recorded = Recorded {
            experiment,
            manifest: &manifest,
            folder: &folder,
        };
        refuse_mixture(&recorded, &facts)?;
        let available = Available::read(&recorded, &facts, &Progress::new())?;
        let sources = draw::Sources::new(recorded, &facts, &available.scores, &available.measured);
        let drawn = draw::all(&sources);
        draw::write(&experiment.figures, &drawn.figures, &Progress::new(), |name, bytes| {
            Ok(write_whole(&out.join(name), bytes)?)
        })?;
        for (name, _) in &drawn.missing {
            remove(out, "", name, |_| true)?;
        }
        let missing = drawn.missing.iter();
        let missing = missing.map(|(name, reason)| format!("not drawn: {name} ({reason})"));
        let faults: Vec<String> = available.left_out.into_iter().chain(missing).collect();
        if faults.is_empty() {
            return print(out.display());
        }
        Err(Error::Request(format!(
            "{}: {}; drawn into {}: {}. `biascam reproduce` of the experiment makes what is missing",
            folder.display(),
            faults.join("; "),
            out.display(),
            names(&drawn, experiment)
        )))
    }
}

/// Refuses a folder for figures that the results folder keeps its own files in.
fn refuse_inside(out: &Path, folder: &Path, manifest: &Manifest) -> Result<()> {
    std::fs::create_dir_all(out).map_err(Error::io(out, "making"))?;
    let [out_whole, whole] = [out, folder].map(|path| path.canonicalize().unwrap_or_else(|_| path.to_owned()));
    let Ok(inside) = out_whole.strip_prefix(&whole) else {
        return Ok(());
    };
    let files = manifest.files();
    let taken = inside.as_os_str().is_empty() || files.iter().any(|file| Path::new(file).starts_with(inside));
    if !taken {
        return Ok(());
    }
    Err(Error::Request(format!(
        "--out {}: that folder holds results; expected one of its own, which need not be there, such as `--out paper-figures`",
        out.display()
    )))
}

/// A folder whose steps are of different plans would be drawn as one that never was.
fn refuse_mixture(recorded: &Recorded<'_>, facts: &DataFacts) -> Result<()> {
    // What a table says is of its step's own settings, which drawing may change, as those of figures.
    let inputs = Inputs::believed(recorded.experiment, &facts.attributes)?;
    let manifest = recorded.manifest;
    let mixed = declarations(&inputs, Last::Draw)?
        .into_iter()
        .filter_map(|declaration| {
            let step = declaration.step().to_owned();
            let of_drawing = [draw::STEP, measure::STEP].contains(&step.as_str());
            let reason = changed(manifest, &declaration).filter(|reason| !of_drawing && reason.is_of_another_plan())?;
            Some(format!("{step} ({reason})"))
        });
    let mixed: Vec<String> = mixed.collect();
    if mixed.is_empty() {
        return Ok(());
    }
    Err(Error::Request(format!(
        "{}: not all of it is of one plan: {}. `biascam reproduce` of its experiment makes it so",
        recorded.folder.display(),
        mixed.join("; ")
    )))
}

/// Draws and writes what the folder's files allow; an error names what they do not.
fn draw_what_can_be(folder: &Sandbox<'_>, recorded: Recorded<'_>) -> Result<()> {
    let mut faults = Vec::new();
    let facts = DataFacts::read(recorded.folder).unwrap_or_else(|error| {
        faults.push(describe(&error));
        DataFacts::default()
    });
    let available = Available::read(&recorded, &facts, folder.progress())?;
    if faults.is_empty() {
        faults.extend(available.left_out);
    }
    let sources = draw::Sources::new(recorded, &facts, &available.scores, &available.measured);
    let drawn = draw::all(&sources);
    draw::write_in_place(folder, &recorded.experiment.figures, &drawn.figures)?;
    faults.extend(
        drawn
            .missing
            .iter()
            .map(|(name, reason)| format!("not drawn: {name} ({reason})")),
    );
    let progress = folder.progress();
    let old = remove_old(recorded, &drawn)?;
    if !old.is_empty() {
        progress.say(&format!("no longer drawn, removed: {}", old.join(", ")));
    }
    if faults.is_empty() {
        match draw::write_report(folder, &sources, &drawn.figures) {
            Ok(()) => return Ok(()),
            Err(error) => faults.push(describe(&error)),
        }
    }
    progress.say(&format!(
        "drawn: {}; report.html stays as it was",
        names(&drawn, recorded.experiment)
    ));
    Err(Error::Request(format!(
        "{}: {}. `biascam reproduce` of the experiment makes what is missing",
        recorded.folder.display(),
        faults.join("; ")
    )))
}

/// The figures that were written.
fn names(drawn: &draw::Drawn, experiment: &Experiment) -> String {
    let written = drawn.figures.iter().map(|figure| figure.name());
    let names: Vec<&str> = written.filter(|name| experiment.figures.wants(name)).collect();
    match names.is_empty() {
        true => "nothing".to_owned(),
        false => names.join(", "),
    }
}

/// Removes the files of earlier figures that are not drawn now, or could not be: beside new ones they would pass for figures of the same results.
fn remove_old(recorded: Recorded<'_>, drawn: &draw::Drawn) -> Result<Vec<String>> {
    let settings = &recorded.experiment.figures;
    let is_new = |name: &str, format: Format| {
        let written = drawn.figures.iter().any(|figure| figure.name() == name);
        written && settings.wants(name) && settings.formats.contains(&format)
    };
    let mut removed = Vec::new();
    for name in render::figures::NAMES {
        removed.extend(remove(recorded.folder, "figures/", name, |format| {
            !is_new(name, format)
        })?);
    }
    Ok(removed)
}

/// Removes those files of a figure in a folder that are not wanted there.
fn remove(folder: &Path, below: &str, name: &str, is_unwanted: impl Fn(Format) -> bool) -> Result<Vec<String>> {
    let mut removed = Vec::new();
    for format in [Format::Svg, Format::Pdf, Format::Png] {
        let path = format!("{below}{name}.{}", format.extension());
        let file = folder.join(&path);
        if is_unwanted(format) && file.is_file() {
            std::fs::remove_file(&file).map_err(Error::io(&file, "removing"))?;
            removed.push(path);
        }
    }
    Ok(removed)
}

/// Whether a folder has everything of an experiment that drawing reads, as it was written: asked of the declarations that decide what a
/// run does. Where the data set is, and whether it is still the same, does not matter.
fn is_complete(folder: &Path, data_root: &Path, experiment: &Experiment) -> Result<bool> {
    if !sources::are_the_same(folder, experiment) {
        return Ok(false);
    }
    let facts = DataFacts::read(folder)?;
    let manifest = Manifest::read(folder)?;
    let contents = contents(data_root, false);
    let inputs = Inputs::believed(experiment, &facts.attributes)?;
    let all = declarations(&inputs, Last::Draw)?;
    Ok(all.iter().all(|declaration| match declaration.step() {
        draw::STEP => finds_its_artefacts(&manifest, folder, &contents, declaration),
        _ => changed(&manifest, declaration).is_none(),
    }))
}

/// An experiment but for how its figures look.
fn computed(experiment: &Experiment) -> Experiment {
    Experiment {
        figures: FigureSettings {
            examples: experiment.figures.examples,
            example_attributes: experiment.figures.example_attributes.clone(),
            ..FigureSettings::default()
        },
        ..experiment.clone()
    }
}

/// An experiment but for what drawing alone decides.
fn not_of_drawing(experiment: &Experiment) -> Experiment {
    let mut rest = computed(experiment);
    rest.measure.published = None;
    rest
}
