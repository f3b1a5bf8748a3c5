//! The engines of cuDNN that can do a convolution, each adjusted as cuDNN's heuristics say, the most promising one
//! first.

use std::rc::Rc;

use candle_core::cuda_backend::cudarc::cudnn::sys;
use candle_core::{Result, bail};

use super::graph::{Attribute, Descriptor, Handle, Kind, Note, Pointer};
use crate::convolution::geometry::{Engines, Geometry};
use crate::dims::Dims;
use sys::cudnnBackendHeurMode_t as Mode;
use sys::cudnnBackendNumericalNote_t as Numerical;

/// The most scratch memory that a plan may want. All plans share one buffer, which is as large as the largest needs. For
/// a ResNet-50 and 256 images the engines made for channels-last want a few MiB. Those that transpose want copies of
/// their tensors: with 1 GiB most of them are there to choose from, and it is little of the memory of such a GPU.
const MOST_WORKSPACE: usize = 1 << 30;

/// How many configurations the heuristics are asked for: more than they know. Those with tensor cores come first, and
/// strict float32 may have none of them.
const MOST_CONFIGURATIONS: usize = 128;

/// What a convolution computes of its three tensors `x`, `w` and `y`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Direction {
    /// `y` of `x` and `w`.
    Forward,
    /// The gradient of `x`, of `w` and the gradient of `y`.
    Data,
    /// The gradient of `w`, of `x` and the gradient of `y`.
    Weight,
}

/// What a plan is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Problem {
    pub of: Geometry,
    pub engines: Engines,
    pub direction: Direction,
    /// Of all three tensors.
    pub element: sys::cudnnDataType_t,
    /// In bytes, of `x`, `w` and `y`: engines that load wide words want it, and a view may start anywhere.
    pub alignments: [i64; 3],
}

/// An engine that can do a problem, ready to run.
pub(super) struct Plan {
    descriptor: Rc<Descriptor>,
    /// Bytes of scratch memory.
    pub workspace: usize,
}

/// How cuDNN is told which tensor is which.
const NAMES: [i64; 3] = [b'x' as i64, b'w' as i64, b'y' as i64];

/// The heuristics, in the order to ask them. The second ones know engines that can do everything, slowly.
pub(super) const MODES: [Mode; 2] = [Mode::CUDNN_HEUR_MODE_A, Mode::CUDNN_HEUR_MODE_FALLBACK];

/// The plans for a problem that are allowed, best guess first, each made when it is asked for. One that cannot be made
/// is an error among them.
///
/// # Safety
/// The handle is destroyed after the plans.
pub(super) unsafe fn candidates<'a>(
    handle: &'a Handle,
    problem: &Problem,
    mode: Mode,
    deterministic: bool,
) -> Result<impl Iterator<Item = Result<Plan>> + use<'a>> {
    // SAFETY: the caller's promise.
    let graph = unsafe { problem.graph(handle)? };
    let excluded = problem.excluded(deterministic);
    let configurations = configurations(&graph, mode)?;
    Ok(configurations.into_iter().filter_map(move |configuration| {
        // SAFETY: the caller's promise.
        unsafe { Plan::new(handle, configuration, &excluded) }.transpose()
    }))
}

/// The engines that the heuristics propose, with their knobs set.
fn configurations(graph: &Rc<Descriptor>, mode: Mode) -> Result<Vec<Rc<Descriptor>>> {
    Descriptor::new(Kind::CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR)?
        .with_part(Attribute::CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, graph)?
        .with(Attribute::CUDNN_ATTR_ENGINEHEUR_MODE, &[mode])?
        .finalize()?
        .read_parts(
            Attribute::CUDNN_ATTR_ENGINEHEUR_RESULTS,
            Kind::CUDNN_BACKEND_ENGINECFG_DESCRIPTOR,
            MOST_CONFIGURATIONS,
        )
}

impl Problem {
    /// The convolution as a graph of one operation.
    ///
    /// # Safety
    /// The handle is destroyed after the graph.
    unsafe fn graph(&self, handle: &Handle) -> Result<Rc<Descriptor>> {
        use Attribute as A;
        let Geometry {
            source, output, filter, ..
        } = self.of;
        // A packed weight is laid out as an image of each output channel.
        let filter = Dims {
            images: filter.outputs,
            height: filter.height,
            width: filter.width,
            channels: filter.inputs,
        };
        let [x, w, y] = [
            self.tensor(0, source)?,
            self.tensor(1, filter)?,
            self.tensor(2, output)?,
        ];
        let (kind, [of_x, of_w, of_y, convolution, alpha, beta]) = match self.direction {
            Direction::Forward => (
                Kind::CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR,
                [
                    A::CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X,
                    A::CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W,
                    A::CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y,
                    A::CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC,
                    A::CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA,
                    A::CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA,
                ],
            ),
            Direction::Data => (
                Kind::CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR,
                [
                    A::CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX,
                    A::CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W,
                    A::CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY,
                    A::CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC,
                    A::CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA,
                    A::CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA,
                ],
            ),
            Direction::Weight => (
                Kind::CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR,
                [
                    A::CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X,
                    A::CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW,
                    A::CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY,
                    A::CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC,
                    A::CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_ALPHA,
                    A::CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_BETA,
                ],
            ),
        };
        // The new content counts once, and the old one not at all.
        let operation = Descriptor::new(kind)?
            .with_part(of_x, &x)?
            .with_part(of_w, &w)?
            .with_part(of_y, &y)?
            .with_part(convolution, &self.convolution()?)?
            .with(alpha, &[1_f32])?
            .with(beta, &[0_f32])?
            .finalize()?;
        let graph = Descriptor::new(Kind::CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR)?
            .with_part(A::CUDNN_ATTR_OPERATIONGRAPH_OPS, &operation)?;
        // SAFETY: the caller's promise.
        unsafe { graph.with_handle(A::CUDNN_ATTR_OPERATIONGRAPH_HANDLE, handle)? }.finalize()
    }

    /// The tensor at a place of [`NAMES`]. cuDNN states dimensions in the order N, C, H, W; the strides say that
    /// channels come last.
    fn tensor(&self, place: usize, dims: Dims) -> Result<Rc<Descriptor>> {
        let [images, channels, height, width] = int([dims.images, dims.channels, dims.height, dims.width])?;
        let strides = [height * width * channels, 1, width * channels, channels];
        Descriptor::new(Kind::CUDNN_BACKEND_TENSOR_DESCRIPTOR)?
            .with(Attribute::CUDNN_ATTR_TENSOR_DATA_TYPE, &[self.element])?
            .with(
                Attribute::CUDNN_ATTR_TENSOR_DIMENSIONS,
                &[images, channels, height, width],
            )?
            .with(Attribute::CUDNN_ATTR_TENSOR_STRIDES, &strides)?
            .with(Attribute::CUDNN_ATTR_TENSOR_UNIQUE_ID, &[NAMES[place]])?
            .with(Attribute::CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, &[self.alignments[place]])?
            .finalize()
    }

    /// Sums are float32's, whatever the type of the elements.
    fn convolution(&self) -> Result<Rc<Descriptor>> {
        let [stride, padding] = int([self.of.stride, self.of.padding])?;
        Descriptor::new(Kind::CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR)?
            .with(
                Attribute::CUDNN_ATTR_CONVOLUTION_COMP_TYPE,
                &[sys::cudnnDataType_t::CUDNN_DATA_FLOAT],
            )?
            .with(
                Attribute::CUDNN_ATTR_CONVOLUTION_CONV_MODE,
                &[sys::cudnnConvolutionMode_t::CUDNN_CROSS_CORRELATION],
            )?
            .with(Attribute::CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, &[2_i64])?
            .with(Attribute::CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, &[padding; 2])?
            .with(Attribute::CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, &[padding; 2])?
            .with(Attribute::CUDNN_ATTR_CONVOLUTION_DILATIONS, &[1_i64; 2])?
            .with(Attribute::CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, &[stride; 2])?
            .finalize()
    }

    /// Which engines may not be used: as PyTorch decides, which lets strict float32 have Winograd's transforms; and no
    /// sums of fewer than 32 bits in float32, of which PyTorch says nothing.
    fn excluded(&self, deterministic: bool) -> Vec<Note> {
        let mut notes = Vec::new();
        if deterministic {
            notes.push(Numerical::CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC);
        }
        if self.element == sys::cudnnDataType_t::CUDNN_DATA_FLOAT {
            notes.push(Numerical::CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS);
            notes.push(Numerical::CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION);
            if !self.engines.tf32 {
                notes.push(Numerical::CUDNN_NUMERICAL_NOTE_TENSOR_CORE);
            }
        }
        notes.into_iter().map(|note| Note(note as u32)).collect()
    }
}

/// As cuDNN takes sizes, though its engines count in 32 bits.
fn int<const N: usize>(values: [usize; N]) -> Result<[i64; N]> {
    let mut ints = [0; N];
    for (int, value) in ints.iter_mut().zip(values) {
        let Ok(value) = i32::try_from(value) else {
            bail!("conv2d (cuDNN): expected sizes below 2^31, got {value}")
        };
        *int = i64::from(value);
    }
    Ok(ints)
}

impl Plan {
    /// Of an engine whose notes are not among the excluded ones; `None` of another one.
    ///
    /// # Safety
    /// The handle is destroyed after the plan.
    unsafe fn new(handle: &Handle, configuration: Rc<Descriptor>, excluded: &[Note]) -> Result<Option<Self>> {
        let engine = engine(&configuration)?;
        if notes(&engine)?.iter().any(|note| excluded.contains(note)) {
            return Ok(None);
        }
        let plan = Descriptor::new(Kind::CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR)?
            .with_part(Attribute::CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, &configuration)?;
        // SAFETY: the caller's promise.
        let plan = unsafe { plan.with_handle(Attribute::CUDNN_ATTR_EXECUTION_PLAN_HANDLE, handle)? }.finalize()?;
        let workspace = plan.read_one::<i64>(Attribute::CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE)?;
        match usize::try_from(workspace) {
            Ok(workspace) if workspace <= MOST_WORKSPACE => Ok(Some(Self {
                descriptor: plan,
                workspace,
            })),
            _ => bail!("cuDNN: a plan wants {workspace} bytes of workspace, more than {MOST_WORKSPACE}"),
        }
    }

    /// Runs on `x`, `w` and `y`, and with scratch memory.
    ///
    /// # Safety
    /// Each has the size and the alignment that the problem states, the scratch memory is [`Self::workspace`] bytes
    /// large, and nothing else uses them before that work is done.
    pub unsafe fn run(&self, handle: &Handle, tensors: [Pointer; 3], workspace: Pointer) -> Result<()> {
        let pack = Descriptor::new(Kind::CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR)?
            .with(Attribute::CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, &tensors)?
            .with(Attribute::CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, &NAMES)?
            .with(Attribute::CUDNN_ATTR_VARIANT_PACK_WORKSPACE, &[workspace])?
            .finalize()?;
        // SAFETY: the caller's promise.
        unsafe { handle.execute(&self.descriptor, &pack) }
    }
}

/// More than there are kinds of notes.
const MOST_NOTES: usize = 64;

fn engine(configuration: &Rc<Descriptor>) -> Result<Rc<Descriptor>> {
    let engines = configuration.read_parts(
        Attribute::CUDNN_ATTR_ENGINECFG_ENGINE,
        Kind::CUDNN_BACKEND_ENGINE_DESCRIPTOR,
        1,
    )?;
    match engines.into_iter().next() {
        Some(engine) => Ok(engine),
        None => bail!("cuDNN: a configuration has no engine"),
    }
}

fn notes(engine: &Descriptor) -> Result<Vec<Note>> {
    engine.read(Attribute::CUDNN_ATTR_ENGINE_NUMERICAL_NOTE, MOST_NOTES)
}
