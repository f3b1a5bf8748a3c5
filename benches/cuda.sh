#!/usr/bin/env bash
# On a machine with an NVIDIA GPU: holds the layers there to the CPU's, and runs the smoke experiment on it.
set -euo pipefail
cd "$(dirname "$0")/.."
out=results/cuda-verify
mkdir -p "$out"
{
  nvidia-smi
  cargo test --release --locked -p model --features cuda --lib -- --nocapture --test-threads 1 kernels::tests::cuda
  cargo run --release --locked --features cuda --bin biascam -- \
    reproduce experiments/smoke.yaml --device cuda --results "$out" --fresh
} 2>&1 | tee "$out/log.txt"
# Without a GPU the tests pass with a message: that is no success here.
! grep -q "skipped, no GPU" "$out/log.txt"
