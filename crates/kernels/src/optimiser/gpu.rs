//! One step of an optimiser for all parameters at once: the kernels of `optimiser.cuh`.

use super::rule::{Rule, Update};
use crate::gpu::{Address, Machine, arguments};
use candle_core::{Result, bail};

/// Elements that a block changes, `CHUNK` of `optimiser.cuh`.
const CHUNK: usize = 4096;

/// A parameter as `Parameter` of `optimiser.cuh`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parameter {
    values: u64,
    gradient: u64,
    first: u64,
    second: u64,
    elements: u32,
    first_chunk: u32,
    coupled_decay: f32,
    kept: f32,
}

/// The parameters of a step, each with the blocks that change it.
#[derive(Debug, Default)]
pub(crate) struct Step {
    parameters: Vec<Parameter>,
    chunks: u32,
}

impl Step {
    /// Adds a parameter, its gradient and what the rule remembers, `elements` float32 numbers each; a rule with one memory has
    /// [`Address::NONE`] as its second.
    pub(crate) fn add(
        &mut self,
        update: &Update,
        elements: usize,
        [values, gradient, first, second]: [Address; 4],
    ) -> Result<()> {
        let (Ok(count), Ok(chunks)) = (u32::try_from(elements), u32::try_from(elements.div_ceil(CHUNK))) else {
            bail!("optimiser step: expected a parameter of fewer than 2^32 elements, got {elements}");
        };
        self.parameters.push(Parameter {
            values: values.0,
            gradient: gradient.0,
            first: first.0,
            second: second.0,
            elements: count,
            first_chunk: self.chunks,
            coupled_decay: update.coupled_decay,
            kept: update.kept,
        });
        self.chunks += chunks;
        Ok(())
    }

    /// The table that [`Step::run`] wants in the machine's memory.
    pub(crate) fn table(&self) -> &[Parameter] {
        &self.parameters
    }

    /// Changes all parameters; rate and corrections are those of `update`, whose decay does not count here.
    ///
    /// # Safety
    /// `table` is the address of a copy of [`Step::table`], and the addresses in it are of such arrays.
    pub(crate) unsafe fn run<M: Machine>(&self, machine: &M, update: &Update, table: Address) -> Result<()> {
        if self.chunks == 0 {
            return Ok(());
        }
        let count = self.parameters.len() as u32;
        let grid = [self.chunks, 1];
        // In float64 until here, as on the CPU.
        let rest = |share: f64| (1.0 - share) as f32;
        // SAFETY: the kernels' own arguments, and the caller's promise.
        unsafe {
            match update.rule {
                Rule::Sgd { momentum } => machine.launch(
                    "sgd_step",
                    grid,
                    arguments![table, count, update.learning_rate, momentum as f32],
                ),
                Rule::RmsProp {
                    alpha,
                    epsilon,
                    momentum,
                } => machine.launch(
                    "rms_prop_step",
                    grid,
                    arguments![
                        table,
                        count,
                        update.learning_rate,
                        alpha as f32,
                        rest(alpha),
                        momentum as f32,
                        epsilon as f32
                    ],
                ),
                Rule::Adam {
                    betas: [first, second],
                    epsilon,
                    ..
                } => {
                    let [rate, root] = update.corrections;
                    machine.launch(
                        "adam_step",
                        grid,
                        arguments![
                            table,
                            count,
                            rate,
                            rest(first),
                            second as f32,
                            rest(second),
                            root,
                            epsilon as f32
                        ],
                    )
                }
            }
        }
    }
}
