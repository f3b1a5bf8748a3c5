//! `biascam explain-images`: class activation maps of pictures or tensors, with any checkpoint that has torchvision's names.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use cam::{ColourMap, Maps, Method, Resize, Resizer, Target};
use candle_core::{DType, Device, Tensor};
use clap::Args;
use dataset::Alignment;
use model::{Architecture, Checkpoint, Mode, Network};

use crate::context::choose_device;
use crate::error::{Error, Result};
use crate::output::print;
use crate::results::write_whole;

/// What is explained, by which network, and how.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Pictures (JPEG or PNG); one of CelebA's size is aligned as CelebA is, another is cropped to its middle square
    #[arg(
        value_name = "IMAGES",
        required_unless_present = "tensors",
        conflicts_with = "tensors"
    )]
    pub images: Vec<PathBuf>,
    /// Aligned images: safetensors with `images` [N, 3, S, S] float32 in [0, 1]
    #[arg(long, value_name = "FILE.safetensors")]
    pub tensors: Option<PathBuf>,
    /// A checkpoint: ours, or any with torchvision's tensor names
    #[arg(long, value_name = "FILE.safetensors")]
    pub weights: PathBuf,
    /// The network the weights belong to; our own checkpoints say it themselves
    #[arg(long, value_name = "NAME")]
    pub architecture: Option<String>,
    /// Channels of the first stage, 64 in the standard networks
    #[arg(long, value_name = "W")]
    pub width: Option<usize>,
    /// How to explain
    #[arg(long, default_value = "hires_cam")]
    pub method: String,
    /// What to explain: predicted (|z|), positive (+z) or negative (-z)
    #[arg(long, default_value = "predicted")]
    pub target: String,
    /// How a map is brought to the image's size: half_pixel or cell_centred
    #[arg(long, default_value = "half_pixel")]
    pub resize: String,
    /// Attributes by name or number, separated by commas, or all
    #[arg(long, default_value = "all")]
    pub attributes: String,
    /// Side of the square that pictures are aligned to; our own checkpoints say it themselves
    #[arg(long)]
    pub size: Option<usize>,
    /// What computes: auto, cpu, cuda or cuda:N
    #[arg(long, default_value = "auto")]
    pub device: String,
    /// A folder for overlays and maps.safetensors, or, with --tensors, the file to write
    #[arg(long, value_name = "DIR|FILE.safetensors")]
    pub out: PathBuf,
}

/// Images of one forward pass.
const BATCH: usize = 32;

/// Names that a message about a wrong file shows.
const SHOWN: usize = 8;

/// What has been explained.
struct Explained {
    logits: Vec<f32>,
    raw: Vec<f32>,
    final_maps: Vec<f32>,
    /// (images, attributes of the network, chosen attributes, height, width, size)
    shape: [usize; 6],
}

/// Explains, and writes what was found.
///
/// # Errors
/// When a file cannot be read or written, the weights do not fit the network, or an attribute is unknown.
pub fn run(arguments: &Arguments) -> Result<()> {
    let usage = |key: &str, error: &dyn std::fmt::Display| Error::Request(format!("--{key}: {error}"));
    let method: Method = arguments
        .method
        .parse()
        .map_err(|error: cam::Error| usage("method", &error))?;
    let target: Target = arguments
        .target
        .parse()
        .map_err(|error: cam::Error| usage("target", &error))?;
    let resize: Resize = arguments
        .resize
        .parse()
        .map_err(|error: cam::Error| usage("resize", &error))?;
    let device = choose_device(&arguments.device)?.device;
    let (network, names, size) = load_network(arguments, &device)?;
    let chosen = choose_attributes(&arguments.attributes, &names)?;

    let images = match &arguments.tensors {
        Some(path) => read_tensor(path)?,
        None => read_pictures(&arguments.images, arguments.size.or(size).unwrap_or(224))?,
    };
    let explained = explain(&network, &images, method, target, resize, &chosen, &device)?;
    let is_file = arguments
        .out
        .extension()
        .is_some_and(|extension| extension == "safetensors");
    let file = if is_file {
        arguments.out.clone()
    } else {
        arguments.out.join("maps.safetensors")
    };
    write_whole(&file, &to_safetensors(&explained, method)?)?;
    print(file.display())?;
    if !is_file && arguments.tensors.is_none() {
        let chosen: Vec<(usize, &str)> = chosen.iter().map(|&index| (index, names[index].as_str())).collect();
        write_overlays(&arguments.out, &arguments.images, &images, &explained, &chosen)?;
    }
    Ok(())
}

/// The network, its attributes' names, and the image size it was trained at where that is known.
fn load_network(arguments: &Arguments, device: &Device) -> Result<(Network, Vec<String>, Option<usize>)> {
    let path = &arguments.weights;
    let bytes = std::fs::read(path).map_err(Error::io(path, "reading the weights"))?;
    let fault = |error: &dyn std::fmt::Display| Error::Request(format!("{}: {error}", path.display()));
    let wanted = arguments
        .architecture
        .as_deref()
        .map(Architecture::preset)
        .transpose()?;
    let wanted = wanted.map(|architecture| match arguments.width {
        Some(width) => architecture.with_width(width),
        None => architecture,
    });
    if let Ok(checkpoint) = Checkpoint::from_bytes(&bytes) {
        if wanted.as_ref().is_some_and(|wanted| *wanted != checkpoint.architecture) {
            return Err(fault(&format!(
                "it holds {}, not what --architecture and --width say; leave them out",
                checkpoint.architecture
            )));
        }
        let size = checkpoint.metadata.get("image_size").and_then(|size| size.parse().ok());
        let network = checkpoint.network(device).map_err(|error| fault(&error))?;
        return Ok((network, checkpoint.attributes, size));
    }
    let tensors: HashMap<String, Tensor> = candle_core::safetensors::load_buffer(&bytes, device)
        .map_err(|error| fault(&format!("not a safetensors file ({error})")))?;
    let architecture = wanted.ok_or_else(|| {
        fault(&"no checkpoint of biascam, so --architecture is needed (and --width where it is not 64)")
    })?;
    let outputs = tensors
        .get("fc.bias")
        .map(Tensor::elem_count)
        .ok_or_else(|| fault(&"no tensor `fc.bias`"))?;
    let network = Network::from_tensors(&architecture, outputs, tensors, device).map_err(|error| fault(&error))?;
    // Weights without names that have CelebA's number of attributes are, most likely, a CelebA classifier's.
    let celeba = dataset::Attributes::celeba();
    let names = if outputs == celeba.len() {
        celeba.names().to_vec()
    } else {
        (0..outputs).map(|index| format!("attribute_{index}")).collect()
    };
    Ok((network, names, None))
}

fn choose_attributes(list: &str, names: &[String]) -> Result<Vec<usize>> {
    if list == "all" {
        return Ok((0..names.len()).collect());
    }
    list.split(',')
        .map(|wanted| {
            let by_name = names.iter().position(|name| name == wanted);
            let by_number = || wanted.parse().ok().filter(|&index: &usize| index < names.len());
            by_name.or_else(by_number).ok_or_else(|| {
                Error::Request(format!(
                    "--attributes: `{wanted}` is unknown; known: {}",
                    names.join(", ")
                ))
            })
        })
        .collect()
}

/// `images` of a safetensors file, [N, 3, S, S].
fn read_tensor(path: &Path) -> Result<Tensor> {
    let fault = |message: String| Error::Request(format!("{}: {message}", path.display()));
    let bytes = std::fs::read(path).map_err(Error::io(path, "reading the images"))?;
    let mut tensors =
        candle_core::safetensors::load_buffer(&bytes, &Device::Cpu).map_err(|error| fault(error.to_string()))?;
    let images = tensors.remove("images").ok_or_else(|| {
        let mut names: Vec<&str> = tensors.keys().map(String::as_str).collect();
        names.sort_unstable();
        let more = if names.len() > SHOWN { ", ..." } else { "" };
        names.truncate(SHOWN);
        fault(format!("no tensor `images`; found {}{more}", names.join(", ")))
    })?;
    match *images.dims() {
        [n, 3, height, width] if height == width && n > 0 && images.dtype() == DType::F32 => Ok(images),
        _ => Err(fault(format!(
            "`images` is {:?} {:?}, expected [N, 3, S, S] float32",
            images.dims(),
            images.dtype()
        ))),
    }
}

/// Pictures, each aligned to a square: [N, 3, S, S].
fn read_pictures(paths: &[PathBuf], size: usize) -> Result<Tensor> {
    let mut pixels = vec![0.0; paths.len() * size * size * 3];
    for (path, out) in paths.iter().zip(pixels.chunks_mut(size * size * 3)) {
        let bytes = std::fs::read(path).map_err(Error::io(path, "reading the picture"))?;
        let image = dataset::decode(&bytes, path)?;
        let transform = Alignment { size }.transform(None, image.dimensions())?;
        dataset::warp_into(&image, &transform, size, out);
    }
    Ok(Tensor::from_vec(pixels, (paths.len(), size, size, 3), &Device::Cpu)?.permute((0, 3, 1, 2))?)
}

fn explain(
    network: &Network,
    images: &Tensor,
    method: Method,
    target: Target,
    resize: Resize,
    chosen: &[usize],
    device: &Device,
) -> Result<Explained> {
    let (count, _, size, _) = images.dims4()?;
    let head = network.head();
    let mut explained = Explained {
        logits: Vec::new(),
        raw: Vec::new(),
        final_maps: Vec::new(),
        shape: [count, network.outputs(), chosen.len(), 0, 0, size],
    };
    for start in (0..count).step_by(BATCH) {
        let batch = images.narrow(0, start, BATCH.min(count - start))?.to_device(device)?;
        let output = network.forward(&batch, Mode::Eval)?;
        explained.logits.extend(output.logits.flatten_all()?.to_vec1::<f32>()?);
        let maps: Maps = cam::raw_maps(method, target, &output, &head)?;
        let resizer = Resizer::new(resize, maps.height, maps.width, size);
        let mut map = vec![0.0; size * size];
        for image in 0..maps.images {
            for &attribute in chosen {
                let raw = maps.map(image, attribute);
                explained.raw.extend_from_slice(raw);
                resizer.finalise(raw, &mut map);
                explained.final_maps.extend_from_slice(&map);
            }
        }
        explained.shape[3] = maps.height;
        explained.shape[4] = maps.width;
    }
    Ok(explained)
}

fn to_safetensors(explained: &Explained, method: Method) -> Result<Vec<u8>> {
    let [images, attributes, chosen, height, width, size] = explained.shape;
    let tensors = vec![
        (
            "logits".to_owned(),
            Tensor::from_slice(&explained.logits, (images, attributes), &Device::Cpu)?,
        ),
        (
            format!("{method}/raw"),
            Tensor::from_slice(&explained.raw, (images, chosen, height, width), &Device::Cpu)?,
        ),
        (
            format!("{method}/final"),
            Tensor::from_slice(&explained.final_maps, (images, chosen, size, size), &Device::Cpu)?,
        ),
    ];
    safetensors::serialize(tensors, None).map_err(|error| Error::Request(format!("--out: {error}")))
}

/// One overlay for each picture and attribute: `OUT/PICTURE/ATTRIBUTE.png`.
fn write_overlays(
    out: &Path,
    paths: &[PathBuf],
    images: &Tensor,
    explained: &Explained,
    chosen: &[(usize, &str)],
) -> Result<()> {
    let size = explained.shape[5];
    let pixels = images.permute((0, 2, 3, 1))?.flatten_all()?.to_vec1::<f32>()?;
    for (position, path) in paths.iter().enumerate() {
        let folder = out.join(path.file_stem().unwrap_or_default());
        let image = &pixels[position * size * size * 3..(position + 1) * size * size * 3];
        for (column, (attribute, name)) in chosen.iter().enumerate() {
            let at = (position * chosen.len() + column) * size * size;
            let map = &explained.final_maps[at..at + size * size];
            let overlay = cam::overlay(map, image, size, ColourMap::default())?;
            let mut png = std::io::Cursor::new(Vec::new());
            overlay
                .write_to(&mut png, image::ImageFormat::Png)
                .map_err(|error| Error::Request(format!("an overlay cannot be encoded: {error}")))?;
            let score = explained.logits[position * explained.shape[1] + attribute];
            let sign = if score >= 0.0 { "positive" } else { "negative" };
            write_whole(&folder.join(format!("{name}-{sign}.png")), &png.into_inner())?;
        }
        print(folder.display())?;
    }
    Ok(())
}
