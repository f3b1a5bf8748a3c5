//! `biascam explain-images`: class activation maps of pictures or tensors, with any checkpoint that has torchvision's names.
//!
//! Pictures are explained a batch at a time and written at once, so memory does not grow with their number. One that cannot be
//! read is named, the others are explained, and the exit status is 1.

mod arguments;
mod labels;
mod network;
mod overlays;
mod pictures;
mod squares;
mod tensors;
mod way;

pub use arguments::Arguments;
pub use tensors::read as read_tensors;

use std::fmt::Display;
use std::time::Instant;

use cam::{Explainer, ExplainerConfig, FameConfig, Maps, Method, Resize, RiseConfig, Target};
use candle_core::{Device, Tensor};
use dataset::Preparation;
use disk::write_whole;
use rayon::prelude::*;

use crate::device::choose_device;
use crate::error::{Error, Result, describe};
use crate::file_names::distinct;
use crate::output::print;
use crate::steps::read_reference;
use labels::Labelled;
use network::Loaded;
use overlays::{Explained, Pages, Sheets};
use pictures::{Landmarked, Picture};
use pipeline::{Progress, duration};
use render::text::counted;
use way::{BATCH, SHOWN, Way, maps_of};

/// Explains, and writes what was found.
///
/// # Errors
/// When the weights do not fit the network, a name is unknown or a file cannot be written; at the end, when a picture could
/// not be explained.
pub fn run(arguments: &Arguments) -> Result<()> {
    fn parse<T: std::str::FromStr<Err: Display>>(key: &str, name: &str) -> Result<T> {
        name.parse()
            .map_err(|error| Error::Request(format!("--{key}: {error}")))
    }
    let mut methods: Vec<Method> = Vec::new();
    for name in &arguments.method {
        let method = parse("method", name)?;
        if !methods.contains(&method) {
            methods.push(method);
        }
    }
    if let Some(layer) = &arguments.layer
        && !methods.iter().any(|method| method.has_layer())
    {
        let names: Vec<&str> = methods.iter().map(|method| method.name()).collect();
        return Err(Error::Request(format!(
            "--layer {layer}: {} makes its maps without looking at a layer; leave it out",
            names.join(", ")
        )));
    }
    let sheets: Sheets = arguments.sheets.parse()?;
    let target: Target = parse("target", &arguments.target)?;
    let resize: Resize = parse("resize", &arguments.resize)?;
    let colours = parse("colour-map", &arguments.colour_map)?;
    if target == Target::Label && arguments.labels.is_none() {
        let why = match arguments.tensors {
            Some(_) => "--tensors has no labels; expected predicted, positive or negative",
            None => "which label a picture has is read from --labels FILE, in CelebA's text format",
        };
        return Err(Error::Request(format!("--target label: {why}")));
    }
    let config = ExplainerConfig {
        target,
        resize,
        layer: arguments.layer.clone(),
        upsampling: parse("upsampling", &arguments.upsampling)?,
        rise: RiseConfig {
            masks: arguments.rise_masks,
            ..RiseConfig::default()
        },
        fame: FameConfig {
            steps: arguments.fame_steps,
            ..FameConfig::default()
        },
        reference: arguments.reference.as_deref().map(read_reference).transpose()?,
        ..ExplainerConfig::default()
    };
    let device = choose_device(&arguments.device)?.device;
    let loaded = network::load(arguments, &device)?;
    let progress = Progress::new();
    loaded
        .said
        .iter()
        .for_each(|line| progress.say(&format!("{}: {line}", arguments.weights.display())));
    let chosen = network::choose(&arguments.attributes, &loaded.names)?;
    let explainer = |&method: &Method| {
        let config = ExplainerConfig {
            method,
            ..config.clone()
        };
        Explainer::new(&loaded.network, config).map_err(|error| match error {
            cam::Error::NoReference => {
                Error::Request(format!("--method {method}: {error}; --reference names its file"))
            }
            cam::Error::UnknownLayer { .. } | cam::Error::LastStageOnly { .. } => {
                Error::Request(format!("--layer: {error}"))
            }
            cam::Error::Setting { .. } => Error::Request(format!("--method {method}: {error}")),
            other => other.into(),
        })
    };
    let chosen: Vec<(usize, String)> = chosen.into_iter().map(|i| (i, loaded.names[i].clone())).collect();
    let way = Way {
        files: distinct(chosen.iter().map(|(_, name)| name.as_str())),
        explainers: methods.iter().map(explainer).collect::<Result<_>>()?,
        methods,
        target,
        resize,
        colours,
        chosen,
    };
    match &arguments.tensors {
        Some(path) => {
            let is_file = arguments
                .out
                .extension()
                .is_some_and(|extension| extension == "safetensors");
            let file = if is_file {
                arguments.out.clone()
            } else {
                arguments.out.join("maps.safetensors")
            };
            let bytes = tensors::explain(&loaded.network, &tensors::read(path)?, &way, &device)?;
            write_whole(&file, &bytes)?;
            print(file.display())
        }
        None => explain_pictures(arguments, &loaded, &way, sheets, &device),
    }
}

/// A picture that has been read.
struct Prepared<'a> {
    picture: &'a Picture,
    /// [S, S, 3].
    pixels: Vec<f32>,
    /// Of the chosen attributes, where there are labels.
    labels: Vec<i8>,
}

impl<'a> Prepared<'a> {
    fn new(
        picture: &'a Picture,
        landmarks: Option<&Landmarked>,
        labels: Option<&Labelled>,
        preparation: &Preparation,
    ) -> Result<Self> {
        let labels = labels.map(|all| all.of(&picture.path)).transpose()?;
        let landmarks = landmarks.map(|all| all.of(&picture.path)).transpose()?;
        Ok(Self {
            picture,
            pixels: squares::read(&picture.path, preparation, landmarks)?,
            labels: labels.unwrap_or_default(),
        })
    }
}

fn explain_pictures(
    arguments: &Arguments,
    loaded: &Loaded,
    way: &Way<'_>,
    sheets: Sheets,
    device: &Device,
) -> Result<()> {
    let (preparation, said) = squares::of(arguments, loaded)?;
    let size = preparation.size;
    let landmarks = arguments.landmarks.as_deref().map(Landmarked::read).transpose()?;
    let labels = arguments
        .labels
        .as_deref()
        .map(|file| Labelled::read(file, &way.chosen))
        .transpose()?;
    let pictures::Found {
        pictures, said: found, ..
    } = pictures::find(&arguments.images)?;
    let mut pages = Pages::new(&arguments.out, sheets, way)?;
    let progress = Progress::new();
    found.iter().chain(&said).for_each(|line| progress.say(line));
    way.announce(&progress, pictures.len());
    // Methods of many passes look at one picture at a time, so that one sees how far they are.
    let together = if way.is_free() { BATCH } else { 1 };
    let started = Instant::now();
    let mut work = progress.work("explain-images", pictures.len() as u64);
    let mut failed: Vec<String> = Vec::new();
    for (batch, some) in pictures.chunks(together).enumerate() {
        let prepare = |picture| -> Result<Prepared<'_>> {
            Prepared::new(picture, landmarks.as_ref(), labels.as_ref(), &preparation)
        };
        let read: Vec<Result<Prepared<'_>>> = some.par_iter().map(prepare).collect();
        let mut whole = Vec::new();
        for (picture, prepared) in some.iter().zip(read) {
            match prepared {
                Ok(prepared) => whole.push(prepared),
                Err(error) => {
                    progress.say(&format!("not explained: {}", describe(error.without_way_out())));
                    failed.push(picture.path.display().to_string());
                }
            }
        }
        explain_batch(&arguments.out, loaded, way, &whole, size, device, &mut pages)?;
        work.at((batch * together + some.len()) as u64, "");
        if batch == 0 && together == 1 && pictures.len() > 1 {
            let (first, count) = (started.elapsed(), u32::try_from(pictures.len()).unwrap_or(u32::MAX));
            progress.say(&format!(
                "the first picture took {}, so all will take about {}",
                duration(first),
                duration(first * count)
            ));
        }
    }
    pages.finish()?;
    work.abandon();
    print(arguments.out.display())?;
    if failed.is_empty() {
        return Ok(());
    }
    let count = failed.len();
    let more = if count > SHOWN { ", ..." } else { "" };
    failed.truncate(SHOWN);
    Err(Error::Request(format!(
        "{count} of {} could not be explained ({} above): {}{more}",
        counted(pictures.len(), "picture"),
        if count == 1 { "the reason is" } else { "the reasons are" },
        failed.join(", ")
    )))
}

fn explain_batch(
    out: &std::path::Path,
    loaded: &Loaded,
    way: &Way<'_>,
    pictures: &[Prepared<'_>],
    size: usize,
    device: &Device,
    pages: &mut Pages<'_>,
) -> Result<()> {
    if pictures.is_empty() {
        return Ok(());
    }
    let pixels: Vec<f32> = pictures.iter().flat_map(|one| one.pixels.iter().copied()).collect();
    let labels: Vec<i8> = pictures.iter().flat_map(|one| one.labels.iter().copied()).collect();
    let images = Tensor::from_vec(pixels, (pictures.len(), size, size, 3), &Device::Cpu)?;
    let images = images.permute((0, 3, 1, 2))?;
    let name = |image: usize| pictures[image].picture.path.display().to_string();
    let (output, maps) = maps_of(&loaded.network, &images, &labels, way, device, name)?;
    let logits = output.logits.to_vec2::<f32>()?;
    let explained: Vec<Explained> = pictures
        .par_iter()
        .enumerate()
        .map(|(image, one)| {
            let maps: Vec<Maps> = maps.iter().map(|maps| maps.only(image)).collect();
            overlays::write(out, one.picture, &one.pixels, size, &logits[image], &maps, way)
        })
        .collect::<Result<_>>()?;
    explained.into_iter().try_for_each(|one| pages.add(one))
}
