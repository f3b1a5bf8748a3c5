//! With the feature `cuda`, compiles the kernels for NVIDIA GPUs: machine code for the generations there are, in one file, and PTX, which
//! the driver translates for later ones.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    #[cfg(feature = "cuda")]
    cuda::build();
}

#[cfg(feature = "cuda")]
mod cuda {
    use std::path::{Path, PathBuf};
    use std::process::Command;

    const KERNELS: &str = "src/gpu";
    /// Turing; Ampere and Ada; Hopper; Blackwell in computing centres and on desks. Code for one runs on later ones of the same
    /// first digits.
    const GENERATIONS: [u32; 5] = [75, 80, 90, 100, 120];

    /// By nvcc, for every generation that it knows. candle's own build compiles its kernels for that of `CUDA_COMPUTE_CAP` alone.
    pub(super) fn build() {
        println!("cargo::rerun-if-changed={KERNELS}");
        println!("cargo::rerun-if-env-changed=NVCC");
        let nvcc = nvcc();
        let known = output(Command::new(&nvcc).arg("--list-gpu-code"));
        let known: Vec<u32> = GENERATIONS
            .into_iter()
            .filter(|generation| known.lines().any(|line| line.trim() == format!("sm_{generation}")))
            .collect();
        let Some(last) = known.last() else {
            panic!("{} knows none of the GPUs of {GENERATIONS:?}", nvcc.display());
        };
        let folder = std::env::var_os("OUT_DIR").expect("cargo says where to build");
        let mut command = Command::new(&nvcc);
        command.args(["-std=c++17", "-O3", "--fatbin", "--threads=0"]);
        for generation in &known {
            command.arg(format!("-gencode=arch=compute_{generation},code=sm_{generation}"));
        }
        command
            .arg(format!("-gencode=arch=compute_{last},code=compute_{last}"))
            .arg(Path::new(KERNELS).join("kernels.cu"))
            .arg("-o")
            .arg(Path::new(&folder).join("kernels.fatbin"));
        output(&mut command);
    }

    /// Where cudaforge, which candle builds with, finds it.
    fn nvcc() -> PathBuf {
        match cudaforge::CudaToolkit::detect() {
            Ok(toolkit) => toolkit.nvcc_path,
            Err(error) => panic!("there is no CUDA toolkit to compile the kernels in {KERNELS} with: {error}"),
        }
    }

    fn output(command: &mut Command) -> String {
        match command.output() {
            Ok(done) if done.status.success() => String::from_utf8_lossy(&done.stdout).into_owned(),
            Ok(done) => panic!(
                "the kernels in {KERNELS} cannot be compiled:\n{}{}",
                String::from_utf8_lossy(&done.stdout),
                String::from_utf8_lossy(&done.stderr)
            ),
            Err(error) => panic!("{}: {error}", command.get_program().to_string_lossy()),
        }
    }
}
