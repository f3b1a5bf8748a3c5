//! `biascam benchmark-maps`: which methods tell what a classifier uses, on several trainings, where the program can toggle what is used.

mod page;
mod tried;

use std::path::{Path, PathBuf};

use cam::Method;
use clap::Args;
use disk::write_whole;
use pipeline::Interrupt;
use render::text::counted;

use self::page::Page;
use self::tried::Tried;
use crate::error::{Error, Result};
use crate::experiment::{self, Experiment, ExplainSettings};
use crate::output::print;
use crate::request::{Last, Run, RunOptions, folder_name};
use crate::run;

/// What to try, and on what.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The experiment whose classifiers are explained: a file, or the name of one of the program's own
    #[arg(value_name = "EXPERIMENT", default_value = "experiments/embedded.yaml")]
    pub experiment: PathBuf,
    /// Seeds of trainings, each of which draws its images too where the program draws them
    #[arg(long, value_name = "N,N", value_delimiter = ',', default_values_t = [1, 2, 3])]
    pub seeds: Vec<u64>,
    /// Scores of each classifier on which methods are tried: every attribute with a place and either predicted class in turn
    #[arg(long, value_name = "N", default_value_t = 140)]
    pub images: usize,
    /// How many of them also go through ROAD, whose imputations cost most of the time
    #[arg(long, value_name = "N", default_value_t = 28)]
    pub road_images: usize,
    /// The methods, with the experiment's own among them in any case; without it all but those that are another one by definition at the
    /// last stage. RISE has 500 masks and FAME 75 steps unless the experiment or --set says other than the usual numbers
    #[arg(long, value_name = "NAME,NAME", value_delimiter = ',')]
    pub methods: Option<Vec<String>>,
    /// A Markdown page: a new one, or one that is there, of which what stands between the marks of this command is replaced
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Name of the folder of results, in place of the experiment's with `-maps` behind it
    #[arg(long, value_name = "NAME", value_parser = folder_name)]
    pub name: Option<String>,
    /// Replace finished results that were made with other settings, without asking
    #[arg(long)]
    pub replace: bool,
    /// Print what would run, why, and how long it took the last time, and do nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Where and how the runs are made.
    #[command(flatten)]
    pub options: RunOptions,
}

/// Carries out the command.
///
/// # Errors
/// Those of the experiment, of its runs, and of writing.
pub fn run(arguments: &Arguments) -> Result<()> {
    let mut seeds = arguments.seeds.clone();
    seeds.sort_unstable();
    seeds.dedup();
    if seeds.is_empty() || arguments.images == 0 {
        return Err(Error::Request(
            "benchmark-maps: nothing to try; --seeds takes at least one number, --images at least 1".to_owned(),
        ));
    }
    refuse_own_settings(&arguments.options.settings)?;
    let loaded = experiment::load(&arguments.experiment, &arguments.options.settings)?;
    if !loaded.experiment.draws_its_images() {
        return Err(Error::Request(format!(
            "{}: its images are not drawn by the run itself; benchmark-maps asks what attributes really change, and needs images that it draws \
             (data.source: procedural, or data.table.shapes)",
            arguments.experiment.display()
        )));
    }
    let methods = methods(arguments, &loaded.experiment.explain)?;
    let before = arguments.out.as_deref().map(page_before).transpose()?.flatten();
    let name = arguments
        .name
        .clone()
        .unwrap_or_else(|| format!("{}-maps", loaded.name));
    let folder = arguments.options.results.join(name);
    if !arguments.dry_run {
        claim(&folder)?;
    }
    let interrupt = Interrupt::listen()?;
    let mut all = Vec::new();
    for &seed in &seeds {
        let settings = settings(&loaded.experiment, arguments, &methods, seed)?;
        let name = format!("seed-{seed}");
        let one = Run {
            experiment: arguments.experiment.clone(),
            name: Some(name.clone()),
            replace: arguments.replace,
            dry_run: arguments.dry_run,
            verify: false,
            options: RunOptions {
                results: folder.clone(),
                data: arguments.options.data.clone(),
                device: arguments.options.device.clone(),
                settings,
                fresh: arguments.options.fresh,
            },
            out: None,
        };
        run::execute_among(&one, Last::Measure, Some(&interrupt))?;
        if !arguments.dry_run {
            all.push(Tried::read(&folder.join(name))?);
        }
    }
    if arguments.dry_run {
        return Ok(());
    }
    let command = command(arguments);
    // The seed draws procedural faces anew.
    let same_images = loaded.experiment.data.source != experiment::DataSource::Procedural;
    let page = Page::of(&all, &command, &seeds, same_images)?;
    let table = folder.join("benchmark.csv");
    write_whole(&table, &page.csv()?)?;
    write_whole(&folder.join(MARKER), format!("{command}\n").as_bytes())?;
    match &arguments.out {
        Some(path) => {
            let text = page.within(before.as_deref()).ok_or_else(|| no_marks(path))?;
            write_whole(path, text.as_bytes()).map_err(Error::from)?;
            print(path.display())?;
        }
        None => print(page.markdown())?,
    }
    print(format_args!(
        "{} of {} in {}",
        counted(seeds.len(), "training"),
        loaded.name,
        table.display()
    ))
}

/// Refuses settings that this command makes itself: they would be passed over.
fn refuse_own_settings(settings: &[String]) -> Result<()> {
    let key = |setting: &String| {
        setting
            .split_once('=')
            .map_or(setting.clone(), |(key, _)| key.trim().to_owned())
    };
    match settings
        .iter()
        .map(key)
        .find(|key| OWN.iter().any(|(own, _)| own == key))
    {
        None => Ok(()),
        Some(found) => {
            let by = OWN.iter().find(|(own, _)| *own == found).map_or("", |(_, by)| by);
            Err(Error::Request(format!(
                "--set {found}: benchmark-maps sets it itself{by}"
            )))
        }
    }
}

/// The settings that this command makes itself, and what says them.
const OWN: [(&str, &str); 9] = [
    ("seed", "; --seeds names seeds"),
    ("data.procedural.seed", "; --seeds names seeds"),
    ("measure.faithfulness.images", "; --images says it"),
    ("measure.faithfulness.road_images", "; --road-images says it"),
    ("measure.faithfulness.methods", "; --methods names them"),
    ("measure.occlusion.images", ", to 0"),
    ("measure.decomposed_images", ", to 0"),
    ("measure.interventions.images", ", to 0"),
    ("measure.locality.images", ", to 0"),
];

/// The file that says that a folder is this command's, with the command that its tables are of.
const MARKER: &str = "command.txt";
/// How it begins.
const NAME: &str = "biascam benchmark-maps";

/// Makes sure that the folder is this command's own, before hours of work.
fn claim(folder: &Path) -> Result<()> {
    let marker = folder.join(MARKER);
    let is_empty = std::fs::read_dir(folder).map_or(true, |mut entries| entries.next().is_none());
    if is_empty {
        std::fs::create_dir_all(folder).map_err(Error::io(folder, "making"))?;
        return Ok(write_whole(&marker, format!("{NAME}\n").as_bytes())?);
    }
    if std::fs::read_to_string(&marker).is_ok_and(|text| text.starts_with(NAME)) {
        return Ok(());
    }
    Err(Error::Request(format!(
        "{}: holds files, but no {MARKER} that begins with `{NAME}`, as a folder of benchmark-maps does; --name NAME takes another folder",
        folder.display()
    )))
}

/// What a page holds already, before hours of work; `None` of a new one.
fn page_before(path: &Path) -> Result<Option<String>> {
    if !path.exists() {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        if !folder.is_none_or(Path::is_dir) {
            return Err(Error::Request(format!(
                "--out {}: its folder is not there",
                path.display()
            )));
        }
        // Hours later is too late to find that it cannot be written.
        std::fs::write(path, "").map_err(Error::io(path, "writing"))?;
        std::fs::remove_file(path).map_err(Error::io(path, "removing"))?;
        return Ok(None);
    }
    if !path.is_file() {
        return Err(Error::Request(format!(
            "--out {}: no regular file; expected a Markdown page, or the name of a new one",
            path.display()
        )));
    }
    let bytes = std::fs::read(path).map_err(Error::io(path, "reading"))?;
    let text = String::from_utf8(bytes);
    let text = text.map_err(|_| {
        Error::Request(format!(
            "{}: no text in UTF-8, expected a Markdown page",
            path.display()
        ))
    })?;
    match page::has_marks(&text) {
        true => Ok(Some(text)),
        false => Err(no_marks(path)),
    }
}

fn no_marks(path: &Path) -> Error {
    Error::Request(format!(
        "{}: no marks of this command in it, {} and then {}; expected them, or the name of a new file",
        path.display(),
        page::BEGIN,
        page::END
    ))
}

/// The methods that are tried.
fn methods(arguments: &Arguments, explain: &ExplainSettings) -> Result<Vec<Method>> {
    let Some(names) = &arguments.methods else {
        let left_out: &[Method] = match explain.layer {
            // The first four are HiResCAM up to a factor there, the last is LayerCAM.
            None => &[
                Method::Cam,
                Method::GradCam,
                Method::XGradCam,
                Method::ShapleyCam,
                Method::GradCamElementwise,
            ],
            // They are of the last stage only.
            Some(_) => &[Method::Cam, Method::CentredCam],
        };
        let all = Method::ALL.iter().copied();
        return Ok(all.filter(|method| !left_out.contains(method)).collect());
    };
    let method = |name: &String| {
        name.trim()
            .parse::<Method>()
            .map_err(|error| Error::Request(format!("--methods: {error}")))
    };
    names.iter().map(method).collect()
}

/// RISE's masks and FAME's steps, where the experiment has the usual ones.
const RISE_MASKS: usize = 500;
const FAME_STEPS: usize = 75;

/// The settings of one training: what is not about maps is switched off.
fn settings(experiment: &Experiment, arguments: &Arguments, methods: &[Method], seed: u64) -> Result<Vec<String>> {
    let learnt: std::collections::BTreeMap<_, _> = experiment
        .classifiers
        .iter()
        .filter(|(name, _)| !experiment.is_derived(name))
        .collect();
    let classifiers = serde_json::to_string(&learnt)
        .map_err(|error| Error::Request(format!("classifiers cannot be written: {error}")))?;
    let names: Vec<&str> = methods.iter().map(|method| method.name()).collect();
    // The methods' own numbers of masks and steps are many for each of many maps; what is asked for comes last.
    let (asked, usual) = (&experiment.explain, ExplainSettings::default());
    let mut settings = Vec::new();
    if asked.rise.masks == usual.rise.masks {
        settings.push(format!("explain.rise.masks={RISE_MASKS}"));
    }
    if asked.fame.steps == usual.fame.steps {
        settings.push(format!("explain.fame.steps={FAME_STEPS}"));
    }
    settings.extend(arguments.options.settings.clone());
    settings.extend([
        format!("classifiers={classifiers}"),
        format!("seed={seed}"),
        format!("measure.faithfulness.images={}", arguments.images),
        format!("measure.faithfulness.road_images={}", arguments.road_images),
        format!("measure.faithfulness.methods=[{}]", names.join(", ")),
        "measure.occlusion.images=0".to_owned(),
        "measure.decomposed_images=0".to_owned(),
        "measure.interventions.images=0".to_owned(),
        "measure.locality.images=0".to_owned(),
    ]);
    if experiment.data.source == experiment::DataSource::Procedural {
        settings.push(format!("data.procedural.seed={seed}"));
    }
    Ok(settings)
}

/// The command that makes the page, for those who read it.
fn command(arguments: &Arguments) -> String {
    let mut words = vec![NAME.to_owned()];
    let experiment = arguments.experiment.display().to_string();
    let own = experiment
        .strip_prefix("experiments/")
        .and_then(|name| name.strip_suffix(".yaml"));
    words.push(pipeline::quoted(own.unwrap_or(&experiment)));
    let numbers: Vec<String> = arguments.seeds.iter().map(u64::to_string).collect();
    words.push(format!("--seeds {}", numbers.join(",")));
    words.push(format!(
        "--images {} --road-images {}",
        arguments.images, arguments.road_images
    ));
    if let Some(methods) = &arguments.methods {
        words.push(format!("--methods {}", methods.join(",")));
    }
    words.extend(
        arguments
            .options
            .settings
            .iter()
            .map(|setting| format!("--set {}", pipeline::quoted(setting))),
    );
    if let Some(out) = &arguments.out {
        words.push(format!("--out {}", pipeline::quoted(&out.display().to_string())));
    }
    words.join(" ")
}
