//! A step of an optimiser, on the CPU or on a GPU.

use std::cell::RefCell;

#[cfg(feature = "cuda")]
use candle_core::DType;
use candle_core::{Device, Result, Tensor, Var, bail};
use rayon::prelude::*;

#[cfg(feature = "cuda")]
use super::cuda;
use super::in_place::InPlace;
use super::rule::{Rule, Update};

/// What a rule remembers of a parameter, where the parameter is.
#[derive(Debug)]
pub struct Memory(Kept);

/// The second is empty for rules with one memory.
#[derive(Debug)]
enum Kept {
    Host([Vec<f32>; 2]),
    /// Of the parameter's shape.
    #[cfg(feature = "cuda")]
    Device([Tensor; 2]),
}

impl Memory {
    /// Of what a rule remembers before its first step: zeros.
    ///
    /// # Errors
    /// When there is no room for it on the parameter's device.
    pub fn zeros(rule: Rule, parameter: &Var) -> Result<Self> {
        let kinds = rule.memory().len();
        let zeros = |kind| vec![0.0; if kind < kinds { parameter.elem_count() } else { 0 }];
        Self::of([zeros(0), zeros(1)], parameter)
    }

    /// Of these values, as many as the parameter's under each name of [`Rule::memory`]; the second are none for rules with one memory.
    ///
    /// # Errors
    /// Values of another number, and when there is no room for them on the parameter's device.
    pub fn of(values: [Vec<f32>; 2], parameter: &Var) -> Result<Self> {
        let (elements, lengths) = (parameter.elem_count(), values.each_ref().map(Vec::len));
        if lengths[0] != elements || ![0, elements].contains(&lengths[1]) {
            bail!("optimiser: expected {elements} values of each kind, got {lengths:?}");
        }
        match parameter.device() {
            #[cfg(feature = "cuda")]
            device @ Device::Cuda(_) => {
                let [first, second] = values;
                let tensor = |values: Vec<f32>| match values.is_empty() {
                    true => Tensor::zeros(0, DType::F32, device),
                    false => Tensor::from_vec(values, parameter.shape(), device),
                };
                Ok(Self(Kept::Device([tensor(first)?, tensor(second)?])))
            }
            _ => Ok(Self(Kept::Host(values))),
        }
    }

    /// A copy on the CPU of what is remembered under the name number `kind` of [`Rule::memory`], in the parameter's shape.
    ///
    /// # Errors
    /// When the copy fails.
    pub fn tensor(&self, kind: usize, parameter: &Var) -> Result<Tensor> {
        match &self.0 {
            Kept::Host(values) => Tensor::from_slice(&values[kind], parameter.shape(), &Device::Cpu),
            #[cfg(feature = "cuda")]
            Kept::Device(tensors) => tensors[kind].to_device(&Device::Cpu),
        }
    }
}

/// A parameter, its gradient, and what the rule remembers of it.
#[derive(Debug)]
pub struct Slot<'a> {
    /// The rule and the numbers of this step.
    pub update: Update,
    /// The parameter, contiguous float32.
    pub values: &'a Var,
    /// Of the parameter's shape and type.
    pub gradient: &'a Tensor,
    /// Of the parameter.
    pub memory: &'a mut Memory,
}

/// Changes all parameters, each of which has one slot, and what is remembered of them; on the CPU by one pass over memory each, on a GPU
/// by one kernel for all. The rules of the updates are one, of one step, and the parameters are on one device.
///
/// # Errors
/// Types and sizes that do not fit each other.
pub fn step<'a>(slots: impl IntoIterator<Item = Slot<'a>>) -> Result<()> {
    let mut on_host = Vec::new();
    #[cfg(feature = "cuda")]
    let mut on_gpu = Vec::new();
    for slot in slots {
        let Slot { update, values, .. } = slot;
        let gradient = slot.gradient.contiguous()?;
        match &mut slot.memory.0 {
            Kept::Host(memory) => on_host.push((update, values, gradient, memory)),
            #[cfg(feature = "cuda")]
            Kept::Device(memory) => on_gpu.push(cuda::Slot {
                update,
                values: values.as_detached_tensor(),
                gradient,
                memory,
            }),
        }
    }
    // All at once: most parameters are too small to be divided among many threads.
    on_host
        .into_par_iter()
        .try_for_each(|(update, values, gradient, memory)| {
            let memory = RefCell::new(memory);
            values.inplace_op2(&gradient, &InPlace { update, memory })
        })?;
    #[cfg(feature = "cuda")]
    cuda::step(&on_gpu)?;
    Ok(())
}
