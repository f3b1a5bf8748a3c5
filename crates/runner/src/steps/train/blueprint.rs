//! A classifier's network, before it has weights.

use candle_core::Device;
use model::{Architecture, Network};
use pipeline::{Declaration, Piece};

use crate::error::{Error, Result};
use crate::experiment;
use crate::inputs::{Attributes, Inputs};
use crate::weights::{FromFile, WeightsFile};

/// A classifier's network, before it has weights. A checkpoint says how its images are scaled and made.
pub struct Blueprint<'a> {
    /// The outputs.
    pub attributes: Attributes<'a>,
    /// Side of the images in pixels.
    pub image_size: usize,
    /// Its architecture, and how its images are scaled.
    pub settings: &'a experiment::NetworkSettings,
}

impl<'a> Blueprint<'a> {
    /// Those of a run's classifiers.
    pub fn new(inputs: &'a Inputs<'_>) -> Self {
        Self {
            attributes: inputs.attributes(),
            image_size: inputs.experiment.data.image_size,
            settings: &inputs.experiment.model,
        }
    }

    /// The network that a training begins with: with weights from elsewhere but for its head, or with random ones.
    ///
    /// # Errors
    /// When the architecture is none, or the weights are of another.
    pub fn untrained(&self, pretrained: Option<&WeightsFile>, seed: u64, device: &Device) -> Result<FromFile> {
        let (architecture, outputs) = (self.architecture()?, self.attributes.count());
        let FromFile { network, said } = match pretrained {
            Some(file) => file.backbone(&architecture, outputs, seed, device)?,
            None => FromFile {
                network: Network::new(&architecture, outputs, seed, device)?,
                said: Vec::new(),
            },
        };
        Ok(FromFile {
            network: network.with_normalisation(self.settings.normalisation()),
            said,
        })
    }

    /// Its architecture.
    ///
    /// # Errors
    /// When it is none.
    pub fn architecture(&self) -> Result<Architecture> {
        let architecture = self.settings.architecture();
        architecture.map_err(|problem| Error::Request(problem.to_string()))
    }
}

impl Piece for Blueprint<'_> {
    fn declare(&self, declaration: Declaration) -> Declaration {
        declaration
            .reading(&self.attributes)
            .settings("model", &self.settings.deciding())
            .settings("model.normalisation", &self.settings.normalisation())
            .settings("data.image_size", &self.image_size)
    }
}
