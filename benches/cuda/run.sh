#!/usr/bin/env bash
# Everything that is to be checked on a machine with an NVIDIA GPU, in one go. It needs the driver, CUDA's libraries with cuDNN (those
# in a PyTorch installation will do), and Python; PyTorch for the benchmark. `benches/cuda.sh` puts it beside what it runs.
#
#   run.sh [--device cuda|cpu] [--out FOLDER] [--python PYTHON] [--limit SECONDS] [--only PART]... [--list] [-- BENCHMARK'S OWN OPTIONS]
#
# A part that fails, or is not done within its limit, stops no other. FOLDER/summary.md has a line for each part, FOLDER/log.txt what
# they printed; the exit status is 1 if one failed. PART is a part's name or how it begins. `--device cpu` rehearses it without a GPU.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
self=$here/$(basename "${BASH_SOURCE[0]}")
# Exit status of a part that cannot be done here; the last line it prints says why.
skipped=77
# Rounding at the last bit grows while a network trains: on a CPU, a learning rate changed by 2e-7 of itself moves the smoke experiment's mean
# errors and energies by up to 1.5e-3, by 2e-5 up to 4e-3, by 2e-3 up to 0.024. The coarser precisions' bound is a guess.
trained_alike=0.02
trained_coarsely=0.1
# Of one network's maps and scores, in units of the largest; sums of some thousand float32 products, layer after layer.
computed_alike=1e-4
# Methods divide by sums that can be small, and make eigenvectors.
explained_alike=1e-3

biascam() { "$here/bin/biascam" "$@"; }
agreement() { "$python" "$here/benches/cuda/agreement.py" "$@"; }
# Of a crate.
tests() { "$here/bin/$1_tests" --test-threads 1 "${@:2}"; }

skip() {
  echo "$*"
  exit "$skipped"
}

fail() {
  echo "$*"
  exit 1
}

# The tests that compare with a CPU, CRATE::NAME, each in a process of its own: a fault of one leaves a GPU's context unusable.
test_names() {
  local crate of=cuda::
  [[ $device == cuda ]] || of=the_compared_training_learns
  for crate in kernels model; do
    tests "$crate" --list --format terse "$of" 2>/dev/null | sed -n "s/^\(.*\): test\$/$crate::\1/p"
  done
}

part_names() {
  local names
  mapfile -t names < <(test_names)
  echo machine
  # Not even a list of tests means that they do not start, which then is what fails.
  printf 'test:%s\n' "${names[@]:-cannot_be_listed}"
  printf '%s\n' smoke smoke_tf32 smoke_bf16 explaining methods resnet50 default_run memory_access profile benchmark
}

# What the machine is, and whether the programs find their libraries.
part_machine() {
  uname -srm
  echo "$(nproc) cores"
  cat "$here/BUILT"
  if [[ $device == cuda ]]; then nvidia-smi; fi
  ldd "$here"/bin/biascam
  if ldd "$here"/bin/* | grep 'not found'; then
    fail "libraries are missing: put the folders that have them on LD_LIBRARY_PATH"
  fi
  if [[ $device == cuda ]]; then
    nvidia-smi --query-gpu=name,driver_version,memory.total,compute_cap --format=csv,noheader | sed -n 1p
  else
    echo "no GPU asked for"
  fi
}

part_test() {
  local output status=0
  output=$(tests "${1%%::*}" --exact --nocapture "${1#*::}" 2>&1) || status=$?
  echo "$output"
  if [[ $status != 0 ]]; then
    fail "$(grep -m 1 -A 2 'panicked at' <<<"$output" | tr '\n' ' ' || echo "exit status $status: $(tail -n 1 <<<"$output")")"
  fi
  # Without a GPU these tests pass with a message: that is no success here.
  if grep -q 'skipped, no GPU' <<<"$output"; then fail "$(grep -m 1 'skipped, no GPU' <<<"$output")"; fi
  grep -q '1 passed' <<<"$output" || fail "there is no such test"
}

# Every access to the GPU's memory and its barriers, by NVIDIA's tool.
part_memory_access() {
  [[ $device == cuda ]] || skip "needs a GPU"
  command -v compute-sanitizer >/dev/null || skip "compute-sanitizer is not installed"
  local tool crate
  for tool in memcheck synccheck; do
    for crate in kernels model; do
      compute-sanitizer --tool "$tool" --report-api-errors no --error-exitcode 1 \
        "$here/bin/${crate}_tests" --test-threads 1 cuda:: --skip training --skip precisions
    done
  done
}

smoke_on() {
  local where=$1
  shift
  biascam reproduce "$here/experiments/smoke.yaml" --device "$where" --data "$out/data" "$@"
}

# The CPU's run, once.
reference() {
  smoke_on cpu --results "$out/cpu"
}

part_smoke() {
  reference
  smoke_on "$device" --results "$out/device" --fresh
  agreement tables "$out/cpu/smoke" "$out/device/smoke" --tolerance "$trained_alike"
}

smoke_in() {
  [[ $device == cuda ]] || skip "a CPU computes in float32 alone"
  reference
  smoke_on "$device" --results "$out/device" --fresh --name "smoke-$1" --set "training.precision=$1"
  agreement tables "$out/cpu/smoke" "$out/device/smoke-$1" --tolerance "$trained_coarsely"
}

part_smoke_tf32() { smoke_in tf32; }
part_smoke_bf16() { smoke_in bf16; }

# The CPU's networks, scored, explained and measured on both.
part_explaining() {
  reference
  local of=$out/cpu/smoke classifier where
  local networks="{unbalanced: {weights: $of/unbalanced/checkpoint.safetensors}, balanced: {weights: $of/balanced/checkpoint.safetensors}}"
  for where in cpu "$device"; do
    smoke_on "$where" --results "$out/explained-$where" --fresh --set "classifiers=$networks" --set explain.keep_maps=true
  done
  for classifier in unbalanced balanced; do
    agreement tensors "$out/explained-cpu/smoke/$classifier/raw_maps.safetensors" \
      "$out/explained-$device/smoke/$classifier/raw_maps.safetensors" --tolerance "$computed_alike"
  done
  # One score within rounding of 0 that falls to the other side moves a mean by 5e-4.
  agreement tables "$out/explained-cpu/smoke" "$out/explained-$device/smoke" --tolerance 1e-3
}

# Every method, at the last stage and those that can at the first.
part_methods() {
  reference
  local of=$out/cpu/smoke/balanced faces=$out/faces where
  local some=grad_cam,hires_cam,grad_cam_plus_plus,x_grad_cam,layer_cam,grad_cam_elementwise,eigen_cam,eigen_grad_cam,score_cam,ablation_cam,shapley_cam
  [[ -d $faces ]] || biascam data procedural --out "$faces" --images 8 --seed 1 --layout flat
  for where in cpu "$device"; do
    rm -rf "$out/methods-$where"
    set -- "$faces/img_align_celeba" --weights "$of/checkpoint.safetensors" --target positive --sheets none --device "$where"
    biascam explain-images "$@" --out "$out/methods-$where/last" --method "$some,cam,full_grad,rise,centred_cam" \
      --reference "$of/reference.safetensors" --rise-masks 200
    biascam explain-images "$@" --out "$out/methods-$where/first" --method "$some" --layer stage1
  done
  agreement tensors "$out/methods-cpu" "$out/methods-$device" --tolerance "$explained_alike"
}

# A network and images of the paper's size, in the precision that one would train them in; no more than that it runs.
part_resnet50() {
  local precision=bf16 size=224 train=1024 test=256 batch=64
  # A rehearsal is no faster for being of that size.
  [[ $device == cuda ]] || precision=float32 size=56 train=320 test=64 batch=16
  biascam explain "$here/experiments/smoke.yaml" --device "$device" --results "$out/resnet50" --data "$out/data" --fresh \
    --set model.architecture=resnet50 --set "data.image_size=$size" --set "training.precision=$precision" \
    --set "training.batch_size=$batch" --set training.epochs=1 \
    --set "data.procedural={train: $train, validation: 64, test: $test, seed: 1}"
}

part_default_run() {
  biascam reproduce "$here/experiments/embedded.yaml" --device "$device" --results "$out/device" --data "$out/data" --fresh
}

# Where a training step's time goes, kernel by kernel, and PyTorch's beside it.
part_profile() {
  [[ $device == cuda ]] || skip "needs a GPU"
  [[ -e $here/bin/trace.so ]] || skip "built without CUPTI"
  CUDA_INJECTION64_PATH=$here/bin/trace.so TRACE_OUT=$out/trace.tsv \
    "$here/bin/peer" resnet50/step 0.2 --device cuda --precision bf16 --batch 256
  "$python" "$here/benches/cuda/profile.py" trace "$out/trace.tsv"
  if "$python" -c 'import torch, torchvision'; then "$python" "$here/benches/cuda/profile.py" torch resnet50/step; fi
}

part_benchmark() {
  local with=()
  if "$python" -c 'import torch, torchvision'; then with=(--python "$python"); fi
  # A rehearsal shows that it runs.
  if [[ $device == cpu ]]; then with+=(--batch 2 --seconds 0.1 --repetitions 2 --sides "biascam,eager"); fi
  "$python" "$here/benches/peers/cuda.py" --peer "$here/bin/peer" --built "$(<"$here/BUILT")" --device "$device" \
    --out "$out/BENCHMARKS-CUDA.md" "${with[@]}" "$@"
}

# The memory that the GPU has given out, in MB, twice a second.
watch_memory() {
  local gpu=${CUDA_VISIBLE_DEVICES:-0}
  while nvidia-smi --query-gpu=memory.used --format=csv,noheader,nounits "--id=${gpu%%,*}"; do sleep 0.5; done
}

# One part in a process of its own, its result as a line of the summary.
run_part() {
  local name=$1 log=$out/logs/${1//[^a-zA-Z0-9_]/-}.txt status=0 peak=– result last limit=$limit start=$SECONDS
  shift
  echo "== $name"
  if [[ $name == benchmark ]]; then limit=$((12 * limit)); fi
  if [[ $device == cuda ]]; then
    watch_memory >"$out/memory.txt" 2>/dev/null &
    watcher=$!
  fi
  timeout --kill-after=20 "$limit" "$self" --inside "$name" "$@" >"$log" 2>&1 </dev/null &
  job=$!
  wait "$job" || status=$?
  if [[ -n $watcher ]]; then
    kill "$watcher" 2>/dev/null || true
    wait "$watcher" 2>/dev/null || true
    peak=$(sort -n "$out/memory.txt" | tail -n 1)
  fi
  case $status in
    0) result=passed ;;
    "$skipped") result=skipped ;;
    124 | 137) result=FAILED && echo "not done within $limit s" >>"$log" ;;
    *) result=FAILED ;;
  esac
  cat "$log"
  last=$(grep -v '^[[:space:]]*$' "$log" | tail -n 1 | tr '|\r' '/ ' | cut -c 1-200)
  echo "== $name: $result in $((SECONDS - start)) s"
  echo "| $name | $result | $((SECONDS - start)) | ${peak:-–} | $last |" >>"$out/summary.md"
  [[ $result != FAILED ]]
}

# CUDA's libraries from where they often are, if the loader does not find them by itself: PyTorch has all of them.
find_libraries() {
  if [[ $(ldd "$here/bin/biascam") != *'not found'* ]]; then return; fi
  local folders
  folders=$("$python" -c 'import glob, nvidia; print(":".join(f for p in nvidia.__path__ for f in glob.glob(p + "/*/lib")))' 2>/dev/null || true)
  export LD_LIBRARY_PATH=${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}${folders:+$folders:}/usr/local/cuda/lib64:/usr/local/nvidia/lib64
}

refuse() {
  echo "run.sh: $*" >&2
  exit 2
}

main() {
  device=cuda out=$PWD/cuda-verify python=python3 limit=600 job="" watcher=""
  local only=() parts=() list="" part wanted
  while (($#)); do
    case $1 in
      --device | --out | --python | --limit | --only) (($# > 1)) || refuse "$1: a value is missing" ;;&
      --device) device=$2 && shift ;;
      --out) out=$(realpath -m "$2") && shift ;;
      --python) python=$2 && shift ;;
      --limit) limit=$2 && shift ;;
      --only) only+=("$2") && shift ;;
      --list) list=yes ;;
      --) shift && break ;;
      *) refuse "$1? The head of $self has what there is" ;;
    esac
    shift
  done
  [[ $device =~ ^(cuda|cpu)$ ]] || refuse "--device $device: cuda or cpu"
  [[ $limit =~ ^[0-9]+$ ]] || refuse "--limit $limit: whole seconds"
  python=$(command -v "$python") || refuse "there is no Python: --python names one"
  export device out python
  if [[ ! -d $here/bin ]]; then
    "$python" -m tarfile -e "$here/bin.tar.xz" "$here/unpacked" && mv "$here/unpacked/bin" "$here" && rmdir "$here/unpacked"
  fi
  find_libraries
  while read -r part; do
    for wanted in "${only[@]:-}"; do
      if [[ $part == "$wanted"* ]]; then parts+=("$part") && break; fi
    done
  done < <(part_names)
  ((${#parts[@]})) || refuse "no part begins with ${only[*]}; --list shows what there is"
  if [[ -n $list ]]; then printf '%s\n' "${parts[@]}" && exit; fi

  trap 'kill $job $watcher 2>/dev/null; exit 130' INT TERM
  mkdir -p "$out/logs"
  printf '%s\n' "# Checked with --device $device" "" "$(<"$here/BUILT")" "" \
    "| part | result | seconds | GPU memory at most, MB | last line |" "|---|---|---:|---:|---|" >"$out/summary.md"
  local failed=0
  exec 3>&1
  exec > >(tee "$out/log.txt") 2>&1
  for part in "${parts[@]}"; do
    run_part "$part" "$@" || failed=$((failed + 1))
  done
  # `tee` has written all of it before the summary comes.
  exec >&3 2>&1
  wait
  cat "$out/summary.md"
  if ((failed)); then echo "$failed of ${#parts[@]} parts failed" && exit 1; fi
  echo "no part failed; all of it is in $out"
}

if [[ ${1:-} == --inside ]]; then
  part=$2
  shift 2
  case $part in
    test:*) part_test "${part#test:}" ;;
    benchmark) part_benchmark "$@" ;;
    *) "part_$part" ;;
  esac
else
  main "$@"
fi
