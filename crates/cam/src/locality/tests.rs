//! Tests on networks whose locality is known.

use super::*;
use crate::explainable::tests::TwoLayers;
use crate::{Decomposition, Head, InputGradients, Layer, Output};
use candle_core::Device;

const STEPS: FameConfig = FameConfig {
    steps: 3,
    step_size: 1.0 / 255.0,
};

fn measured(network: &dyn Explainable, layer: &str, influence: Influence, resize: Resize) -> Locality {
    let images = TwoLayers::images();
    let probe = LocalityProbe::new(network, layer, resize, &images).unwrap();
    let probe = probe.with_fame(STEPS).unwrap();
    probe.measure(&images, influence, &probe.cells()).unwrap()
}

/// Kernels of 1 x 1 and means of 2 x 2 pixels: a cell depends on the pixels of its own square alone.
#[test]
fn cells_of_their_own_square_have_a_share_of_one() {
    let network = TwoLayers::new(true);
    for &influence in Influence::ALL {
        for (layer, cells) in [("colours", 64), ("blocks", 16)] {
            let found = measured(&network, layer, influence, Resize::HalfPixel);
            assert_eq!((found.cells.len(), found.influences.len()), (cells, 2 * cells));
            for (cell, shares) in found.by_cell().into_iter().enumerate() {
                let shares = shares.expect("an influence");
                assert!(
                    (shares.own - 1.0).abs() < 1e-6,
                    "{influence} {layer} {cell}: {shares:?}"
                );
                assert!((shares.grown - 1.0).abs() < 1e-6);
            }
            let chance = found.chance().unwrap();
            assert!((chance.own - 1.0 / cells as f64).abs() < 1e-9, "{chance:?}");
        }
    }
}

/// Maps that were made for a figure say the same as a measurement.
#[test]
fn maps_are_measured_as_images_are() {
    let (network, images) = (TwoLayers::new(true), TwoLayers::images());
    let probe = LocalityProbe::new(&network, "blocks", Resize::CellCentred, &images).unwrap();
    let probe = probe.with_fame(STEPS).unwrap();
    let cells = [[1, 2], [3, 0]];
    for influence in [Influence::Gradient, Influence::Fame] {
        let image = images.narrow(0, 1, 1).unwrap();
        let maps = probe.maps(&image, influence, &cells).unwrap();
        let expected = probe.measure(&image, influence, &cells).unwrap();
        assert_eq!(probe.measure_maps(&maps, &cells).unwrap(), expected, "{influence}");
        assert_eq!(expected.influences.len(), 2);
        probe.measure_maps(&maps[1..], &cells).unwrap_err();
        probe.measure_maps(&maps, &[[9, 9], [0, 0]]).unwrap_err();
    }
}

/// Cells that are said to lie elsewhere, half a cell up and left of where they are: a quarter of a square is theirs.
#[test]
fn where_cells_lie_follows_the_resize() {
    let network = TwoLayers::new(true);
    let found = measured(&network, "blocks", Influence::Gradient, Resize::CellCentred);
    // Of 4 cells on 8 pixels, centred at 0, 2, 4 and 6: the first has pixel 0, the second 1 and 2, the last 5, 6 and 7.
    let sizes: Vec<f64> = found.areas[..4].iter().map(|area| area.own).collect();
    assert_eq!(sizes, [1.0, 2.0, 2.0, 3.0]);
    let shares = found.by_cell()[5].unwrap();
    assert!((shares.own - 0.25).abs() < 0.05 && shares.grown > 0.999, "{shares:?}");
}

#[test]
fn a_neighbourhood_is_clipped_at_the_border() {
    let network = TwoLayers::new(true);
    let found = measured(&network, "blocks", Influence::Gradient, Resize::HalfPixel);
    let area = |cell: usize| found.areas[cell];
    assert_eq!((area(0).own, area(0).grown, area(0).all), (4.0, 16.0, 64.0));
    assert_eq!((area(1).grown, area(5).grown), (24.0, 36.0));
}

/// One layer of 2 x 2 cells, each the sum of all colours of all pixels.
#[derive(Debug)]
struct Everywhere;

impl Explainable for Everywhere {
    fn layers(&self) -> Vec<Layer> {
        vec![Layer {
            name: "sums".to_owned(),
            channels: 1,
        }]
    }

    fn outputs(&self) -> usize {
        1
    }

    fn activations(&self, images: &Tensor, _: &str) -> Result<Tensor> {
        let sums = images.flatten_from(1)?.sum(1)?;
        Ok(sums
            .reshape(((), 1, 1, 1))?
            .broadcast_as((images.dims()[0], 1, 2, 2))?
            .contiguous()?)
    }

    fn normalise(&self, images: &Tensor) -> Result<Tensor> {
        Ok(images.clone())
    }

    fn input_gradients(&self, input: &Tensor, objective: Objective<'_>) -> Result<InputGradients> {
        let (_, colours, height, width) = input.dims4()?;
        let rows = objective.rows();
        Ok(InputGradients {
            values: vec![1.0; rows],
            gradients: Tensor::ones((rows, colours, height, width), candle_core::DType::F32, &Device::Cpu)?,
        })
    }

    fn forward(&self, _: &Tensor) -> Result<Output> {
        unreachable!("locality asks for activations")
    }

    fn forward_from(&self, _: &str, _: &Tensor) -> Result<Tensor> {
        unreachable!("locality asks for activations")
    }

    fn gradients(&self, _: &str, _: &Tensor, _: &[usize]) -> Result<Tensor> {
        unreachable!("locality asks for gradients by the image")
    }

    fn decompose(&self, _: &Tensor, _: &[usize]) -> Result<Decomposition> {
        unreachable!("locality asks for gradients by the image")
    }

    fn head(&self) -> Option<Head> {
        None
    }
}

/// A receptive field of the whole image: the shares are those of the area, by chance.
#[test]
fn cells_of_the_whole_image_have_the_areas_share() {
    for influence in [Influence::Gradient, Influence::Fame] {
        let found = measured(&Everywhere, "sums", influence, Resize::HalfPixel);
        for (cell, shares) in found.by_cell().into_iter().enumerate() {
            let shares = shares.expect("an influence");
            assert!((shares.own - 0.25).abs() < 1e-6, "{influence} {cell}: {shares:?}");
            assert_eq!(Some(shares.grown), found.areas[cell].shares().map(|area| area.grown));
        }
    }
    // What hiding a square changes is the same for every cell: of each image their own shares are 1 in all.
    let found = measured(&Everywhere, "sums", Influence::Occlusion, Resize::HalfPixel);
    for image in found.influences.chunks(4) {
        let sum: f64 = image.iter().map(|one| one.shares().unwrap().own).sum();
        assert!((sum - 1.0).abs() < 1e-6, "{sum}");
    }
}

#[test]
fn maps_hold_what_is_measured() {
    let network = TwoLayers::new(true);
    let images = TwoLayers::images();
    let probe = LocalityProbe::new(&network, "blocks", Resize::HalfPixel, &images).unwrap();
    let probe = probe.with_fame(STEPS).unwrap();
    let cells = [[1, 2], [3, 3]];
    for &influence in Influence::ALL {
        let found = probe.measure(&images, influence, &cells).unwrap();
        let maps = probe.maps(&images.narrow(0, 1, 1).unwrap(), influence, &cells).unwrap();
        for (map, stated) in maps.chunks(64).zip(&found.influences[2..]) {
            let sum: f64 = map.iter().map(|value| f64::from(*value)).sum();
            assert!(
                (sum - stated.all).abs() < 1e-5 * stated.all,
                "{influence}: {sum} {stated:?}"
            );
        }
    }
}

#[test]
fn what_does_not_exist_is_named() {
    let (network, images) = (TwoLayers::new(true), TwoLayers::images());
    let probe = |layer: &str| LocalityProbe::new(&network, layer, Resize::HalfPixel, &images);
    assert!(matches!(probe("stage9"), Err(Error::UnknownLayer { .. })));
    let probe = probe("blocks").unwrap();
    let message = probe
        .measure(&images, Influence::Gradient, &[[4, 0]])
        .unwrap_err()
        .to_string();
    assert_eq!(message, "cell: shape [4, 0], expected one of 4 x 4");
    let small = images.narrow(2, 0, 4).unwrap();
    assert!(probe.measure(&small, Influence::Gradient, &[[0, 0]]).is_err());
    assert!(probe.maps(&images, Influence::Gradient, &[[0, 0]]).is_err());
    assert!(probe.with_fame(FameConfig { steps: 0, ..STEPS }).is_err());
}
