//! Optimisers: an update rule for every parameter of a network, and what it remembers.

use std::cell::RefCell;
use std::collections::BTreeMap;

use candle_core::backprop::GradStore;
use candle_core::{CpuStorage, Device, InplaceOp2, Layout, Tensor, Var};

use crate::error::TensorMismatch;
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
/// On the CPU one pass over memory per parameter; elsewhere gradients and parameters travel to the host and back.
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
    memory: [Vec<f32>; 2],
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
            Slot {
                name: name.clone(),
                var: var.clone(),
                memory: [zeros(0), zeros(1)],
            }
        };
        Ok(Self {
            config,
            slots: parameters.iter().map(slot).collect(),
            steps: 0,
        })
    }

    /// Changes every parameter that has a gradient.
    ///
    /// # Errors
    /// When a tensor operation fails.
    pub fn step(&mut self, gradients: &GradStore, learning_rate: f64) -> Result<()> {
        self.steps += 1;
        for slot in &mut self.slots {
            let Some(gradient) = gradients.get(&slot.var) else {
                continue;
            };
            let decays = self.config.decay_vectors || slot.var.rank() > 1;
            let decay = if decays { self.config.weight_decay } else { 0.0 };
            let update = Update::new(self.config.rule, learning_rate, decay, self.steps);
            let gradient = gradient.contiguous()?;
            let memory = RefCell::new(&mut slot.memory);
            if matches!(slot.var.device(), Device::Cpu) {
                slot.var.inplace_op2(&gradient, &InPlace { update, memory })?;
            } else {
                let mut values = slot.var.flatten_all()?.to_vec1()?;
                update.apply(&mut values, &gradient.flatten_all()?.to_vec1()?, memory.into_inner());
                slot.var
                    .set(&Tensor::from_vec(values, slot.var.shape(), slot.var.device())?)?;
            }
        }
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
            for (kind, values) in self.config.rule.memory().iter().zip(&slot.memory) {
                let tensor = Tensor::from_slice(values, slot.var.shape(), &Device::Cpu)?;
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
        for (slot, memory) in self.slots.iter_mut().zip(restored) {
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
