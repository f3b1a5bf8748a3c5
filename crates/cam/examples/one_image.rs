//! Explains one image: `cargo run --release -p cam --example one_image -- [OUT.png [CHECKPOINT.safetensors [IMAGE]]]`
//!
//! Without arguments the network is random and the image is drawn, so that no file is needed: the maps mean nothing then,
//! but they have all the parts of real ones. A checkpoint is one that `biascam` wrote.

use std::error::Error;

use cam::{Method, Output, PostProcessing, Resize, Target};
use candle_core::{Device, Tensor};
use model::{Architecture, Checkpoint, Mode, Network};
use render::ColourMap;

/// Side of the image in pixels.
const SIZE: usize = 112;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let out = arguments.next();

    // A network and the names of what it recognises.
    let (network, attributes) = match arguments.next() {
        Some(path) => {
            let checkpoint = Checkpoint::from_bytes(&std::fs::read(path)?)?;
            (checkpoint.network(&Device::Cpu)?, checkpoint.attributes)
        }
        None => {
            let architecture = Architecture::preset("resnet18")?.with_width(16);
            (
                Network::new(&architecture, 2, 1, &Device::Cpu)?,
                vec!["Bald".to_owned(), "Smiling".to_owned()],
            )
        }
    };

    // An image as the network takes it: [1, 3, S, S], red, green, blue in [0, 1].
    let image = match arguments.next() {
        Some(path) => {
            let side = SIZE as u32;
            let picture = image::open(path)?.resize_exact(side, side, image::imageops::FilterType::Triangle);
            picture.to_rgb32f().into_raw()
        }
        None => disc(),
    };
    let images = Tensor::from_slice(&image, (1, SIZE, SIZE, 3), &Device::Cpu)?.permute((0, 3, 1, 2))?;

    // One forward pass, and the maps of all attributes.
    let output = network.forward(&images, Mode::Eval)?;
    let maps = cam::raw_maps(
        Method::HiresCam,
        Target::Predicted,
        &Output::from(&output),
        &network.head().into(),
    )?;
    let post_processing = PostProcessing::of_layer(Resize::HalfPixel, [maps.height, maps.width], SIZE);

    let mut map = vec![0.0; SIZE * SIZE];
    for (attribute, (name, logit)) in attributes
        .iter()
        .zip(output.logits.squeeze(0)?.to_vec1::<f32>()?)
        .enumerate()
    {
        post_processing.finalise(maps.map(0, attribute), &mut map);
        let (peak, _) = map
            .iter()
            .enumerate()
            .max_by(|a, b| a.1.total_cmp(b.1))
            .unwrap_or((0, &0.0));
        let predicted = if logit >= 0.0 { "yes" } else { "no" };
        println!(
            "{name}: {predicted} ({logit:+.3}), mostly because of pixel ({}, {})",
            peak % SIZE,
            peak / SIZE
        );
        if let Some(out) = &out
            && attribute == 0
        {
            render::overlay(&map, &image, SIZE, ColourMap::default())?.save(out)?;
            println!("the map of {name} is in {out}");
        }
    }
    Ok(())
}

/// A bright disc left of the middle of a dark square, [S, S, 3].
fn disc() -> Vec<f32> {
    let inside = |i: usize| {
        let (x, y) = ((i % SIZE) as f32 - 40.0, (i / SIZE) as f32 - 60.0);
        x.hypot(y) < 20.0
    };
    (0..SIZE * SIZE)
        .flat_map(|i| if inside(i) { [0.9, 0.7, 0.5] } else { [0.1, 0.15, 0.2] })
        .collect()
}
