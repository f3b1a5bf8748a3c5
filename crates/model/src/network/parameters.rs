//! Where a network's tensors come from: drawn at random, or given.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use candle_core::{DType, Device, Tensor, Var};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal, Uniform};

use crate::error::TensorMismatch;
use crate::{Error, Result};

/// The stream of a seed's random numbers that initial weights are drawn from; other uses of the seed take other streams.
const STREAM: u64 = 0x77_65_69_67_68_74; // "weight"

/// How a tensor starts.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Initial {
    Constant(f32),
    /// Normal with deviation sqrt(2 / fan) (He et al. 2015); torchvision uses the fan-out, Cout kh kw.
    KaimingNormal {
        fan: usize,
    },
    /// Uniform in ±1/sqrt(fan_in): PyTorch's default of a linear layer's weight and bias.
    LinearUniform {
        fan_in: usize,
    },
}

/// Tells when a network's tensors have changed, so that what was made of them is made anew.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    count: AtomicU64,
    unknown: AtomicBool,
}

impl Changes {
    /// Some tensor has been given other values.
    pub(crate) fn note(&self) {
        self.count.fetch_add(1, Ordering::AcqRel);
    }

    /// From now on tensors may change without a word: somebody else has them.
    pub(crate) fn expect_any(&self) {
        self.unknown.store(true, Ordering::Release);
    }

    /// A number that is the same as long as no tensor changes; `None` when nobody can know.
    pub(crate) fn version(&self) -> Option<u64> {
        let unknown = self.unknown.load(Ordering::Acquire);
        (!unknown).then(|| self.count.load(Ordering::Acquire))
    }
}

enum Source {
    Random(Box<ChaCha8Rng>),
    Given(HashMap<String, Tensor>),
}

/// Hands out a network's tensors by name, so that fresh and stored weights take the same way through the constructors.
pub(crate) struct Parameters {
    source: Source,
    device: Device,
    /// Names and variables in the order of construction.
    pub(crate) trained: Vec<(String, Var)>,
    /// Running statistics, likewise.
    pub(crate) statistics: Vec<(String, Var)>,
    mismatch: TensorMismatch,
    /// Of the network that is made of them.
    pub(crate) changes: Arc<Changes>,
}

impl Parameters {
    /// Draws every tensor; the same seed gives the same tensors.
    pub(crate) fn random(seed: u64, device: &Device) -> Self {
        let mut generator = ChaCha8Rng::seed_from_u64(seed);
        generator.set_stream(STREAM);
        Self::new(Source::Random(Box::new(generator)), device)
    }

    /// Takes the given tensors. What is missing or wrong shows in [`Parameters::finish`].
    pub(crate) fn given(tensors: HashMap<String, Tensor>, device: &Device) -> Self {
        Self::new(Source::Given(tensors), device)
    }

    fn new(source: Source, device: &Device) -> Self {
        Self {
            source,
            device: device.clone(),
            trained: Vec::new(),
            statistics: Vec::new(),
            mismatch: TensorMismatch::default(),
            changes: Arc::default(),
        }
    }

    /// A tensor that is trained.
    pub(crate) fn trained(&mut self, name: String, shape: &[usize], initial: Initial) -> Result<Var> {
        let var = self.take(&name, shape, initial)?;
        self.trained.push((name, var.clone()));
        Ok(var)
    }

    /// A running statistic.
    pub(crate) fn statistic(&mut self, name: String, shape: &[usize], initial: Initial) -> Result<Var> {
        let var = self.take(&name, shape, initial)?;
        self.statistics.push((name, var.clone()));
        Ok(var)
    }

    fn take(&mut self, name: &str, shape: &[usize], initial: Initial) -> Result<Var> {
        let values = match &mut self.source {
            Source::Random(generator) => draw(generator.as_mut(), shape.iter().product(), initial),
            Source::Given(tensors) => match tensors.remove(name) {
                Some(tensor) if tensor.dims() == shape => {
                    tensor.to_dtype(DType::F32)?.flatten_all()?.to_vec1::<f32>()?
                }
                found => {
                    match found {
                        Some(tensor) => {
                            let shapes = (name.to_owned(), tensor.dims().to_vec(), shape.to_vec());
                            self.mismatch.shapes.push(shapes);
                        }
                        None => self.mismatch.missing.push(name.to_owned()),
                    }
                    // There will be no network of them: a shape that only a damaged file asks for may be of terabytes.
                    return Ok(Var::zeros(0, DType::F32, &self.device)?);
                }
            },
        };
        Ok(Var::from_vec(values, shape, &self.device)?)
    }

    /// Reports all given tensors that were missing, of the wrong shape, or not asked for.
    pub(crate) fn finish(&mut self) -> Result<()> {
        let mut mismatch = std::mem::take(&mut self.mismatch);
        if let Source::Given(tensors) = &self.source {
            // PyTorch's count of batches, which batch norm with a fixed momentum does not use.
            mismatch.extra = tensors
                .keys()
                .filter(|name| !name.ends_with(".num_batches_tracked"))
                .cloned()
                .collect();
            mismatch.extra.sort();
        }
        if mismatch.is_empty() {
            Ok(())
        } else {
            Err(Error::Tensors(mismatch))
        }
    }
}

fn draw(generator: &mut impl Rng, count: usize, initial: Initial) -> Vec<f32> {
    match initial {
        Initial::Constant(value) => vec![value; count],
        Initial::KaimingNormal { fan } => {
            let deviation = (2.0 / fan as f64).sqrt();
            let normal = |_| {
                let value: f64 = StandardNormal.sample(generator);
                (deviation * value) as f32
            };
            (0..count).map(normal).collect()
        }
        Initial::LinearUniform { fan_in } => {
            let bound = 1.0 / (fan_in as f64).sqrt();
            let uniform = Uniform::new_inclusive(-bound, bound).expect("the bound is finite and positive");
            (0..count).map(|_| uniform.sample(generator) as f32).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_have_the_promised_moments() {
        let mut generator = ChaCha8Rng::seed_from_u64(1);
        let normal = draw(&mut generator, 100_000, Initial::KaimingNormal { fan: 50 });
        let mean = normal.iter().sum::<f32>() / 1e5;
        let variance = normal.iter().map(|v| v * v).sum::<f32>() / 1e5;
        assert!(mean.abs() < 0.003, "{mean}");
        assert!((variance - 0.04).abs() < 0.001, "{variance}");
        let uniform = draw(&mut generator, 100_000, Initial::LinearUniform { fan_in: 25 });
        let largest = testing::largest_difference(&uniform, &vec![0.0_f32; uniform.len()]);
        assert!((0.199..=0.2).contains(&largest), "{largest}");
    }
}
