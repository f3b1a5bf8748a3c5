//! Optimisers: an update rule for every parameter of a network, and what it remembers.

use std::cell::RefCell;
use std::collections::BTreeMap;

#[cfg(feature = "cuda")]
use candle_core::DType;
use candle_core::backprop::GradStore;
use candle_core::{CpuStorage, Device, InplaceOp2, Layout, Shape, Tensor, Var};

use crate::error::TensorMismatch;
#[cfg(feature = "cuda")]
use crate::kernels;
use crate::rule::{OptimiserConfig, Update};
use crate::{Error, Result};

/// What an optimiser remembers between steps, in a form to store.
#[derive(Debug, Clone)]
pub struct OptimiserState {
    /// Number of steps made.
    pub steps: u64,
    /// The remembered values, `kind/parameter` such as `momentum/conv1.weight`, of the parameter's shape.
    pub tensors: BTreeMap<String, Tensor>,
}

/// Updates a network's parameters in place.
///
/// On the CPU one pass over memory per parameter; on a GPU one kernel for all of them, and nothing leaves the device.
#[derive(Debug)]
pub struct Optimiser {
    config: OptimiserConfig,
    slots: Vec<Slot>,
    steps: u64,
}

/// A parameter and what the rule remembers of it.
#[derive(Debug)]
struct Slot {
    name: String,
    var: Var,
    memory: Memory,
}

/// What a rule remembers of a parameter, where the parameter is; the second is empty for rules with one memory.
#[derive(Debug)]
enum Memory {
    Host([Vec<f32>; 2]),
    /// Of the parameter's shape.
    #[cfg(feature = "cuda")]
    Device([Tensor; 2]),
}

impl Memory {
    #[cfg(feature = "cuda")]
    fn on_device(values: [Vec<f32>; 2], shape: &Shape, device: &Device) -> candle_core::Result<Self> {
        let [first, second] = values;
        let tensor = |values: Vec<f32>| match values.is_empty() {
            true => Tensor::zeros(0, DType::F32, device),
            false => Tensor::from_vec(values, shape, device),
        };
        Ok(Self::Device([tensor(first)?, tensor(second)?]))
    }

    /// The shape counts on a GPU alone.
    #[cfg_attr(not(feature = "cuda"), allow(unused_variables))]
    fn of(values: [Vec<f32>; 2], shape: &Shape, device: &Device) -> candle_core::Result<Self> {
        match device {
            #[cfg(feature = "cuda")]
            Device::Cuda(_) => Self::on_device(values, shape, device),
            _ => Ok(Self::Host(values)),
        }
    }

    /// A copy on the CPU of what is remembered under the rule's name number `kind`.
    fn tensor(&self, kind: usize, shape: &Shape) -> candle_core::Result<Tensor> {
        match self {
            Self::Host(values) => Tensor::from_slice(&values[kind], shape, &Device::Cpu),
            #[cfg(feature = "cuda")]
            Self::Device(tensors) => tensors[kind].to_device(&Device::Cpu),
        }
    }
}

impl Optimiser {
    /// An optimiser of the given parameters that remembers nothing yet.
    ///
    /// # Errors
    /// Like [`OptimiserConfig::validate`].
    pub fn new(config: OptimiserConfig, parameters: &[(String, Var)]) -> Result<Self> {
        config.validate()?;
        let kinds = config.rule.memory().len();
        let slot = |(name, var): &(String, Var)| {
            let zeros = |kind| {
                if kind < kinds {
                    vec![0.0; var.elem_count()]
                } else {
                    Vec::new()
                }
            };
            Ok(Slot {
                name: name.clone(),
                var: var.clone(),
                memory: Memory::of([zeros(0), zeros(1)], var.shape(), var.device())?,
            })
        };
        Ok(Self {
            config,
            slots: parameters.iter().map(slot).collect::<Result<_>>()?,
            steps: 0,
        })
    }

    /// Changes every parameter that has a gradient.
    ///
    /// # Errors
    /// When a tensor operation fails.
    pub fn step(&mut self, gradients: &GradStore, learning_rate: f64) -> Result<()> {
        self.steps += 1;
        #[cfg(feature = "cuda")]
        let mut on_gpu = Vec::new();
        for slot in &mut self.slots {
            let Some(gradient) = gradients.get(&slot.var) else {
                continue;
            };
            let decays = self.config.decay_vectors || slot.var.rank() > 1;
            let decay = if decays { self.config.weight_decay } else { 0.0 };
            let update = Update::new(self.config.rule, learning_rate, decay, self.steps);
            let gradient = gradient.contiguous()?;
            match &mut slot.memory {
                Memory::Host(memory) => {
                    let memory = RefCell::new(memory);
                    slot.var.inplace_op2(&gradient, &InPlace { update, memory })?;
                }
                #[cfg(feature = "cuda")]
                Memory::Device(memory) => on_gpu.push(kernels::gpu_optimiser::Slot {
                    update,
                    values: slot.var.as_detached_tensor(),
                    gradient,
                    memory,
                }),
            }
        }
        #[cfg(feature = "cuda")]
        kernels::gpu_optimiser::step(&on_gpu)?;
        Ok(())
    }

    /// Number of steps made.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// A copy of what the optimiser remembers, on the CPU.
    ///
    /// # Errors
    /// When a tensor operation fails.
    pub fn state(&self) -> Result<OptimiserState> {
        let mut tensors = BTreeMap::new();
        for slot in &self.slots {
            for (i, kind) in self.config.rule.memory().iter().enumerate() {
                let tensor = slot.memory.tensor(i, slot.var.shape())?;
                tensors.insert(format!("{kind}/{}", slot.name), tensor);
            }
        }
        Ok(OptimiserState {
            steps: self.steps,
            tensors,
        })
    }

    /// Goes on from a stored state.
    ///
    /// # Errors
    /// [`Error::Tensors`] when it is the state of another rule or of other parameters; then nothing is changed.
    pub fn restore(&mut self, state: &OptimiserState) -> Result<()> {
        let mut mismatch = TensorMismatch::default();
        let mut restored = Vec::new();
        let mut unused: Vec<String> = state.tensors.keys().cloned().collect();
        for slot in &self.slots {
            let mut memory = [Vec::new(), Vec::new()];
            for (kind, values) in self.config.rule.memory().iter().zip(&mut memory) {
                let name = format!("{kind}/{}", slot.name);
                match state.tensors.get(&name) {
                    Some(tensor) if tensor.shape() == slot.var.shape() => *values = tensor.flatten_all()?.to_vec1()?,
                    Some(tensor) => {
                        mismatch
                            .shapes
                            .push((name.clone(), tensor.dims().to_vec(), slot.var.dims().to_vec()));
                    }
                    None => mismatch.missing.push(name.clone()),
                }
                unused.retain(|other| *other != name);
            }
            restored.push(memory);
        }
        mismatch.extra = unused;
        if !mismatch.is_empty() {
            return Err(Error::Tensors(mismatch));
        }
        let memories: Vec<Memory> = self
            .slots
            .iter()
            .zip(restored)
            .map(|(slot, values)| Memory::of(values, slot.var.shape(), slot.var.device()))
            .collect::<candle_core::Result<_>>()?;
        for (slot, memory) in self.slots.iter_mut().zip(memories) {
            slot.memory = memory;
        }
        self.steps = state.steps;
        Ok(())
    }
}

/// [`Update::apply`] on a parameter's own memory.
struct InPlace<'a> {
    update: Update,
    memory: RefCell<&'a mut [Vec<f32>; 2]>,
}

impl InplaceOp2 for InPlace<'_> {
    fn name(&self) -> &'static str {
        "optimiser step"
    }

    fn cpu_fwd(
        &self,
        values: &mut CpuStorage,
        values_layout: &Layout,
        gradient: &CpuStorage,
        gradient_layout: &Layout,
    ) -> candle_core::Result<()> {
        let (CpuStorage::F32(values), CpuStorage::F32(gradient)) = (values, gradient) else {
            candle_core::bail!("optimiser step: parameter and gradient must be float32");
        };
        let ranges = (values_layout.contiguous_offsets(), gradient_layout.contiguous_offsets());
        let (Some((start, end)), Some((gradient_start, gradient_end))) = ranges else {
            candle_core::bail!("optimiser step: parameter and gradient must be contiguous");
        };
        let gradient = &gradient[gradient_start..gradient_end];
        self.update
            .apply(&mut values[start..end], gradient, &mut self.memory.borrow_mut());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_can_be_spared_from_decay() {
        let config = OptimiserConfig {
            decay_vectors: false,
            ..OptimiserConfig::sgd(0.0).with_weight_decay(0.5)
        };
        let vector = Var::new(&[1.0_f32], &Device::Cpu).unwrap();
        let matrix = Var::new(&[[1.0_f32]], &Device::Cpu).unwrap();
        let parameters = [("v".to_owned(), vector.clone()), ("m".to_owned(), matrix.clone())];
        let mut optimiser = Optimiser::new(config, &parameters).unwrap();
        let sum = (vector.sum_all().unwrap() + matrix.sum_all().unwrap()).unwrap();
        optimiser.step(&sum.backward().unwrap(), 0.5).unwrap();
        assert_eq!(vector.to_vec1::<f32>().unwrap(), [0.5]);
        assert_eq!(matrix.to_vec2::<f32>().unwrap(), [[0.25]]);
    }

    #[test]
    fn a_restored_optimiser_goes_on_exactly() {
        for config in [
            OptimiserConfig::sgd(0.9),
            OptimiserConfig::rms_prop(),
            OptimiserConfig::adam_w(),
        ] {
            let var = Var::new(&[[1.0_f32, -2.0], [0.5, 3.0]], &Device::Cpu).unwrap();
            let parameters = [("p".to_owned(), var.clone())];
            let mut first = Optimiser::new(config, &parameters).unwrap();
            let step = |optimiser: &mut Optimiser| {
                let gradients = var.sqr().unwrap().sum_all().unwrap().backward().unwrap();
                optimiser.step(&gradients, 0.01).unwrap();
            };
            step(&mut first);
            let (state, kept) = (first.state().unwrap(), var.copy().unwrap());
            step(&mut first);
            let expected = var.to_vec2::<f32>().unwrap();
            var.set(&kept).unwrap();
            let mut second = Optimiser::new(config, &parameters).unwrap();
            second.restore(&state).unwrap();
            step(&mut second);
            assert_eq!(var.to_vec2::<f32>().unwrap(), expected);
        }
    }

    #[test]
    fn the_state_of_another_rule_is_refused() {
        let parameters = [("p".to_owned(), Var::new(&[1.0_f32], &Device::Cpu).unwrap())];
        let state = Optimiser::new(OptimiserConfig::adam(), &parameters)
            .unwrap()
            .state()
            .unwrap();
        let mut other = Optimiser::new(OptimiserConfig::sgd(0.9), &parameters).unwrap();
        let message = other.restore(&state).unwrap_err().to_string();
        assert!(
            message.contains("1 missing (momentum/p); 2 unknown (mean/p, square/p)"),
            "{message}"
        );
    }
}
