//! `biascam explain-images`: class activation maps of pictures or tensors, with any checkpoint that has torchvision's names.
//!
//! Pictures are explained a batch at a time and written at once, so memory does not grow with their number. One that cannot be
//! read is named, the others are explained, and the exit status is 1.

mod network;
mod overlays;
mod pictures;
mod tensors;

use std::path::PathBuf;

use cam::{ColourMap, Maps, Method, Resize, Target};
use candle_core::{Device, Tensor};
use clap::Args;
use model::{Mode, Network, Output};
use rayon::prelude::*;

use crate::context::choose_device;
use crate::error::{Error, Result, describe};
use crate::output::print;
use crate::progress::Progress;
use crate::results::write_whole;
use network::Loaded;
use overlays::{Explained, Pages, Sheets};
use pictures::{Landmarked, Picture};

/// What is explained, by which network, and how.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Pictures (JPEG or PNG) and folders of pictures, with all folders in them; one of CelebA's size is aligned as CelebA is,
    /// another is cropped to its middle square
    #[arg(
        value_name = "IMAGES",
        required_unless_present = "tensors",
        conflicts_with = "tensors"
    )]
    pub images: Vec<PathBuf>,
    /// Aligned images: safetensors with `images` [N, 3, S, S] float32 in [0, 1]
    #[arg(long, value_name = "FILE.safetensors")]
    pub tensors: Option<PathBuf>,
    /// Five landmarks of each picture, by which it is aligned: CelebA's text format, or CSV lines of a file name and ten numbers
    #[arg(long, value_name = "FILE", conflicts_with = "tensors")]
    pub landmarks: Option<PathBuf>,
    /// A checkpoint: ours, or any with torchvision's tensor names
    #[arg(long, value_name = "FILE.safetensors")]
    pub weights: PathBuf,
    /// The network the weights belong to; our own checkpoints say it themselves
    #[arg(long, value_name = "NAME")]
    pub architecture: Option<String>,
    /// Channels of the first stage, 64 in the standard networks
    #[arg(long, value_name = "W")]
    pub width: Option<usize>,
    /// How to explain: one method, or several separated by commas
    #[arg(long, default_value = "hires_cam", value_delimiter = ',')]
    pub method: Vec<String>,
    /// What to explain: predicted (|z|), positive (+z) or negative (-z)
    #[arg(long, default_value = "predicted")]
    pub target: String,
    /// How a map is brought to the image's size: half_pixel or cell_centred
    #[arg(long, default_value = "half_pixel")]
    pub resize: String,
    /// Attributes by name or number, separated by commas, or all
    #[arg(long, default_value = "all")]
    pub attributes: String,
    /// Contact sheets: one per image, one per attribute, or none
    #[arg(long, default_value = "image", value_name = "image|attribute|none")]
    pub sheets: String,
    /// Colours of activation: inferno, viridis (both perceptually uniform) or jet
    #[arg(long, default_value = "inferno")]
    pub colour_map: String,
    /// Side of the square that pictures are aligned to; our own checkpoints say it themselves
    #[arg(long)]
    pub size: Option<usize>,
    /// What computes: auto, cpu, cuda or cuda:N
    #[arg(long, default_value = "auto")]
    pub device: String,
    /// A folder, or, with --tensors, the file to write
    #[arg(long, value_name = "DIR|FILE.safetensors")]
    pub out: PathBuf,
}

/// Images of one forward pass.
const BATCH: usize = 32;
/// Side of pictures whose network does not say at which size it was trained: ImageNet's.
const DEFAULT_SIZE: usize = 224;
/// Pictures that the last message names.
const SHOWN: usize = 8;

/// How maps are made and shown.
pub(super) struct Way {
    pub methods: Vec<Method>,
    pub target: Target,
    pub resize: Resize,
    pub colours: ColourMap,
    /// Positions of the attributes among the network's outputs, and their names.
    pub chosen: Vec<(usize, String)>,
}

/// Explains, and writes what was found.
///
/// # Errors
/// When the weights do not fit the network, a name is unknown or a file cannot be written; at the end, when a picture could
/// not be explained.
pub fn run(arguments: &Arguments) -> Result<()> {
    fn parse<T: std::str::FromStr<Err = cam::Error>>(key: &str, name: &str) -> Result<T> {
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
    let sheets: Sheets = arguments.sheets.parse()?;
    let (target, resize) = (parse("target", &arguments.target)?, parse("resize", &arguments.resize)?);
    let colours = parse("colour-map", &arguments.colour_map)?;
    let device = choose_device(&arguments.device)?.device;
    let loaded = network::load(arguments, &device)?;
    let chosen = network::choose(&arguments.attributes, &loaded.names)?;
    let way = Way {
        methods,
        target,
        resize,
        colours,
        chosen: chosen.into_iter().map(|i| (i, loaded.names[i].clone())).collect(),
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

fn explain_pictures(arguments: &Arguments, loaded: &Loaded, way: &Way, sheets: Sheets, device: &Device) -> Result<()> {
    let size = arguments.size.or(loaded.size).unwrap_or(DEFAULT_SIZE);
    if size == 0 {
        return Err(Error::Request("--size: 0, expected at least 1 pixel".to_owned()));
    }
    let landmarks = arguments.landmarks.as_deref().map(Landmarked::read).transpose()?;
    let pictures = pictures::find(&arguments.images)?;
    let mut pages = Pages::new(&arguments.out, sheets, way);
    let progress = Progress::new();
    let mut work = progress.work("explain-images", pictures.len() as u64);
    let mut failed: Vec<String> = Vec::new();
    for (batch, pictures) in pictures.chunks(BATCH).enumerate() {
        let read: Vec<(&Picture, Result<Vec<f32>>)> = pictures
            .par_iter()
            .map(|picture| (picture, picture.read(landmarks.as_ref(), size)))
            .collect();
        let mut whole = Vec::new();
        for (picture, pixels) in read {
            match pixels {
                Ok(pixels) => whole.push((picture, pixels)),
                Err(error) => {
                    progress.say(&format!("not explained: {}", describe(&error)));
                    failed.push(picture.path.display().to_string());
                }
            }
        }
        explain_batch(&arguments.out, loaded, way, &whole, size, device, &mut pages)?;
        work.at((batch * BATCH + pictures.len()) as u64, "");
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
        "{count} of {} pictures could not be explained (the reasons are above): {}{more}",
        pictures.len(),
        failed.join(", ")
    )))
}

fn explain_batch(
    out: &std::path::Path,
    loaded: &Loaded,
    way: &Way,
    pictures: &[(&Picture, Vec<f32>)],
    size: usize,
    device: &Device,
    pages: &mut Pages<'_>,
) -> Result<()> {
    if pictures.is_empty() {
        return Ok(());
    }
    let pixels: Vec<f32> = pictures.iter().flat_map(|(_, pixels)| pixels.iter().copied()).collect();
    let images = Tensor::from_vec(pixels, (pictures.len(), size, size, 3), &Device::Cpu)?;
    let (output, maps) = maps_of(&loaded.network, &images.permute((0, 3, 1, 2))?, way, device, |image| {
        pictures[image].0.path.display().to_string()
    })?;
    let logits = output.logits.to_vec2::<f32>()?;
    let explained: Vec<Explained> = pictures
        .par_iter()
        .enumerate()
        .map(|(image, (picture, pixels))| {
            let maps: Vec<Maps> = maps.iter().map(|maps| maps.only(image)).collect();
            overlays::write(out, picture, pixels, size, &logits[image], &maps, way)
        })
        .collect::<Result<_>>()?;
    explained.into_iter().try_for_each(|one| pages.add(one))
}

/// One forward pass, and the maps of every method. `name` is what a message calls an image of the batch.
fn maps_of(
    network: &Network,
    images: &Tensor,
    way: &Way,
    device: &Device,
    name: impl Fn(usize) -> String,
) -> Result<(Output, Vec<Maps>)> {
    let output = network.forward(&images.to_device(device)?, Mode::Eval)?;
    let head = network.head();
    let maps = way.methods.iter().map(|&method| {
        cam::raw_maps(method, way.target, &output, &head).map_err(|error| match error {
            cam::Error::NotFinite { image, .. } => Error::Request(format!(
                "{}: {error}; the weights, or the image, hold numbers that are not finite",
                name(image)
            )),
            other => other.into(),
        })
    });
    let maps = maps.collect::<Result<_>>()?;
    Ok((output, maps))
}
