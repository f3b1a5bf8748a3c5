//! The mean features of a data set, against which the centred map is made.

use candle_core::{DType, Device, Tensor};

use crate::{Error, Result};

/// The mean features of some images, `[C, h, w]`, collected batch by batch.
#[derive(Debug, Clone)]
pub struct Reference {
    features: Tensor,
    /// Sums in float64, because they run over thousands of images.
    sum: Option<Tensor>,
    count: usize,
}

impl Default for Reference {
    fn default() -> Self {
        Self::new()
    }
}

impl Reference {
    /// A reference of no image yet.
    pub fn new() -> Self {
        Self {
            features: Tensor::zeros((0, 0, 0), DType::F32, &Device::Cpu).expect("an empty tensor on the CPU"),
            sum: None,
            count: 0,
        }
    }

    /// A reference made earlier: mean features `[C, h, w]` and the number of images behind them.
    ///
    /// # Errors
    /// [`Error::Shape`] for another number of dimensions.
    pub fn from_mean(features: &Tensor, count: usize) -> Result<Self> {
        features.dims3().map_err(|_| shape(features, "[C, h, w]".to_owned()))?;
        let features = features.to_device(&Device::Cpu)?.to_dtype(DType::F32)?;
        let sum = (features.to_dtype(DType::F64)? * count as f64)?;
        Ok(Self {
            features,
            sum: Some(sum),
            count,
        })
    }

    /// Takes in the features `[N, C, h, w]` of a batch.
    ///
    /// # Errors
    /// [`Error::Shape`] when they are not of the size of those before.
    pub fn add(&mut self, features: &Tensor) -> Result<()> {
        let (images, channels, height, width) = features
            .dims4()
            .map_err(|_| shape(features, "[N, C, h, w]".to_owned()))?;
        let batch = features.to_device(&Device::Cpu)?.to_dtype(DType::F64)?.sum(0)?;
        let sum = match &self.sum {
            None => batch,
            Some(sum) if sum.dims() == [channels, height, width] => (sum + batch)?,
            Some(sum) => return Err(shape(features, format!("[N, ..] with {:?}", sum.dims()))),
        };
        self.count += images;
        self.features = (&sum / self.count.max(1) as f64)?.to_dtype(DType::F32)?;
        self.sum = Some(sum);
        Ok(())
    }

    /// The mean features, `[C, h, w]` float32 on the CPU; empty before the first image.
    pub fn features(&self) -> &Tensor {
        &self.features
    }

    /// Number of images behind the mean.
    pub fn count(&self) -> usize {
        self.count
    }
}

fn shape(found: &Tensor, expected: String) -> Error {
    Error::Shape {
        what: "reference",
        found: found.dims().to_vec(),
        expected,
    }
}
