//! Batches on their way to a GPU: pinned memory, a stream for copies beside the one for kernels, and two of each buffer, so that
//! a batch is copied while the one before is computed with.

use std::sync::Arc;

use candle_core::cuda_backend::WrapErr;
use candle_core::cuda_backend::cudarc::driver::result::{memcpy_dtod_async, memcpy_htod_async};
use candle_core::cuda_backend::cudarc::driver::{CudaEvent, CudaSlice, CudaStream, PinnedHostSlice};
use candle_core::{CudaDevice, Result, Tensor, bail};

use super::batch::SamplerInput;
use super::gpu::Sampling;
use crate::gpu::{Address, Element, address, tensor, unwritten};

/// Makes images of pixels on a GPU.
#[derive(Debug)]
pub(crate) struct GpuSampler {
    device: CudaDevice,
    /// Of copies alone.
    copies: Arc<CudaStream>,
    slots: [Slot; 2],
    next: usize,
}

/// A buffer here and one there.
#[derive(Debug)]
struct Slot {
    buffers: Option<Buffers>,
    /// The copy is done: the kernels wait for it, and the host before it writes into its buffer again.
    copied: CudaEvent,
    /// The kernels that read the GPU's buffer are done: the next copy waits for it.
    used: CudaEvent,
}

#[derive(Debug)]
struct Buffers {
    host: PinnedHostSlice<u8>,
    there: CudaSlice<u8>,
}

impl GpuSampler {
    pub(crate) fn new(device: &CudaDevice) -> Result<Self> {
        let stream = device.cuda_stream();
        let context = stream.context();
        let slot = || -> Result<Slot> {
            Ok(Slot {
                buffers: None,
                copied: context.new_event(None).w()?,
                used: context.new_event(None).w()?,
            })
        };
        Ok(Self {
            device: device.clone(),
            copies: context.new_stream().w()?,
            slots: [slot()?, slot()?],
            next: 0,
        })
    }

    /// Images `[N, 3, S, S]` and labels `[N, A]`, both float32.
    pub(crate) fn batch(&mut self, batch: SamplerInput<'_>) -> Result<(Tensor, Tensor)> {
        let (images, size, labels) = (batch.views.len(), batch.size, batch.labels.len());
        let sampling = Sampling::of(batch)?;
        if !labels.is_multiple_of(images) {
            bail!("sampling: expected labels of {images} images, got {labels}");
        }
        let slot = &mut self.slots[self.next];
        self.next = 1 - self.next;
        let parts = slot.upload(&self.copies, sampling.parts())?;

        let (device, stream) = (&self.device, self.device.cuda_stream());
        stream.wait(&slot.copied).w()?;
        let (image_storage, to) = unwritten(device, Element::F32, sampling.len())?;
        // SAFETY: the parts are the sampling's, and there when the stream comes to this.
        unsafe { sampling.run(device, parts, to)? };
        let (label_storage, to) = unwritten(device, Element::F32, labels)?;
        // SAFETY: both have room for so many numbers.
        unsafe { memcpy_dtod_async(to.0, sampling.labels(parts).0, 4 * labels, stream.cu_stream()) }.w()?;
        slot.used.record(&stream).w()?;

        let images = tensor(image_storage, (images, size, size, 3)).permute((0, 3, 1, 2))?;
        Ok((
            images,
            tensor(label_storage, (batch.views.len(), labels / batch.views.len())),
        ))
    }
}

impl Slot {
    /// Starts to copy `parts` one after the other; where they will be.
    fn upload(&mut self, copies: &Arc<CudaStream>, parts: [&[u8]; 4]) -> Result<Address> {
        let bytes = parts.iter().map(|part| part.len()).sum::<usize>();
        let buffers = match self.buffers.take() {
            Some(buffers) if buffers.host.len() >= bytes => buffers,
            small => {
                self.finish()?;
                drop(small);
                // Batches of images of different sizes grow little by little.
                let room = bytes + bytes / 4;
                // SAFETY: written before it is read, here and there.
                unsafe {
                    Buffers {
                        host: copies.context().alloc_pinned(room).w()?,
                        there: copies.alloc(room).w()?,
                    }
                }
            }
        };
        let Buffers { host, there } = self.buffers.insert(buffers);
        self.copied.synchronize().w()?;
        let host = &mut host.as_mut_slice().w()?[..bytes];
        let mut rest = &mut *host;
        for part in parts {
            let (to, behind) = rest.split_at_mut(part.len());
            to.copy_from_slice(part);
            rest = behind;
        }
        copies.wait(&self.used).w()?;
        let to = address(copies, &there.as_view());
        copies.context().bind_to_thread().w()?;
        // SAFETY: there is room, and nobody writes here or reads there before `copied` and after `used`.
        unsafe { memcpy_htod_async(to.0, host, copies.cu_stream()) }.w()?;
        self.copied.record(copies).w()?;
        Ok(to)
    }

    /// Waits until the GPU needs the buffers no more.
    fn finish(&self) -> Result<()> {
        self.copied.synchronize().w()?;
        self.used.synchronize().w()
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        // An error here is the driver's, which every later call will tell.
        let _ = self.finish();
    }
}
