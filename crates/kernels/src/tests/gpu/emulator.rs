//! The GPU's kernels, compiled for this machine by its C++ compiler.

use std::ffi::{CString, c_char, c_int, c_void};
use std::path::Path;
use std::process::Command;
use std::sync::{Mutex, OnceLock, PoisonError};

use candle_core::Result;

use crate::gpu::{Address, Argument, Machine};

type RunKernel = unsafe extern "C" fn(*const c_char, u32, u32, *mut *mut c_void, usize, bool) -> c_int;

/// Runs one thread after the other, in ascending or descending order: where the two give other bits, a barrier is missing.
pub(super) struct Emulator {
    run: RunKernel,
    descending: bool,
}

impl Emulator {
    /// One of each order; none, with a message, without a C++ compiler.
    pub(super) fn both() -> Vec<Self> {
        static LIBRARY: OnceLock<std::result::Result<RunKernel, String>> = OnceLock::new();
        match testing::without("c++", LIBRARY.get_or_init(compiled).as_ref()) {
            Some(run) => [false, true].map(|descending| Self { run: *run, descending }).into(),
            None => Vec::new(),
        }
    }
}

/// Builds the library and loads it for good. An error says that there is no compiler; sources that do not compile are a failure.
fn compiled() -> std::result::Result<RunKernel, String> {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let folder = tempfile::tempdir().unwrap();
    let library = folder.path().join("kernels.so");
    let compiler = std::env::var("CXX").unwrap_or_else(|_| "c++".to_owned());
    let output = Command::new(&compiler)
        // Fortified, `longjmp` refuses to go from one stack to another.
        .args(["-std=c++17", "-O2", "-U_FORTIFY_SOURCE", "-fPIC", "-shared", "-I"])
        .arg(sources.join("gpu"))
        .arg(sources.join("tests/gpu/shim.cpp"))
        .arg("-o")
        .arg(&library)
        .output()
        .map_err(|error| {
            format!("`{compiler}` cannot be run ({error}), which compiles the GPU's kernels for this test")
        })?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let path = CString::new(library.to_str().unwrap()).unwrap();
    // SAFETY: the library is the one just built; it does nothing when loaded, and is never unloaded.
    let symbol = unsafe {
        let handle = libc::dlopen(path.as_ptr(), libc::RTLD_NOW);
        assert!(!handle.is_null(), "{} does not load", library.display());
        libc::dlsym(handle, c"run_kernel".as_ptr())
    };
    assert!(!symbol.is_null());
    // SAFETY: this is its type in shim.cpp.
    Ok(unsafe { std::mem::transmute::<*mut c_void, RunKernel>(symbol) })
}

impl Machine for Emulator {
    type Memory = Vec<f32>;

    fn scratch(&self, numbers: usize) -> Result<(Vec<f32>, Address)> {
        let memory = vec![f32::NAN; numbers];
        let address = Address(memory.as_ptr() as u64);
        Ok((memory, address))
    }

    unsafe fn launch(&self, kernel: &str, [columns, rows]: [u32; 2], arguments: &[Argument]) -> Result<()> {
        static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
        let mut arguments = arguments.to_vec();
        let pointer = |argument: &mut Argument| match argument {
            Argument::Address(value) => std::ptr::from_mut(value).cast::<c_void>(),
            Argument::Count(value) => std::ptr::from_mut(value).cast(),
            Argument::Number(value) => std::ptr::from_mut(value).cast(),
        };
        let mut pointers: Vec<_> = arguments.iter_mut().map(pointer).collect();
        let name = CString::new(kernel).unwrap();
        let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        // SAFETY: the library checks name and number; the rest is the caller's promise.
        let status = unsafe {
            (self.run)(
                name.as_ptr(),
                columns,
                rows,
                pointers.as_mut_ptr(),
                pointers.len(),
                self.descending,
            )
        };
        match status {
            0 => Ok(()),
            1 => panic!("no kernel {kernel}"),
            2 => panic!("{kernel}: {} arguments are too few or too many", pointers.len()),
            _ => panic!("{kernel}: not all threads of a block come to its barrier"),
        }
    }
}

/// An array in the emulator's memory between guards of NaN, which show who reads or writes beside it.
pub(super) struct Array<T>(Vec<T>);

const GUARD: usize = 64;

impl<T: Number> Array<T> {
    pub(super) fn of(values: &[f32]) -> Self {
        let guard = [T::of(f32::NAN); GUARD];
        let values: Vec<T> = values.iter().map(|&value| T::of(value)).collect();
        Self([&guard[..], &values, &guard].concat())
    }

    /// To be written.
    pub(super) fn unwritten(len: usize) -> Self {
        Self::of(&vec![f32::NAN; len])
    }

    pub(super) fn address(&self) -> Address {
        Address(self.0[GUARD..].as_ptr() as u64)
    }

    #[track_caller]
    pub(super) fn values(&self) -> Vec<f32> {
        let values: Vec<f32> = self.0.iter().map(|value| value.value()).collect();
        let (guard, rest) = values.split_at(GUARD);
        let (values, other) = rest.split_at(rest.len() - GUARD);
        assert!(
            guard.iter().chain(other).all(|value| value.is_nan()),
            "written beside an array"
        );
        values.to_vec()
    }
}

/// What arrays are made of.
pub(super) trait Number: Copy {
    fn of(value: f32) -> Self;
    fn value(self) -> f32;
}

impl Number for f32 {
    fn of(value: f32) -> Self {
        value
    }

    fn value(self) -> f32 {
        self
    }
}

/// The upper half of a float32.
#[derive(Clone, Copy)]
pub(super) struct Bf16(u16);

impl Number for Bf16 {
    /// Only for numbers that it can hold.
    fn of(value: f32) -> Self {
        assert!(
            value.is_nan() || value.to_bits() & 0xFFFF == 0,
            "{value} is no bfloat16"
        );
        Self((value.to_bits() >> 16) as u16)
    }

    fn value(self) -> f32 {
        f32::from_bits(u32::from(self.0) << 16)
    }
}
