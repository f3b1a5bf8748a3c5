//! One piece of work, timed, beside PyTorch's in `benches/peers`: prints one JSON line.
//!
//!     peer WORK SECONDS [--device cpu|cuda] [--precision float32|tf32|bf16] [--batch N] [--deterministic] [--fast]
//!
//! WORK is `NETWORK/KIND`: networks as in [`NETWORKS`], kinds as in [`Options::work`]. The same work as `benches/peers/torch_peer.py`
//! does: the same shapes, loss and optimiser, random weights and images. The precision is a training step's; all else is float32.
//! `RAYON_NUM_THREADS` sets the threads, `CUDA_VISIBLE_DEVICES` the GPU.

use std::error::Error;
use std::ffi::{c_int, c_long};
use std::hint::black_box;
use std::time::Instant;

use cam::{Method, PostProcessing, Resize, Target};
use candle_core::{Device, Tensor};
use kernels::{ConvolutionAlgorithm, Precision, SampledView, Sampler, SamplerInput};
use model::{
    Architecture, ClassWeights, LearningRate, Loss, Mode, Network, OptimiserConfig, Schedule, StepLoss, Trainer,
    TrainerConfig,
};
use rayon::prelude::*;

// As in the program: the system's allocator would give large buffers back after every layer.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Does the work once, or on a GPU starts it; gives the loss where there is one.
type Once = Box<dyn FnMut() -> Result<Option<StepLoss>>>;

const USAGE: &str = "usage: peer NETWORK/(forward|step|fed|explain) SECONDS [--device cpu|cuda] [--precision float32|tf32|bf16] [--batch N] [--deterministic] [--fast]";

const ATTRIBUTES: usize = 40;

/// Name, preset, width of the first stage, images a batch on a CPU (one where it is explained), side of an image.
const NETWORKS: [(&str, &str, usize, usize, usize); 3] = [
    ("resnet18-w16", "resnet18", 16, 32, 112),
    ("resnet18-w64", "resnet18", 64, 32, 112),
    ("resnet50", "resnet50", 64, 8, 224),
];

unsafe extern "C" {
    fn mi_option_set(option: c_int, value: c_long);
}

fn main() -> Result<()> {
    // SAFETY: mimalloc is linked in. As in the program: free memory is kept for ten seconds (`mi_option_purge_delay`).
    unsafe { mi_option_set(15, 10_000) };
    let options = Options::parse(std::env::args().skip(1))?;
    let speed = speed(options.work()?, &options)?;
    let Options {
        work, precision, batch, ..
    } = &options;
    println!(
        "{{\"work\": \"{work}\", \"precision\": \"{precision}\", \"batch\": {batch}, \"images_per_second\": {speed}}}"
    );
    Ok(())
}

/// What to do, from the command line.
struct Options {
    work: String,
    kind: String,
    preset: &'static str,
    width: usize,
    side: usize,
    batch: usize,
    seconds: f64,
    device: Device,
    precision: Precision,
    convolution: ConvolutionAlgorithm,
    deterministic: bool,
}

impl Options {
    fn parse(mut words: impl Iterator<Item = String>) -> Result<Self> {
        let work = words.next().ok_or(USAGE)?;
        let (name, kind) = work.split_once('/').ok_or(USAGE)?;
        let (_, preset, width, batch, side) = NETWORKS.into_iter().find(|known| known.0 == name).ok_or(USAGE)?;
        let mut options = Self {
            kind: kind.to_owned(),
            preset,
            width,
            side,
            batch: if kind == "explain" { 1 } else { batch },
            seconds: words.next().ok_or(USAGE)?.parse()?,
            device: Device::Cpu,
            precision: Precision::Float32,
            convolution: ConvolutionAlgorithm::Direct,
            deterministic: false,
            work,
        };
        while let Some(flag) = words.next() {
            match flag.as_str() {
                "--deterministic" => options.deterministic = true,
                "--fast" => options.convolution = ConvolutionAlgorithm::Fast,
                _ => options.set(&flag, &words.next().ok_or(USAGE)?)?,
            }
        }
        if !["step", "fed"].contains(&options.kind.as_str()) && options.precision != Precision::Float32 {
            return Err(format!("{}: float32 whatever a training's precision is", options.work).into());
        }
        Ok(options)
    }

    fn set(&mut self, flag: &str, value: &str) -> Result<()> {
        match (flag, value) {
            ("--device", "cpu") => self.device = Device::Cpu,
            ("--device", "cuda") => self.device = kernels::gpu(0)?,
            ("--precision", _) => self.precision = serde_json::from_value(value.into())?,
            ("--batch", _) => self.batch = value.parse::<std::num::NonZero<usize>>()?.get(),
            _ => return Err(USAGE.into()),
        }
        Ok(())
    }

    /// The work of each kind, ready to be done again and again.
    fn work(&self) -> Result<Once> {
        let architecture = Architecture::preset(self.preset)?.with_width(self.width);
        let network = Network::new(&architecture, ATTRIBUTES, 1, &self.device)?;
        // A view of channels-last memory, as the loader delivers it.
        let images = Tensor::rand(0_f32, 1.0, (self.batch, self.side, self.side, 3), &Device::Cpu)?;
        let images = images.to_device(&self.device)?.permute((0, 3, 1, 2))?;
        match self.kind.as_str() {
            "forward" => Ok(Box::new(move || {
                black_box(network.forward(&images, Mode::Eval)?);
                Ok(None)
            })),
            "step" | "fed" => {
                let labels = Tensor::rand(0_f32, 1.0, (self.batch, ATTRIBUTES), &Device::Cpu)?.round()?;
                let labels = labels.affine(2.0, -1.0)?;
                let mut trainer = Trainer::new(network, self.training()?)?;
                match Sampler::new(&self.device)? {
                    Some(mut sampler) if self.kind == "fed" => {
                        let faces = Faces::new(self.batch, self.side, labels.flatten_all()?.to_vec1()?);
                        Ok(Box::new(move || {
                            let (images, labels) = sampler.batch(faces.batch())?;
                            Ok(Some(trainer.step(&images, &labels)?))
                        }))
                    }
                    // On a CPU there is nothing to bring anywhere.
                    _ => {
                        let labels = labels.to_device(&self.device)?;
                        Ok(Box::new(move || Ok(Some(trainer.step(&images, &labels)?))))
                    }
                }
            }
            "explain" => {
                let side = self.side;
                Ok(Box::new(move || explain(&network, &images, side).map(|()| None)))
            }
            _ => Err(USAGE.into()),
        }
    }

    fn training(&self) -> Result<TrainerConfig> {
        Ok(TrainerConfig {
            loss: Loss::Euclidean,
            weights: ClassWeights::uniform(ATTRIBUTES),
            optimiser: OptimiserConfig::adam_w().with_weight_decay(1e-4),
            learning_rate: LearningRate::new(1e-4, Schedule::Constant)?,
            total_steps: 1,
            precision: self.precision,
            convolution: self.convolution,
            deterministic: self.deterministic,
        })
    }
}

/// A batch as the loader brings it to a GPU: decoded images of CelebA's size, each turned and every second mirrored and blurred, as the
/// paper's augmentation does.
struct Faces {
    size: usize,
    pixels: Vec<u8>,
    views: Vec<SampledView>,
    taps: Vec<f32>,
    labels: Vec<f32>,
}

impl Faces {
    fn new(batch: usize, size: usize, labels: Vec<f32>) -> Self {
        let (width, height) = (178, 218);
        let bytes = (0..4 * width * height * batch).map(|index| ((index * 2_654_435_761) >> 16) as u8);
        let scale = width as f64 / size as f64;
        let view = |image: usize| {
            let (sin, cos) = (0.1 * (image % 7) as f64 - 0.3).sin_cos();
            let (a, b, middle) = (scale * cos, scale * sin, size as f64 / 2.0);
            SampledView {
                start: image * width * height,
                width,
                height,
                transform: [
                    a,
                    b,
                    width as f64 / 2.0 - (a - b) * middle,
                    height as f64 / 2.0 - (a + b) * middle,
                ],
                mirror: image % 2 == 1,
                taps: if image % 2 == 1 { 0..10 } else { 0..0 },
                contrast: 1.0,
                brightness: 0.0,
            }
        };
        Self {
            size,
            pixels: bytes.collect(),
            views: (0..batch).map(view).collect(),
            // Nearly a Gaussian of 3 pixels.
            taps: [0.133, 0.126, 0.107, 0.081, 0.055, 0.033, 0.018, 0.009, 0.004, 0.001].to_vec(),
            labels,
        }
    }

    fn batch(&self) -> SamplerInput<'_> {
        SamplerInput {
            size: self.size,
            pixels: &self.pixels,
            views: &self.views,
            taps: &self.taps,
            labels: &self.labels,
        }
    }
}

/// Images a second. Nothing within a stretch waits for the device; its end does, so what was started before it counts.
fn speed(mut once: Once, options: &Options) -> Result<f64> {
    let mut stretch = |times: usize| -> Result<f64> {
        let (start, mut loss) = (Instant::now(), None);
        for _ in 0..times {
            loss = once()?;
        }
        options.device.synchronize()?;
        let seconds = start.elapsed().as_secs_f64();
        // Speed of what has diverged would be none.
        loss.map_or(Ok(seconds), |loss: StepLoss| Ok(loss.value().map(|_| seconds)?))
    };
    // The first time kernels are loaded and plans made; the next tell how often the work fits into the time. A GPU that is waited for after
    // each is slower than one that is not, so the stretch that tells it is more than one where that takes no longer than a second.
    stretch(1)?;
    let fitting = |seconds: f64, each: f64| (seconds / each).ceil().max(1.0) as usize;
    let times = fitting(1.0, stretch(1)?).min(20);
    let times = fitting(options.seconds, stretch(times)? / times as f64);
    Ok((times * options.batch) as f64 / stretch(times)?)
}

/// The final maps of all attributes, at the size of the images.
fn explain(network: &Network, images: &Tensor, side: usize) -> Result<()> {
    let output = network.forward(images, Mode::Eval)?;
    let maps = cam::raw_maps(
        Method::HiresCam,
        Target::Predicted,
        &output.into(),
        &network.head().into(),
    )?;
    let post_processing = PostProcessing::of_layer(Resize::HalfPixel, [maps.height, maps.width], side);
    (0..maps.images).into_par_iter().for_each(|image| {
        let mut map = vec![0.0; side * side];
        for attribute in 0..ATTRIBUTES {
            post_processing.finalise(maps.map(image, attribute), &mut map);
            black_box(&map);
        }
    });
    Ok(())
}
