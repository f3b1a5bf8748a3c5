//! cuDNN's graph API with types and owners.
//!
//! All of that API is one kind of object, a descriptor with attributes: it is made, its attributes are set, it is
//! finalized, and from then on it is only read. The older calls for each operation do not reach the engines that newer
//! GPUs are fast with.

use std::ffi::{CStr, c_void};
use std::ptr;
use std::rc::Rc;
use std::sync::Arc;

use candle_core::cuda_backend::WrapErr;
use candle_core::cuda_backend::cudarc::cudnn::{result, sys};
use candle_core::cuda_backend::cudarc::driver::CudaStream;
use candle_core::{Result, bail};

pub(super) use sys::cudnnBackendAttributeName_t as Attribute;
use sys::cudnnBackendAttributeType_t as Type;
pub(super) use sys::cudnnBackendDescriptorType_t as Kind;

/// cuDNN's state on one stream, for one thread.
pub(super) struct Handle {
    raw: sys::cudnnHandle_t,
    /// The handle refers to it.
    _stream: Arc<CudaStream>,
}

impl Handle {
    pub fn new(stream: Arc<CudaStream>) -> Result<Self> {
        stream.context().bind_to_thread().w()?;
        let handle = Self {
            raw: result::create_handle()?,
            _stream: stream,
        };
        // SAFETY: both exist, and the handle keeps the stream.
        unsafe { result::set_stream(handle.raw, handle._stream.cu_stream().cast())? };
        Ok(handle)
    }

    /// Does what a plan says, in the stream's order, with the memory that a variant pack names.
    ///
    /// # Safety
    /// The pack's pointers are to memory of the sizes that the plan was made for, which nothing else uses before that
    /// work is done.
    pub unsafe fn execute(&self, plan: &Descriptor, pack: &Descriptor) -> Result<()> {
        // SAFETY: finalized descriptors of this thread; the memory is the caller's promise.
        let status = unsafe { sys::cudnnBackendExecute(self.raw, plan.raw, pack.raw) };
        check(status, || "execute a plan".to_string())
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        // SAFETY: made by `new` and destroyed nowhere else. A failure leaks the handle, which is the best that is left
        // to do.
        let _ = unsafe { result::destroy_handle(self.raw) };
    }
}

/// What an attribute may be set to.
///
/// # Safety
/// The type is laid out as cuDNN's documentation says of `TYPE`.
pub(super) unsafe trait Value: Copy {
    const TYPE: Type;
}

/// What an attribute may be read as.
///
/// # Safety
/// All bits are a value. cuDNN's enumerations are none: a newer library may know more values than the bindings.
pub(super) unsafe trait Readable: Value + Default {}

/// What is to be known of an engine's numbers, as `cudnnBackendNumericalNote_t`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(transparent)]
pub(super) struct Note(pub u32);

/// An address in a GPU's memory.
#[derive(Clone, Copy, Debug)]
#[repr(transparent)]
pub(super) struct Pointer(pub u64);

const _: () = assert!(size_of::<Pointer>() == size_of::<*mut c_void>());

// SAFETY: 64-bit integers.
unsafe impl Value for i64 {
    const TYPE: Type = Type::CUDNN_TYPE_INT64;
}
// SAFETY: as above, and all bits are an integer.
unsafe impl Readable for i64 {}
// SAFETY: 32-bit floating point numbers.
unsafe impl Value for f32 {
    const TYPE: Type = Type::CUDNN_TYPE_FLOAT;
}
// SAFETY: as wide as a pointer, which is checked above.
unsafe impl Value for Pointer {
    const TYPE: Type = Type::CUDNN_TYPE_VOID_PTR;
}
// SAFETY: cuDNN's own type.
unsafe impl Value for sys::cudnnDataType_t {
    const TYPE: Type = Type::CUDNN_TYPE_DATA_TYPE;
}
// SAFETY: cuDNN's own type.
unsafe impl Value for sys::cudnnConvolutionMode_t {
    const TYPE: Type = Type::CUDNN_TYPE_CONVOLUTION_MODE;
}
// SAFETY: cuDNN's own type.
unsafe impl Value for sys::cudnnBackendHeurMode_t {
    const TYPE: Type = Type::CUDNN_TYPE_HEUR_MODE;
}
// SAFETY: an enumeration of C, which is 32 bits wide.
unsafe impl Value for Note {
    const TYPE: Type = Type::CUDNN_TYPE_NUMERICAL_NOTE;
}
// SAFETY: all bits are an integer.
unsafe impl Readable for Note {}
/// An object of the API, with the other ones that it refers to.
pub(super) struct Descriptor {
    raw: sys::cudnnBackendDescriptor_t,
    kind: Kind,
    /// Given back after this one. cuDNN does not say whether it keeps what it needs of them.
    parts: Vec<Rc<Descriptor>>,
}

impl Descriptor {
    pub fn new(kind: Kind) -> Result<Self> {
        let mut raw = ptr::null_mut();
        // SAFETY: cuDNN writes one pointer.
        let status = unsafe { sys::cudnnBackendCreateDescriptor(kind, &mut raw) };
        check(status, || format!("create {kind:?}"))?;
        let parts = Vec::new();
        Ok(Self { raw, kind, parts })
    }

    /// Sets an attribute to one value or to several.
    pub fn with<V: Value>(self, attribute: Attribute, values: &[V]) -> Result<Self> {
        // SAFETY: an array of values of that type, which cuDNN copies.
        unsafe { self.set(attribute, V::TYPE, values.len(), values.as_ptr().cast())? };
        Ok(self)
    }

    /// Sets an attribute to a finalized descriptor.
    pub fn with_part(mut self, attribute: Attribute, part: &Rc<Descriptor>) -> Result<Self> {
        let one = ptr::from_ref(&part.raw).cast();
        // SAFETY: an array of one descriptor, which is kept for as long as this one.
        unsafe { self.set(attribute, Type::CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, one)? };
        self.parts.push(part.clone());
        Ok(self)
    }

    /// Sets an attribute to a handle.
    ///
    /// # Safety
    /// The handle is destroyed after the descriptor.
    pub unsafe fn with_handle(self, attribute: Attribute, handle: &Handle) -> Result<Self> {
        let one = ptr::from_ref(&handle.raw).cast();
        // SAFETY: an array of one handle, and the caller's promise.
        unsafe { self.set(attribute, Type::CUDNN_TYPE_HANDLE, 1, one)? };
        Ok(self)
    }

    /// # Safety
    /// `values` is an array of `count` values of `kind`, and what they refer to is there for as long as the descriptor.
    unsafe fn set(&self, attribute: Attribute, kind: Type, count: usize, values: *const c_void) -> Result<()> {
        // SAFETY: the descriptor exists; the array is the caller's promise.
        let status = unsafe { sys::cudnnBackendSetAttribute(self.raw, attribute, kind, count as i64, values) };
        check(status, || format!("set {attribute:?} of {:?}", self.kind))
    }

    /// Checks the attributes, and lets nothing more be set.
    pub fn finalize(self) -> Result<Rc<Self>> {
        // SAFETY: the descriptor exists.
        let status = unsafe { sys::cudnnBackendFinalize(self.raw) };
        check(status, || format!("finalize {:?}", self.kind))?;
        Ok(Rc::new(self))
    }

    /// The values of an attribute, the first `most` of them.
    pub fn read<V: Readable>(&self, attribute: Attribute, most: usize) -> Result<Vec<V>> {
        let mut values = vec![V::default(); most];
        // SAFETY: room for that many values of that type, of which all bits are valid.
        let count = unsafe { self.get(attribute, V::TYPE, most, values.as_mut_ptr().cast())? };
        values.truncate(count);
        Ok(values)
    }

    /// The one value of an attribute.
    pub fn read_one<V: Readable>(&self, attribute: Attribute) -> Result<V> {
        match *self.read::<V>(attribute, 1)? {
            [value] => Ok(value),
            _ => bail!("cuDNN: {attribute:?} of {:?} has no value", self.kind),
        }
    }

    /// The descriptors that an attribute holds, of one kind, the first `most` of them.
    pub fn read_parts(self: &Rc<Self>, attribute: Attribute, kind: Kind, most: usize) -> Result<Vec<Rc<Descriptor>>> {
        // cuDNN fills in descriptors that the caller has created.
        let mut parts = (0..most).map(|_| Self::new(kind)).collect::<Result<Vec<_>>>()?;
        let mut raw: Vec<_> = parts.iter().map(|part| part.raw).collect();
        let array = raw.as_mut_ptr().cast();
        // SAFETY: room for that many descriptors, of the kind that the attribute holds.
        let filled = unsafe { self.get(attribute, Type::CUDNN_TYPE_BACKEND_DESCRIPTOR, most, array)? };
        parts.truncate(filled);
        for part in &mut parts {
            part.parts.push(self.clone());
        }
        Ok(parts.into_iter().map(Rc::new).collect())
    }

    /// Reads up to `room` values, and returns how many there are.
    ///
    /// # Safety
    /// `values` has room for that many values of `kind`.
    unsafe fn get(&self, attribute: Attribute, kind: Type, room: usize, values: *mut c_void) -> Result<usize> {
        let mut count = 0;
        // SAFETY: the descriptor exists, cuDNN writes one count; the array is the caller's promise.
        let status =
            unsafe { sys::cudnnBackendGetAttribute(self.raw, attribute, kind, room as i64, &mut count, values) };
        check(status, || format!("get {attribute:?} of {:?}", self.kind))?;
        Ok(usize::try_from(count).unwrap_or(0))
    }
}

impl Drop for Descriptor {
    fn drop(&mut self) {
        // SAFETY: made by `new` and destroyed nowhere else; its parts still exist. A failure leaks it.
        let _ = unsafe { sys::cudnnBackendDestroyDescriptor(self.raw) };
    }
}

/// An error that says what was tried and, where cuDNN knows, why it failed.
fn check(status: sys::cudnnStatus_t, what: impl FnOnce() -> String) -> Result<()> {
    if status == sys::cudnnStatus_t::CUDNN_STATUS_SUCCESS {
        return Ok(());
    }
    let mut buffer = [0_u8; 2048];
    // SAFETY: cuDNN writes a string of at most that many bytes, its end included.
    unsafe { sys::cudnnGetLastErrorString(buffer.as_mut_ptr().cast(), buffer.len()) };
    let reason = CStr::from_bytes_until_nul(&buffer).unwrap_or_default();
    bail!("cuDNN: {}: {status:?}: {}", what(), reason.to_string_lossy().trim())
}
