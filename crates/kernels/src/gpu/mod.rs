//! NVIDIA GPUs: what starts kernels, and the kernels themselves, which are the `.cu` and `.cuh` files here.
//!
//! The code that puts the kernels together to layers, `gpu.rs` beside each layer, starts them in order on whatever `Machine`: a GPU,
//! or the CPU in the tests, which compile the same sources with a C++ compiler. So all but the driver's part is tested without a GPU.
//! Convolution is cuDNN's. All work is on candle's one stream of a device; images are channels-last and contiguous, in float32 or
//! bfloat16; parameters, statistics and sums are float32.
//!
//! Results do not depend on the GPU: sizes of grids, and with them the order of sums, follow from the shapes.

mod device;
#[cfg(feature = "cuda")]
mod driver;
#[cfg(any(feature = "cuda", all(test, unix)))]
mod machine;
#[cfg(feature = "cuda")]
mod module;
#[cfg(feature = "cuda")]
mod nvidia;

pub use device::gpu;
#[cfg(any(feature = "cuda", all(test, unix)))]
pub(crate) use machine::{Address, Argument, BLOCK, Element, Machine, Matrix, arguments};
#[cfg(feature = "cuda")]
pub(crate) use nvidia::{Operand, address, element_of, tensor, unwritten};
