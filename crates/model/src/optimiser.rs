//! Optimisers: an update rule for every parameter of a network, and what it remembers.

use std::collections::BTreeMap;

use candle_core::backprop::GradStore;
use candle_core::{Tensor, Var};
use kernels::optimiser::{self, Memory, Rule, Update};
use serde::{Deserialize, Serialize};

use crate::error::TensorMismatch;
use crate::{Error, Result};

/// The optimisers by name, with PyTorch's definitions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum OptimiserKind {
    /// Stochastic gradient descent with momentum.
    Sgd,
    /// RMSprop.
    #[serde(rename = "rmsprop")]
    RmsProp,
    /// Adam with decoupled weight decay.
    #[serde(rename = "adamw")]
    AdamW,
}

/// An update rule and its weight decay d.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OptimiserConfig {
    /// The rule.
    pub rule: Rule,
    /// d >= 0: added as d p to the gradient, or with decoupled decay p -= r d p before the update.
    pub weight_decay: f64,
    /// Whether biases and batch norms' weights decay too, as they do in PyTorch unless told otherwise.
    pub decay_vectors: bool,
}

impl OptimiserConfig {
    /// An optimiser with PyTorch's defaults but for the momentum, if it has one, and without decay.
    pub fn of(kind: OptimiserKind, momentum: f64) -> Self {
        match kind {
            OptimiserKind::Sgd => Self::sgd(momentum),
            OptimiserKind::RmsProp => Self::new(Rule::RmsProp {
                alpha: 0.99,
                epsilon: 1e-8,
                momentum,
            }),
            OptimiserKind::AdamW => Self::adam_w(),
        }
    }

    /// Stochastic gradient descent with momentum, without decay.
    pub fn sgd(momentum: f64) -> Self {
        Self::new(Rule::Sgd { momentum })
    }

    /// AdamW with PyTorch's defaults, but without decay (PyTorch: 0.01).
    pub fn adam_w() -> Self {
        Self::new(Rule::Adam {
            betas: [0.9, 0.999],
            epsilon: 1e-8,
            decoupled: true,
        })
    }

    fn new(rule: Rule) -> Self {
        Self {
            rule,
            weight_decay: 0.0,
            decay_vectors: true,
        }
    }

    /// The same with a weight decay.
    #[must_use]
    pub fn with_weight_decay(mut self, weight_decay: f64) -> Self {
        self.weight_decay = weight_decay;
        self
    }

    /// Checks every setting.
    ///
    /// # Errors
    /// [`Error::Setting`] with the name of the first one that is out of range.
    pub fn validate(&self) -> Result<()> {
        let fraction = |name: &str, value: f64| {
            let expected = "at least 0 and below 1";
            if (0.0..1.0).contains(&value) {
                Ok(())
            } else {
                Err(Error::setting(name, value, expected))
            }
        };
        let positive = |name: &str, value: f64| {
            if value.is_finite() && value > 0.0 {
                Ok(())
            } else {
                Err(Error::setting(name, value, "more than 0"))
            }
        };
        if !self.weight_decay.is_finite() || self.weight_decay < 0.0 {
            return Err(Error::setting("weight_decay", self.weight_decay, "at least 0"));
        }
        match self.rule {
            Rule::Sgd { momentum } => fraction("momentum", momentum),
            Rule::RmsProp {
                alpha,
                epsilon,
                momentum,
            } => {
                fraction("alpha", alpha)?;
                positive("epsilon", epsilon)?;
                fraction("momentum", momentum)
            }
            Rule::Adam { betas, epsilon, .. } => {
                fraction("betas[0]", betas[0])?;
                fraction("betas[1]", betas[1])?;
                positive("epsilon", epsilon)
            }
        }
    }
}

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

impl Optimiser {
    /// An optimiser of the given parameters that remembers nothing yet.
    ///
    /// # Errors
    /// Like [`OptimiserConfig::validate`].
    pub fn new(config: OptimiserConfig, parameters: &[(String, Var)]) -> Result<Self> {
        config.validate()?;
        let slot = |(name, var): &(String, Var)| {
            Ok(Slot {
                name: name.clone(),
                memory: Memory::zeros(config.rule, var)?,
                var: var.clone(),
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
        let changed = self.slots.iter_mut().filter_map(|slot| {
            let gradient = gradients.get(&slot.var)?;
            let decays = self.config.decay_vectors || slot.var.rank() > 1;
            let decay = if decays { self.config.weight_decay } else { 0.0 };
            Some(optimiser::Slot {
                update: Update::new(self.config.rule, learning_rate, decay, self.steps),
                values: &slot.var,
                gradient,
                memory: &mut slot.memory,
            })
        });
        Ok(optimiser::step(changed)?)
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
                let tensor = slot.memory.tensor(i, &slot.var)?;
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
            .map(|(slot, values)| Memory::of(values, &slot.var))
            .collect::<candle_core::Result<_>>()?;
        for (slot, memory) in self.slots.iter_mut().zip(memories) {
            slot.memory = memory;
        }
        self.steps = state.steps;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

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
            OptimiserConfig::of(OptimiserKind::RmsProp, 0.0),
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
        let state = Optimiser::new(OptimiserConfig::adam_w(), &parameters)
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

    #[test]
    fn settings_out_of_range_are_refused() {
        let refused = [
            OptimiserConfig::sgd(1.0),
            OptimiserConfig::sgd(f64::NAN),
            OptimiserConfig::adam_w().with_weight_decay(-1.0),
            OptimiserConfig::new(Rule::RmsProp {
                alpha: 0.9,
                epsilon: 0.0,
                momentum: 0.0,
            }),
            OptimiserConfig::new(Rule::Adam {
                betas: [0.9, 1.0],
                epsilon: 1e-8,
                decoupled: true,
            }),
        ];
        assert!(refused.iter().all(|config| config.validate().is_err()));
    }
}
