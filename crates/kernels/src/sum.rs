//! Sums of gradients.

use candle_core::{CpuStorage, CustomOp2, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;

/// The sum of tensors of one shape, of which there is at least one, in their order. Not differentiable.
///
/// # Errors
/// No tensor, and tensors of other shapes or types.
pub fn sum(tensors: &[Tensor]) -> Result<Tensor> {
    let Some((first, rest)) = tensors.split_first() else {
        bail!("sum: expected at least one tensor");
    };
    if let Some(other) = rest.iter().find(|other| other.dims() != first.dims()) {
        bail!(
            "sum: expected tensors of one shape, got {:?} and {:?}",
            first.dims(),
            other.dims()
        );
    }
    rest.iter()
        .try_fold(first.clone(), |sum, tensor| match sum.device().is_cpu() {
            true => sum.apply_op2_no_bwd(tensor, &Sum),
            false => sum + tensor,
        })
}

/// The sum of two tensors of one shape, on rayon's threads.
struct Sum;

impl CustomOp2 for Sum {
    fn name(&self) -> &'static str {
        "sum of gradients"
    }

    fn cpu_fwd(
        &self,
        first: &CpuStorage,
        first_layout: &Layout,
        second: &CpuStorage,
        second_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        const CHUNK: usize = 1 << 14;
        let (CpuStorage::F32(first), CpuStorage::F32(second)) = (first, second) else {
            bail!("gradients must be float32");
        };
        let ranges = (first_layout.contiguous_offsets(), second_layout.contiguous_offsets());
        let (Some((start, end)), Some((second_start, second_end))) = ranges else {
            bail!("gradients must be contiguous");
        };
        let (first, second) = (&first[start..end], &second[second_start..second_end]);
        let chunks = first.par_chunks(CHUNK).zip(second.par_chunks(CHUNK));
        let mut sums = vec![0.0; first.len()];
        sums.par_chunks_mut(CHUNK)
            .zip(chunks)
            .for_each(|(sums, (first, second))| {
                for ((sum, a), b) in sums.iter_mut().zip(first).zip(second) {
                    *sum = a + b;
                }
            });
        Ok((CpuStorage::F32(sums), first_layout.shape().clone()))
    }
}
