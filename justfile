# biascam: `just` lists the recipes.
set positional-arguments

[private]
default:
    @just --list

# The paper's experiment: by default on procedural faces, or `just reproduce experiments/celeba.yaml`
reproduce *ARGS:
    cargo run --release --locked --bin biascam -- reproduce "$@"

# The small sweep of class weights from unbalanced to balanced, or `just sweep experiments/sweeps/class_weights.yaml --list`
sweep *ARGS:
    [ $# -gt 0 ] || set -- experiments/sweeps/class_weights_small.yaml --jobs 2; cargo run --release --locked --bin biascam -- sweep "$@"

# Draw figures and report again: of an experiment, or of a results folder from its files alone
figures *ARGS:
    cargo run --release --locked --bin biascam -- draw "$@"

# Everything that must hold: format, lints, structure, tests, documentation
test: lint
    cargo test --release --locked --workspace
    RUSTDOCFLAGS="-D warnings" cargo doc --release --locked --workspace --no-deps

# The report in a headless Chromium (Debian: chromium, chromium-driver); views as pictures in target/gallery/pages
browser:
    BIASCAM_REQUIRE=chromium BIASCAM_GALLERY="$PWD/target/gallery" cargo test --release --locked --workspace --test program browser

# What takes too long for `just test`: every injected fault (docs/develop/robustness.md), property tests with 20,000 cases each, fuzzing
nightly: && fuzz
    BIASCAM_FAULTS=all cargo test --release --locked --workspace --test faults -- --nocapture
    PROPTEST_CASES=20000 cargo test --release --locked --workspace

# Fuzz each reader for a minute, or `just fuzz 3600 experiment sweep`; needs Rust's nightly toolchain and cargo-fuzz
fuzz *ARGS:
    fuzz/run "$@"

# Format, lints and structure alone, in seconds
lint: && walls
    cargo fmt --all --check
    cargo fmt --check --manifest-path fuzz/Cargo.toml
    cargo clippy --release --locked --workspace --all-targets -- -D warnings

# The structure alone: which crate may depend on which, and no circle of modules in any crate
walls:
    cargo run --release --locked --quiet -p walls

# Write the pages of docs/look-up that are made from the program again
documents:
    BIASCAM_WRITE_DOCUMENTS=1 cargo test --release --locked --package runner --test documents generated

# Criterion benches of kernels, losses, loader and maps
bench *ARGS:
    cargo bench --locked --workspace "$@"

# biascam, PyTorch, ONNX Runtime and OpenVINO on the same work, alternately: writes BENCHMARKS.md
peers *ARGS:
    python3 benches/peers/compare.py "$@"

# The same on an NVIDIA GPU: writes BENCHMARKS-CUDA.md
peers-cuda *ARGS:
    python3 benches/peers/cuda.py "$@"

# 2,000 faces in every form of CelebA give the same batches (`just test` takes 160)
test-forms:
    BIASCAM_FORM_IMAGES=2000 cargo test --release --locked --workspace --test forms

# The data path beside torchvision's on as many images as CelebA has: writes docs/develop/loader.md
peers-loader *ARGS:
    python3 benches/peers/loader.py "$@"

# The program with CUDA, for machines with NVIDIA's toolkit and cuDNN
cuda *ARGS:
    cargo build --release --locked --bin biascam --features cuda "$@"

# The wheel for any Linux, `pip install target/wheels/biascam-*.whl`; then installed, run and taken away in a fresh environment
wheel *ARGS:
    tools/test-wheel "$(tools/wheel "$@")"

# On a machine with an NVIDIA GPU: everything there is to check on one, and the benchmark; output in results/cuda-verify. Or `--pack FOLDER`
cuda-verify *ARGS:
    benches/cuda.sh "$@"
