//! Which of cuDNN's engines does a convolution, found once for each shape and kept.

use std::cell::RefCell;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

use candle_core::cuda_backend::cudarc::cudnn::CudnnDataType;
use candle_core::cuda_backend::cudarc::driver::sys::CUevent_flags;
use candle_core::cuda_backend::cudarc::driver::{CudaSlice, CudaView, DevicePtr, DevicePtrMut, DeviceRepr};
use candle_core::cuda_backend::{CudaDType, DeviceId, WrapErr};
use candle_core::{CudaDevice, Error, Result};
use half::bf16;

use super::engines::{Direction, MODES, Plan, Problem, candidates};
use super::graph::{Handle, Pointer};
use crate::convolution::geometry::{Engines, Geometry};

/// How many plans are timed. The heuristics' first ones are close to each other, and those behind are seldom the
/// fastest.
const MOST_TIMED: usize = 8;

/// How often each is timed, after a run that loads its kernels.
const TIMED_RUNS: u8 = 3;

/// The types of images and weights. Sums are float32's.
pub(in crate::convolution) trait Number: CudnnDataType + CudaDType + DeviceRepr {}

impl Number for f32 {}

impl Number for bf16 {}

/// cuDNN on one device and one thread: a handle cannot be shared between threads.
struct Library {
    /// Given back before the handle.
    plans: HashMap<Problem, Plan>,
    handle: Handle,
    workspace: Workspace,
}

/// Scratch memory for all convolutions, which come one after the other.
struct Workspace(CudaSlice<u8>);

/// `y` of `x` and the packed weight.
pub(in crate::convolution) fn forward<T: Number>(
    device: &CudaDevice,
    of: Geometry,
    engines: Engines,
    x: &CudaView<'_, T>,
    packed: &CudaView<'_, T>,
    y: &mut CudaSlice<T>,
) -> Result<()> {
    let stream = device.cuda_stream();
    let ((x, _x), (w, _w), (y, _y)) = (
        x.device_ptr(&stream),
        packed.device_ptr(&stream),
        y.device_ptr_mut(&stream),
    );
    // SAFETY: the slices have the convolution's sizes, as the caller checks or has made them; work is done in the stream's
    // order.
    unsafe { run::<T>(device, of, engines, Direction::Forward, [x, w, y]) }
}

/// The gradient of `x`, of the packed weight and the gradient of `y`.
pub(in crate::convolution) fn data_gradient<T: Number>(
    device: &CudaDevice,
    of: Geometry,
    engines: Engines,
    packed: &CudaView<'_, T>,
    gradient: &CudaView<'_, T>,
    of_x: &mut CudaSlice<T>,
) -> Result<()> {
    let stream = device.cuda_stream();
    let ((x, _x), (w, _w), (y, _y)) = (
        of_x.device_ptr_mut(&stream),
        packed.device_ptr(&stream),
        gradient.device_ptr(&stream),
    );
    // SAFETY: as in `forward`.
    unsafe { run::<T>(device, of, engines, Direction::Data, [x, w, y]) }
}

/// The gradient of the packed weight, of `x` and the gradient of `y`.
pub(in crate::convolution) fn weight_gradient<T: Number>(
    device: &CudaDevice,
    of: Geometry,
    engines: Engines,
    x: &CudaView<'_, T>,
    gradient: &CudaView<'_, T>,
    of_packed: &mut CudaSlice<T>,
) -> Result<()> {
    let stream = device.cuda_stream();
    let ((x, _x), (w, _w), (y, _y)) = (
        x.device_ptr(&stream),
        of_packed.device_ptr_mut(&stream),
        gradient.device_ptr(&stream),
    );
    // SAFETY: as in `forward`.
    unsafe { run::<T>(device, of, engines, Direction::Weight, [x, w, y]) }
}

/// Does a convolution with the plan for it on this thread, which is found where there is none yet.
///
/// # Safety
/// `x`, `w` and `y` or their gradients are at the addresses, in the convolution's sizes, for work in the stream's order.
unsafe fn run<T: Number>(
    device: &CudaDevice,
    of: Geometry,
    engines: Engines,
    direction: Direction,
    tensors: [u64; 3],
) -> Result<()> {
    thread_local! {
        static LIBRARIES: RefCell<HashMap<DeviceId, Library>> = RefCell::default();
    }
    let problem = Problem {
        of,
        engines,
        direction,
        element: T::DATA_TYPE,
        alignments: tensors.map(alignment),
    };
    let tensors = tensors.map(Pointer);
    LIBRARIES.with(|libraries| {
        let mut libraries = libraries.borrow_mut();
        let library = match libraries.entry(device.id()) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => entry.insert(Library::new(device)?),
        };
        // SAFETY: the caller's promise.
        unsafe { library.run(device, problem, tensors) }
    })
}

/// The largest power of two that divides an address, up to the 16 bytes that a thread loads at once.
fn alignment(address: u64) -> i64 {
    1 << address.trailing_zeros().min(4)
}

impl Library {
    fn new(device: &CudaDevice) -> Result<Self> {
        Ok(Self {
            plans: HashMap::new(),
            handle: Handle::new(device.cuda_stream())?,
            workspace: Workspace::new(device)?,
        })
    }

    /// # Safety
    /// As [`Plan::run`], for a problem's plan.
    unsafe fn run(&mut self, device: &CudaDevice, problem: Problem, tensors: [Pointer; 3]) -> Result<()> {
        let Self {
            plans,
            handle,
            workspace,
        } = self;
        match plans.entry(problem) {
            Entry::Occupied(entry) => {
                let plan = entry.get();
                // SAFETY: the caller's promise.
                unsafe { plan.run(handle, tensors, workspace.of(device, plan.workspace)?) }
            }
            Entry::Vacant(entry) => {
                // SAFETY: the caller's promise.
                let plan = unsafe { choose(device, handle, workspace, &problem, tensors)? };
                entry.insert(plan);
                Ok(())
            }
        }
    }
}

/// Finds the plan for a problem, and has run it when it returns. Plans that cannot be made, or that fail when they are
/// run, are passed over.
///
/// # Safety
/// As [`Plan::run`], for a problem's plan. The handle is destroyed after the plan.
unsafe fn choose(
    device: &CudaDevice,
    handle: &Handle,
    workspace: &mut Workspace,
    problem: &Problem,
    tensors: [Pointer; 3],
) -> Result<Plan> {
    let timed = problem.engines.timed;
    let (deterministic, wanted) = match timed {
        false => (true, 1),
        true => (false, MOST_TIMED),
    };
    let mut found: Vec<(f32, Plan)> = Vec::new();
    let mut failure = None;
    // Others than the chosen one may want more memory, which need not stay.
    let mut scratch = Workspace::new(device)?;
    let mut run = |plan: Plan| -> Result<(f32, Plan)> {
        let time = match timed {
            false => {
                // SAFETY: the caller's promise.
                unsafe { plan.run(handle, tensors, workspace.of(device, plan.workspace)?)? };
                0.
            }
            // SAFETY: the caller's promise.
            true => unsafe { time(device, handle, &mut scratch, &plan, tensors)? },
        };
        Ok((time, plan))
    };
    for mode in MODES {
        // SAFETY: the caller's promise for the plan that is kept; the others are given back here.
        let plans = match unsafe { candidates(handle, problem, mode, deterministic) } {
            Ok(plans) => plans,
            Err(error) => {
                failure = Some(error);
                continue;
            }
        };
        for plan in plans {
            match plan.and_then(&mut run) {
                Ok(plan) => found.push(plan),
                Err(error) => failure = Some(error),
            }
            if found.len() == wanted {
                break;
            }
        }
        if !found.is_empty() {
            break;
        }
    }
    let Some((_, plan)) = found.into_iter().min_by(|a, b| a.0.total_cmp(&b.0)) else {
        return Err(no_engine(problem, failure));
    };
    if timed {
        // So that the first result, too, is that of the plan.
        // SAFETY: the caller's promise.
        unsafe { plan.run(handle, tensors, workspace.of(device, plan.workspace)?)? };
    }
    Ok(plan)
}

/// Microseconds of a run. It overwrites its result, and so may be repeated.
///
/// # Safety
/// As [`Plan::run`].
unsafe fn time(
    device: &CudaDevice,
    handle: &Handle,
    scratch: &mut Workspace,
    plan: &Plan,
    tensors: [Pointer; 3],
) -> Result<f32> {
    let stream = device.cuda_stream();
    let workspace = scratch.of(device, plan.workspace)?;
    // SAFETY: the caller's promise, and the workspace's size.
    let run = || unsafe { plan.run(handle, tensors, workspace) };
    // An event keeps no time unless it is asked to.
    let event = || stream.context().new_event(Some(CUevent_flags::CU_EVENT_DEFAULT)).w();
    let (start, end) = (event()?, event()?);
    run()?;
    start.record(&stream).w()?;
    for _ in 0..TIMED_RUNS {
        run()?;
    }
    end.record(&stream).w()?;
    let milliseconds = start.elapsed_ms(&end).w()?;
    Ok(milliseconds * 1000. / f32::from(TIMED_RUNS))
}

fn no_engine(problem: &Problem, failure: Option<Error>) -> Error {
    let reason = match failure {
        Some(error) => error.to_string(),
        None => "none that is precise or deterministic enough".to_string(),
    };
    Error::Msg(format!("conv2d (cuDNN): no engine for {problem:?}: {reason}"))
}

impl Workspace {
    fn new(device: &CudaDevice) -> Result<Self> {
        Ok(Self(device.alloc_zeros(1)?))
    }

    /// The address of at least that many bytes. Memory that has become too small is given back in the stream's order:
    /// when the work before is done.
    fn of(&mut self, device: &CudaDevice, bytes: usize) -> Result<Pointer> {
        if self.0.len() < bytes {
            // SAFETY: cuDNN does not read what it has not written.
            self.0 = unsafe { device.alloc::<u8>(bytes)? };
        }
        Ok(Pointer(self.0.device_ptr(&device.cuda_stream()).0))
    }
}
