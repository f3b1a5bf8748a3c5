//! One piece of work, timed, beside PyTorch's in `benches/peers`: `peer WORK SECONDS` prints one JSON line.
//!
//! WORK is `NETWORK/forward`, `NETWORK/step` (networks as in [`NETWORKS`]) or `resnet50/explain`. The same work as
//! `benches/peers/torch_peer.py` does: the same shapes, loss and optimiser, random weights and images.
//! `RAYON_NUM_THREADS` sets the threads.

use std::error::Error;
use std::ffi::{c_int, c_long};
use std::hint::black_box;
use std::time::Instant;

use cam::{Method, Resize, Resizer, Target};
use candle_core::{Device, Tensor};
use model::{
    Architecture, ClassWeights, LearningRate, Loss, Mode, Network, OptimiserConfig, Precision, Schedule, Trainer,
    TrainerConfig,
};

// As in the program: the system's allocator would give large buffers back after every layer.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const ATTRIBUTES: usize = 40;

/// Name, preset, width of the first stage, images a batch, side of an image.
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
    let usage = "usage: peer NETWORK/(forward|step|explain) SECONDS";
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [work, seconds] = arguments.as_slice() else {
        return Err(usage.into());
    };
    let seconds: f64 = seconds.parse()?;
    let (name, kind) = work.split_once('/').ok_or(usage)?;
    let (_, preset, width, batch, side) = NETWORKS.into_iter().find(|known| known.0 == name).ok_or(usage)?;
    let batch = if kind == "explain" { 1 } else { batch };
    let network = Network::new(
        &Architecture::preset(preset)?.with_width(width),
        ATTRIBUTES,
        1,
        &Device::Cpu,
    )?;
    // A view of channels-last memory, as the loader delivers it.
    let images = Tensor::rand(0_f32, 1.0, (batch, side, side, 3), &Device::Cpu)?.permute((0, 3, 1, 2))?;

    let mut once: Box<dyn FnMut() -> Result<()>> = match kind {
        "forward" => Box::new(move || {
            black_box(network.forward(&images, Mode::Eval)?);
            Ok(())
        }),
        "step" => {
            let mut trainer = Trainer::new(network, configuration()?)?;
            let labels = Tensor::rand(0_f32, 1.0, (batch, ATTRIBUTES), &Device::Cpu)?.round()?;
            let labels = labels.affine(2.0, -1.0)?;
            Box::new(move || {
                trainer.step(&images, &labels)?.value()?;
                Ok(())
            })
        }
        "explain" => Box::new(move || explain(&network, &images, side)),
        _ => return Err(usage.into()),
    };
    once()?;
    let (mut done, start) = (0, Instant::now());
    while done == 0 || start.elapsed().as_secs_f64() < seconds {
        once()?;
        done += batch;
    }
    let speed = done as f64 / start.elapsed().as_secs_f64();
    println!("{{\"work\": \"{work}\", \"images_per_second\": {speed}}}");
    Ok(())
}

fn configuration() -> Result<TrainerConfig> {
    Ok(TrainerConfig {
        loss: Loss::Euclidean,
        weights: ClassWeights::uniform(ATTRIBUTES),
        optimiser: OptimiserConfig::adam_w().with_weight_decay(1e-4),
        learning_rate: LearningRate::new(1e-4, Schedule::Constant)?,
        total_steps: 1,
        precision: Precision::Float32,
    })
}

/// The final maps of all attributes, at the size of the image.
fn explain(network: &Network, images: &Tensor, side: usize) -> Result<()> {
    let output = network.forward(images, Mode::Eval)?;
    let maps = cam::raw_maps(Method::HiresCam, Target::Predicted, &output, &network.head())?;
    let resizer = Resizer::new(Resize::HalfPixel, maps.height, maps.width, side);
    let mut map = vec![0.0; side * side];
    for attribute in 0..ATTRIBUTES {
        resizer.finalise(maps.map(0, attribute), &mut map);
        black_box(&map);
    }
    Ok(())
}
