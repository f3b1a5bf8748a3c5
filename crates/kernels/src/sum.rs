//! Sums of gradients.

use crate::host::Unwritten;
use crate::parallel::Division;
use crate::simd::{InstructionSet, Kernel, LANES, Lanes};
use candle_core::{CpuStorage, CustomOp2, Layout, Result, Shape, Tensor, bail};

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

/// Stretches of so many elements, in vectors.
pub(crate) fn division(elements: usize) -> Division {
    Division {
        pieces: 1,
        units: elements.div_ceil(LANES),
        cost: 4,
    }
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
        let (CpuStorage::F32(first), CpuStorage::F32(second)) = (first, second) else {
            bail!("gradients must be float32");
        };
        let ranges = (first_layout.contiguous_offsets(), second_layout.contiguous_offsets());
        let (Some((start, end)), Some((second_start, second_end))) = ranges else {
            bail!("gradients must be contiguous");
        };
        let (first, second) = (&first[start..end], &second[second_start..second_end]);
        let set = InstructionSet::detect();
        let mut sums = Unwritten::new(first.len());
        let pointer = sums.pointer();
        division(first.len()).for_each(|_, vectors| {
            let of = vectors.start * LANES..(vectors.end * LANES).min(first.len());
            let kernel = Add {
                first: &first[of.clone()],
                second: &second[of.clone()],
                // SAFETY: within the sums.
                sums: unsafe { pointer.at(of.start) },
            };
            // SAFETY: the set is supported, and this stretch of the sums is this task's alone.
            unsafe { set.run(kernel) }
        });
        // SAFETY: the tasks cover all elements.
        let sums = unsafe { sums.finish() };
        Ok((CpuStorage::F32(sums), first_layout.shape().clone()))
    }
}

/// `sums = first + second`. All are of one length.
struct Add<'a> {
    first: &'a [f32],
    second: &'a [f32],
    sums: *mut f32,
}

impl Kernel for Add<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Lanes>(self) {
        let length = self.first.len();
        for at in (0..length).step_by(LANES) {
            let present = length - at;
            // SAFETY: both slices, and the sums, have so many floats behind `at`.
            unsafe {
                let first = V::load_partial(self.first.as_ptr().add(at), present);
                let second = V::load_partial(self.second.as_ptr().add(at), present);
                first.add(second).store_partial(self.sums.add(at), present);
            }
        }
    }
}
