//! `biascam explain-images`: class activation maps of pictures or tensors, with any checkpoint that has torchvision's names.
//!
//! Pictures are explained a batch at a time and written at once, so memory does not grow with their number. One that cannot be
//! read is named, the others are explained, and the exit status is 1.

mod labels;
mod network;
mod overlays;
mod pictures;
mod tensors;

use std::path::PathBuf;

use std::time::Instant;

use cam::{ColourMap, Cost, Explainer, ExplainerConfig, Maps, Method, PostProcessing, Resize, RiseConfig, Target};
use candle_core::{Device, Tensor};
use clap::Args;
use model::{Mode, Network, Output};
use rayon::prelude::*;

use crate::context::choose_device;
use crate::error::{Error, Result, describe};
use crate::output::print;
use crate::progress::{Progress, duration};
use crate::results::write_whole;
use crate::stages::read_reference;
use labels::Labelled;
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
    /// How to explain: one method, or several separated by commas; docs/methods.md lists them with what they cost
    #[arg(long, default_value = "hires_cam", value_delimiter = ',')]
    pub method: Vec<String>,
    /// What to explain: predicted (|z|), positive (+z), negative (-z), or label (z times the label, with --labels)
    #[arg(long, default_value = "predicted")]
    pub target: String,
    /// The stage whose activations are mapped, stage1 for the first; the last if not given
    #[arg(long, value_name = "STAGE")]
    pub layer: Option<String>,
    /// Labels of the pictures in CelebA's text format, for --target label
    #[arg(long, value_name = "FILE", conflicts_with = "tensors")]
    pub labels: Option<PathBuf>,
    /// For centred_cam: the mean features of a data set, as a run writes them to NAME/reference.safetensors
    #[arg(long, value_name = "FILE.safetensors")]
    pub reference: Option<PathBuf>,
    /// For score_cam: how a channel becomes a mask, corner_aligned (its authors') or half_pixel
    #[arg(long, default_value = "corner_aligned")]
    pub upsampling: String,
    /// For rise: masks, and so forward passes, a picture
    #[arg(long, value_name = "N", default_value_t = RiseConfig::default().masks)]
    pub rise_masks: usize,
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
pub(super) struct Way<'a> {
    pub methods: Vec<Method>,
    /// One a method.
    pub explainers: Vec<Explainer<'a>>,
    pub target: Target,
    pub resize: Resize,
    pub colours: ColourMap,
    /// Positions of the attributes among the network's outputs, and their names.
    pub chosen: Vec<(usize, String)>,
}

impl Way<'_> {
    /// The post-processing of a method's maps.
    pub(super) fn post_processing(&self, method: Method, maps: &Maps, size: usize) -> Result<PostProcessing> {
        Ok(PostProcessing::new(
            method,
            self.resize,
            [maps.height, maps.width],
            size,
        )?)
    }

    /// The target layer.
    pub(super) fn layer_name(&self) -> &str {
        self.explainers.first().map_or("", Explainer::layer)
    }

    /// The target layer, for methods that look at it.
    pub(super) fn layer(&self, method: Method) -> Option<&str> {
        (!method.is_whole()).then(|| self.layer_name())
    }

    /// Whether one forward pass is enough for all methods.
    fn is_free(&self) -> bool {
        let mut costs = self.explainers.iter().map(|one| one.cost(self.chosen.len()));
        costs.all(|cost| cost == Cost::Free)
    }

    /// Says what methods of many passes will cost.
    fn announce(&self, progress: &Progress, images: usize) {
        for (method, explainer) in self.methods.iter().zip(&self.explainers) {
            let cost = explainer.cost(self.chosen.len());
            if cost != Cost::Free {
                progress.say(&format!(
                    "{method} needs {cost} an image: {} for {images}",
                    cost.passes() * images
                ));
            }
        }
    }
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
    let target: Target = parse("target", &arguments.target)?;
    let resize: Resize = parse("resize", &arguments.resize)?;
    let colours = parse("colour-map", &arguments.colour_map)?;
    if target == Target::Label && arguments.labels.is_none() {
        return Err(Error::Request(
            "--target label: which label a picture has is read from --labels FILE, in CelebA's text format".to_owned(),
        ));
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
        reference: arguments.reference.as_deref().map(read_reference).transpose()?,
        ..ExplainerConfig::default()
    };
    let device = choose_device(&arguments.device)?.device;
    let loaded = network::load(arguments, &device)?;
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
    let way = Way {
        explainers: methods.iter().map(explainer).collect::<Result<_>>()?,
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
        size: usize,
    ) -> Result<Self> {
        let labels = labels.map(|all| all.of(&picture.path)).transpose()?;
        Ok(Self {
            picture,
            pixels: picture.read(landmarks, size)?,
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
    let size = arguments.size.or(loaded.size).unwrap_or(DEFAULT_SIZE);
    if size == 0 {
        return Err(Error::Request("--size: 0, expected at least 1 pixel".to_owned()));
    }
    let landmarks = arguments.landmarks.as_deref().map(Landmarked::read).transpose()?;
    let labels = arguments
        .labels
        .as_deref()
        .map(|file| Labelled::read(file, &way.chosen))
        .transpose()?;
    let pictures = pictures::find(&arguments.images)?;
    let mut pages = Pages::new(&arguments.out, sheets, way);
    let progress = Progress::new();
    way.announce(&progress, pictures.len());
    // Methods of many passes look at one picture at a time, so that one sees how far they are.
    let together = if way.is_free() { BATCH } else { 1 };
    let started = Instant::now();
    let mut work = progress.work("explain-images", pictures.len() as u64);
    let mut failed: Vec<String> = Vec::new();
    for (batch, some) in pictures.chunks(together).enumerate() {
        let prepare =
            |picture| -> Result<Prepared<'_>> { Prepared::new(picture, landmarks.as_ref(), labels.as_ref(), size) };
        let read: Vec<Result<Prepared<'_>>> = some.par_iter().map(prepare).collect();
        let mut whole = Vec::new();
        for (picture, prepared) in some.iter().zip(read) {
            match prepared {
                Ok(prepared) => whole.push(prepared),
                Err(error) => {
                    progress.say(&format!("not explained: {}", describe(&error)));
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
        "{count} of {} pictures could not be explained (the reasons are above): {}{more}",
        pictures.len(),
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

/// One forward pass, and the maps of every method and chosen attribute. `labels` [N, chosen], or empty; `name` is what a message calls
/// an image of the batch.
fn maps_of(
    network: &Network,
    images: &Tensor,
    labels: &[i8],
    way: &Way<'_>,
    device: &Device,
    name: impl Fn(usize) -> String,
) -> Result<(Output, Vec<Maps>)> {
    let images = images.to_device(device)?;
    let output = network.forward(&images, Mode::Eval)?;
    let seen = cam::Output::from(&output);
    let attributes: Vec<usize> = way.chosen.iter().map(|(attribute, _)| *attribute).collect();
    let labels = (!labels.is_empty()).then_some(labels);
    let maps = way.explainers.iter().map(|explainer| {
        let maps = explainer.maps(&images, &seen, &attributes, labels);
        maps.map_err(|error| match error {
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
