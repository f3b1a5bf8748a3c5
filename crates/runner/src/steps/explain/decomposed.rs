//! The parts of the scores (`metrics::bias_reliance`) and the energy of the centred map: of the last stage whatever the method, and of
//! all test images.

use std::borrow::Cow;

use cam::{Explainer, ExplainerConfig, Head, Maps, Method, Output, Reference, Target};
use candle_core::{Device, Tensor};
use metrics::Region;
use model::Network;
use rayon::prelude::*;

use super::energies::Row;
use super::localiser::Localiser;
use super::seen::{Explaining, Seen};
use crate::error::Result;
use crate::regions::Regions;

/// Takes the scores of a batch apart.
pub struct Decomposer<'a> {
    head: Head,
    bias: Vec<f32>,
    /// The reference's mean evidence for +z.
    mean: Maps,
    /// The regions' shares of each cell; empty where each image has regions of its own.
    cells: Vec<Vec<f64>>,
    centred: Explainer<'a>,
    localiser: Localiser,
}

impl<'a> Decomposer<'a> {
    /// Of a network, against a reference. Images are `size` pixels wide.
    ///
    /// # Errors
    /// When the reference or the regions are not of this network.
    pub fn new(
        network: &'a Network,
        config: ExplainerConfig,
        reference: &Reference,
        regions: &Regions,
        size: usize,
    ) -> Result<Self> {
        let head = Head::from(network.head());
        let mean = mean_evidence(reference, &head)?;
        let cells = match regions {
            Regions::Fixed(all) => all.iter().map(|one| cell_shares(&one.region, &mean)).collect(),
            Regions::Masks => Vec::new(),
        };
        let shape = [mean.height, mean.width];
        let localiser = Localiser::new(Method::CentredCam, config.resize, shape, size, regions)?;
        let config = ExplainerConfig {
            method: Method::CentredCam,
            layer: None,
            ..config
        };
        Ok(Self {
            bias: head.bias.to_vec1()?,
            centred: Explainer::new(network, config)?,
            head,
            mean,
            cells,
            localiser,
        })
    }

    /// The rows of a batch, by attribute, as far as they do not depend on the method.
    ///
    /// # Errors
    /// Those of the network.
    pub fn rows(&self, explaining: &Explaining<'_>, seen: &Seen<'_>, output: &Output) -> Result<Vec<Vec<Row>>> {
        let evidence = cam::raw_maps(Method::HiresCam, Target::Positive, output, &self.head)?;
        let attributes = &explaining.attributes;
        let centred = self.centred.maps(seen.images, output, attributes, Some(&seen.known))?;
        let of_attribute = |&attribute: &usize| -> Result<Vec<Row>> {
            let (bias, mean) = (f64::from(self.bias[attribute]), self.mean.map(0, attribute));
            let mut of_map = vec![0.0; mean.len()];
            let of_image = |position: usize| -> Result<Row> {
                let mask = seen.mask(position, attribute);
                let cells = match (self.cells.get(attribute), explaining.regions.in_image(attribute, mask)) {
                    (Some(cells), _) => Cow::Borrowed(cells),
                    (None, Some(region)) => Cow::Owned(cell_shares(region, &self.mean)),
                    (None, None) => Cow::Owned(vec![f64::NAN; mean.len()]),
                };
                let raw = centred.map(position, attribute);
                let measured = self.localiser.measure(raw, attribute, mask, &mut of_map)?;
                let energy = measured.and_then(|measured| measured.localisation.energy);
                let label = seen.labels[position * attributes.len() + attribute];
                Ok(Row {
                    reliance: metrics::bias_reliance(bias, evidence.map(position, attribute), mean, &cells)?,
                    centred: energy.filter(|_| explaining.has_map(label)),
                    measured: None,
                    exact: None,
                    others: None,
                })
            };
            (0..seen.batch.indices.len()).map(of_image).collect()
        };
        attributes.par_iter().map(of_attribute).collect()
    }
}

/// The shares that a region has of the cells of a map.
fn cell_shares(region: &Region, map: &Maps) -> Vec<f64> {
    region.cell_shares(map.height, map.width)
}

/// The mean evidence of the reference's images for +z, [1, A, h, w]; evidence is linear in the features.
fn mean_evidence(reference: &Reference, head: &Head) -> Result<Maps> {
    let output = Output {
        features: reference.features().unsqueeze(0)?,
        logits: Tensor::zeros((1, head.bias.elem_count()), candle_core::DType::F32, &Device::Cpu)?,
    };
    Ok(cam::raw_maps(Method::HiresCam, Target::Positive, &output, head)?)
}
