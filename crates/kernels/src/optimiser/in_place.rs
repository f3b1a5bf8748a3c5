//! An optimiser's step on the CPU.

use std::cell::RefCell;

use candle_core::{CpuStorage, InplaceOp2, Layout, Result, bail};

use super::rule::Update;

/// [`Update::apply`] on a parameter's own memory.
pub(super) struct InPlace<'a> {
    pub update: Update,
    pub memory: RefCell<&'a mut [Vec<f32>; 2]>,
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
    ) -> Result<()> {
        let (CpuStorage::F32(values), CpuStorage::F32(gradient)) = (values, gradient) else {
            bail!("optimiser step: parameter and gradient must be float32");
        };
        let ranges = (values_layout.contiguous_offsets(), gradient_layout.contiguous_offsets());
        let (Some((start, end)), Some((gradient_start, gradient_end))) = ranges else {
            bail!("optimiser step: parameter and gradient must be contiguous");
        };
        let gradient = &gradient[gradient_start..gradient_end];
        self.update
            .apply(&mut values[start..end], gradient, &mut self.memory.borrow_mut());
        Ok(())
    }
}
