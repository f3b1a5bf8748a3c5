#!/usr/bin/env bash
# Builds what `benches/cuda/run.sh` checks on a machine with an NVIDIA GPU, and runs it, or packs it for such a machine.
#
#   benches/cuda.sh [OPTIONS OF run.sh]      builds and runs; what comes out is in results/cuda-verify
#   benches/cuda.sh --pack FOLDER            builds into a folder to carry there, where FOLDER/run.sh does the rest
#
# To build takes NVIDIA's toolkit and cuDNN (docs/develop/cuda.md), and Python; without a GPU in this machine set CUDA_COMPUTE_CAP to that of
# the other. With `--device cpu` anywhere, everything is built without CUDA, to rehearse it.
set -euo pipefail
start=$PWD
cd "$(dirname "$0")/.."

folder=target/cuda-verify pack="" features=(--features cuda)
if [[ ${1:-} == --pack ]]; then
  if (($# < 2)); then echo "cuda.sh: --pack FOLDER" >&2 && exit 2; fi
  folder=$(cd "$start" && realpath -m "$2") pack=yes
  shift 2
  if [[ -e $folder ]]; then echo "cuda.sh: $folder is there already; name another, or remove it" >&2 && exit 2; fi
fi
if [[ " $* " == *" --device cpu "* ]]; then
  features=()
elif ! command -v nvcc >/dev/null; then
  echo "cuda.sh: there is no nvcc, which NVIDIA's toolkit has; docs/develop/cuda.md says what a build needs" >&2 && exit 2
fi

# The path of the program that cargo made, from the messages of its build: KIND (bin, example, lib, test), NAME.
executable() {
  python3 -c '
import json, sys
kind, name = sys.argv[1:]
for line in sys.stdin:
    made = json.loads(line)
    if made.get("executable") and made["target"]["name"] == name and kind in made["target"]["kind"]:
        print(made["executable"])' "$@"
}

# All crates at once: one alone would need candle built with other features.
cargo_json() { cargo "$@" --release --locked --workspace "${features[@]}" --message-format=json-render-diagnostics; }
programs=$(cargo_json build --bins --example peer)
tests=$(cargo_json test --lib --test learning --no-run)

[[ -n $pack ]] || rm -rf "$folder"
mkdir -p "$folder/bin" "$folder/benches/cuda" "$folder/benches/peers" "$folder/experiments"
strip -o "$folder/bin/biascam" "$(executable bin biascam <<<"$programs")"
strip -o "$folder/bin/peer" "$(executable example peer <<<"$programs")"
strip -o "$folder/bin/kernels_tests" "$(executable lib kernels <<<"$tests")"
strip -o "$folder/bin/model_tests" "$(executable test learning <<<"$tests")"
cp benches/cuda/run.sh "$folder"
cp benches/cuda/{agreement,profile}.py "$folder/benches/cuda"
# CUPTI comes with NVIDIA's toolkit, or CUPTI_PATH says where it is; without it there is no profile.
if ((${#features[@]})); then
  toolkit=$(dirname "$(dirname "$(readlink -f "$(command -v nvcc)")")")
  for cupti in ${CUPTI_PATH:-} "$toolkit" "$toolkit/extras/CUPTI"; do
    library=$(find "$cupti"/lib* -maxdepth 1 -name 'libcupti.so*' 2>/dev/null | sort | head -n 1)
    if [[ -e $cupti/include/cupti.h && -n $library ]]; then
      cc -shared -fPIC -O1 -o "$folder/bin/trace.so" benches/cuda/trace.c -I "$cupti/include" -I "$toolkit/include" "$library"
      break
    fi
  done
fi
cp benches/peers/{common.py,cuda.py,torch_peer.py,requirements.txt} "$folder/benches/peers"
cp experiments/{smoke,embedded}.yaml "$folder/experiments"
{
  echo "biascam $(git describe --always --dirty --exclude='*' 2>/dev/null || echo "of an unknown revision"), $(rustc --version | cut -d ' ' -f 1-2)"
  if ((${#features[@]})); then
    nvcc --version | grep release | sed 's/^.*release/nvcc/'
    echo "compute capability ${CUDA_COMPUTE_CAP:-of the building machine}"
  else
    echo "without CUDA"
  fi
} | paste -sd ';' | sed 's/;/; /g' >"$folder/BUILT"

if [[ -n $pack ]]; then
  (cd "$folder" && XZ_OPT=-T0 python3 -m tarfile -c bin.tar.xz bin && rm -r bin)
  du -sh "$folder"
else
  exec "$folder/run.sh" --out results/cuda-verify "$@"
fi
