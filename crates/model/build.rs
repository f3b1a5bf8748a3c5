//! With the feature `cuda`, compiles the kernels for NVIDIA GPUs to PTX, which the driver translates for its GPU.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    #[cfg(feature = "cuda")]
    cuda::build();
}

#[cfg(feature = "cuda")]
mod cuda {
    const KERNELS: &str = "src/kernels/gpu";

    /// By nvcc, as candle's own kernels: for the GPU of this machine or of `CUDA_COMPUTE_CAP`, and any later one.
    pub(super) fn build() {
        println!("cargo::rerun-if-changed={KERNELS}");
        let built = cudaforge::KernelBuilder::new()
            .source_files([format!("{KERNELS}/kernels.cu")])
            .watch([KERNELS])
            .args(["-std=c++17", "-O3"])
            .build_ptx();
        if let Err(error) = built {
            panic!("the kernels in {KERNELS} cannot be compiled: {error}");
        }
    }
}
