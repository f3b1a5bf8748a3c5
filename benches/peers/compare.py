#!/usr/bin/env python3
"""Runs biascam and PyTorch alternately on the same work and writes BENCHMARKS.md.

    benches/peers/compare.py [--python PYTHON] [--repetitions N] [--seconds S] [--out FILE]

PYTHON is an interpreter that has what `requirements.txt` lists; without it a virtual environment is made under `target/peers`.
Only the standard library is needed to run this script. Speeds are compared within one run only: each repetition takes every
piece of work once on every side, one process after the other, so that a slower minute of the machine hits all sides.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent

# Work, what it is, and whether PyTorch is tried in both layouts (the authors explain in the default one).
WORK = [
    ("resnet18-w16/forward", "ResNet-18, width 16, 32 images of 112 x 112: forward", True),
    ("resnet18-w16/step", "ResNet-18, width 16, 32 images of 112 x 112: training step", True),
    ("resnet18-w64/forward", "ResNet-18, width 64, 32 images of 112 x 112: forward", True),
    ("resnet18-w64/step", "ResNet-18, width 64, 32 images of 112 x 112: training step", True),
    ("resnet50/forward", "ResNet-50, 8 images of 224 x 224: forward", True),
    ("resnet50/step", "ResNet-50, 8 images of 224 x 224: training step", True),
    ("resnet50/explain", "ResNet-50, one image of 224 x 224: maps of 40 attributes", False),
]
TEST_IMAGES = [500, 2000, 8000]


def output(*command, **more):
    return subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT, **more).stdout


def peers_python():
    """An interpreter of our own with the pinned requirements."""
    folder = ROOT / "target" / "peers"
    python = folder / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", "-r", HERE / "requirements.txt"], check=True)
    return str(python)


def speeds(python, repetitions, seconds, threads):
    """Images a second by (work, side), one value a repetition."""
    peer = ROOT / "target" / "release" / "examples" / "peer"
    environment = {**os.environ, "RAYON_NUM_THREADS": str(threads)}
    found = {}
    for repetition in range(repetitions):
        for work, _, both_layouts in WORK:
            sides = {"biascam": [str(peer), work, str(seconds)]}
            for layout in ["default", "channels_last"] if both_layouts else ["default"]:
                sides[layout] = [python, str(HERE / "torch_peer.py"), work, layout, str(seconds), str(threads)]
            for side, command in sides.items():
                line = output(*command, env=environment).strip().splitlines()[-1]
                found.setdefault((work, side), []).append(json.loads(line)["images_per_second"])
                speed = found[work, side][-1]
                print(f"repetition {repetition + 1}: {work} {side} {speed:.1f} images/s", file=sys.stderr)
    return found


def growth():
    """(images, images/s predicted, images/s explained, peak MB) of the program on ever more test images."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for images in TEST_IMAGES:
            place = ["--results", f"{folder}/{images}", "--data", f"{folder}/data", "--device", "cpu"]
            settings = {
                "data.procedural.train": 320,
                "data.procedural.validation": 64,
                "data.procedural.test": images,
                "data.cache_megabytes": 64,
                "training.epochs": 1,
            }
            settings = [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]
            program = str(ROOT / "target" / "release" / "biascam")
            output(program, "train", "experiments/embedded.yaml", *place, *settings)
            peak = peak_megabytes([program, "explain", "experiments/embedded.yaml", *place, *settings])
            manifest = json.loads(Path(f"{folder}/{images}/embedded/manifest.json").read_text())
            seconds = [manifest["stages"][f"{stage}/unbalanced"]["seconds"] for stage in ("predict", "explain")]
            rows.append((images, *(images / value for value in seconds), peak))
            print(f"growth: {images} images, {peak:.0f} MB", file=sys.stderr)
    return rows


def peak_megabytes(command):
    """Peak resident memory of a command."""
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{' '.join(command)} failed")
    return usage.ru_maxrss / 1024  # Linux counts in KiB.


def processor():
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor()


def instruction_sets():
    flags = Path("/proc/cpuinfo").read_text()
    return "AVX-512" if "avx512f" in flags else "AVX2" if "avx2" in flags else "neither AVX2 nor AVX-512"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", help="an interpreter with the peers' requirements")
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0, help="of each measurement, at least one batch")
    parser.add_argument("--out", type=Path, default=ROOT / "BENCHMARKS.md")
    arguments = parser.parse_args()
    python = arguments.python or peers_python()
    threads = os.cpu_count()
    output("cargo", "build", "--release", "--locked", "--workspace", "--bins", "--examples")

    found = speeds(python, arguments.repetitions, arguments.seconds, threads)
    torch = output(python, "-c", "import torch; print(torch.__version__)").strip()
    revision = output("git", "describe", "--always", "--dirty", "--exclude=*").strip()
    text = [
        "# Benchmarks",
        "",
        f"Written by `just peers` (`benches/peers/compare.py`) on {threads} cores of a {processor()} ({instruction_sets()}), "
        f"{platform.system()}, {output('rustc', '--version').split(' (')[0]}, PyTorch {torch}, Python "
        f"{platform.python_version()}, biascam {revision}. Both sides use {threads} threads and float32 and ran alternately, "
        f"{arguments.repetitions} times; medians, with the smallest and largest value in brackets. A ratio above 1 means that "
        "biascam is faster.",
        "",
        "| work | biascam, images/s | PyTorch, default layout | PyTorch, channels last | ratio to default | to channels last |",
        "|---|---:|---:|---:|---:|---:|",
    ]

    def cell(values):
        if not values:
            return "–"
        digits = 0 if min(values) >= 100 else 2 if min(values) < 1 else 1
        return f"{statistics.median(values):,.{digits}f} ({min(values):,.{digits}f}–{max(values):,.{digits}f})"

    for work, title, _ in WORK:
        ours, default, last = (found.get((work, side)) for side in ("biascam", "default", "channels_last"))
        ratios = [statistics.median(ours) / statistics.median(theirs) if theirs else None for theirs in (default, last)]
        ratios = ["–" if ratio is None else f"{ratio:.2f}" if ratio < 20 else f"{ratio:.0f}" for ratio in ratios]
        text.append(f"| {title} | {cell(ours)} | {cell(default)} | {cell(last)} | {ratios[0]} | {ratios[1]} |")
    text += [
        "",
        "The last line is the paper's authors' way of explaining on PyTorch's side: 40 forward and 40 backward passes an image, "
        "through pytorch-grad-cam; here it is one forward pass and a matrix product, and both scale the maps to the image's size.",
        "",
        "## Cost grows as it should",
        "",
        "`biascam explain experiments/embedded.yaml` on ever more test images (one short training before, not counted). Images are "
        "counted before the frontal filter. Predicting decodes and aligns the JPEGs, so it is bound by the loader; explaining also "
        "measures 40 maps an image in the paper's regions and in the exact masks. Memory is the peak of the process that predicts and "
        "explains with both classifiers, with 64 MB for decoded images.",
        "",
        "| test images | predicted, images/s | explained, images/s | peak memory, MB |",
        "|---:|---:|---:|---:|",
    ]
    text += [f"| {n:,} | {predicted:,.0f} | {explained:,.0f} | {peak:,.0f} |" for n, predicted, explained, peak in growth()]
    arguments.out.write_text("\n".join(text) + "\n")
    print(arguments.out)


if __name__ == "__main__":
    main()
