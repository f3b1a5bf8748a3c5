#!/usr/bin/env python3
"""Runs biascam and PyTorch alternately on the same work and writes BENCHMARKS.md.

    benches/peers/compare.py [--python PYTHON] [--repetitions N] [--seconds S] [--only WORK]... [--out FILE]

PYTHON is an interpreter that has what `requirements.txt` lists; without it a virtual environment is made under `target/peers`.
WORK is a line of the table such as `resnet50/step`, or `growth`; without it everything runs.
Only the standard library is needed to run this script. Speeds are compared within one run only: each repetition takes every
piece of work once on every side, one process after the other, so that a slower minute of the machine hits all sides.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

from common import HERE, ROOT, cell, instruction_sets, output, peers_python, processor, revision, torch_version

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
TEST_IMAGES = [500, 2000, 8000, 20000]


def speeds(python, chosen, repetitions, seconds, threads):
    """Images a second by (work, side), one value a repetition."""
    peer = ROOT / "target" / "release" / "examples" / "peer"
    environment = {**os.environ, "RAYON_NUM_THREADS": str(threads)}
    found = {}
    for repetition in range(repetitions):
        for work, _, both_layouts in chosen:
            sides = {"biascam": [str(peer), work, str(seconds)]}
            for layout in ["default", "channels-last"] if both_layouts else ["default"]:
                program = [python, str(HERE / "torch_peer.py"), work, str(seconds)]
                sides[layout] = [*program, "--layout", layout, "--threads", str(threads)]
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
                # Stages of a fixed number of images, which would hide what the others take.
                "measure.occlusion.images": 0,
                "measure.decomposed_images": 0,
                "measure.faithfulness.images": 0,
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
        raise SystemExit(f"compare.py: `{' '.join(command)}` failed; run it to see why")
    # Linux counts in KiB, macOS in bytes.
    return usage.ru_maxrss / (1 << 20 if sys.platform == "darwin" else 1 << 10)


def speed_table(found, chosen, repetitions, threads):
    text = [
        "",
        "## Speed",
        "",
        f"Both sides use {threads} threads and float32 and ran alternately, {repetitions} times: medians of images a second, and of the "
        "ratios within a repetition, with the smallest and largest in brackets. A ratio above 1 means that biascam is faster.",
        "",
        "| work | biascam | PyTorch, default layout | PyTorch, channels last | ratio to default | ratio to channels last |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for work, title, _ in chosen:
        ours, default, last = (found.get((work, side)) for side in ("biascam", "default", "channels-last"))
        ratios = [[a / b for a, b in zip(ours, theirs)] if theirs else None for theirs in (default, last)]
        text.append(f"| {title} | " + " | ".join(map(cell, [ours, default, last, *ratios])) + " |")
    if any(work == "resnet50/explain" for work, _, _ in chosen):
        text += [
            "",
            "The last line is the paper's authors' way of explaining on PyTorch's side: 40 forward and 40 backward passes an image, "
            "through pytorch-grad-cam; here it is one forward pass and a matrix product, and both scale the maps to the image's size.",
        ]
    return text


def growth_table(rows):
    text = [
        "",
        "## Cost grows as it should",
        "",
        "`biascam explain experiments/embedded.yaml` on ever more test images (one short training before, not counted; nothing hidden, no "
        "method tried). Images are counted before the frontal filter. Predicting decodes and aligns the JPEGs, so it is bound by the loader; "
        "explaining also measures 40 maps an image in the paper's regions and in the exact masks. Memory is the peak of the process that "
        "predicts and explains with both classifiers, with 64 MB for decoded images, which some hundred images fill. Rows are written in "
        "groups of 65,536, 1,638 images that pass the filter; what grows after that is what is known of each image before any is read: its name, "
        "labels, landmarks.",
        "",
        "| test images | predicted, images/s | explained, images/s | peak memory, MB |",
        "|---:|---:|---:|---:|",
    ]
    return text + [f"| {n:,} | {predicted:,.0f} | {explained:,.0f} | {peak:,.0f} |" for n, predicted, explained, peak in rows]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", help="an interpreter with the peers' requirements")
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0, help="of each measurement, at least one batch")
    known = [work for work, _, _ in WORK] + ["growth"]
    parser.add_argument("--only", action="append", choices=known, metavar="WORK", help=f"one of {', '.join(known)}")
    parser.add_argument("--out", type=Path, default=ROOT / "BENCHMARKS.md")
    arguments = parser.parse_args()
    if arguments.repetitions < 1:
        parser.error("--repetitions: at least 1")
    wanted = arguments.only or known
    chosen = [line for line in WORK if line[0] in wanted]
    python = arguments.python or peers_python()
    torch = torch_version(python)
    threads = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    print("building biascam", file=sys.stderr)
    output("cargo", "build", "--release", "--locked", "--workspace", "--bins", "--examples")

    text = [
        "# Benchmarks",
        "",
        f"Written by `just peers` (`benches/peers/compare.py`) on {threads} cores ({processor()}, {instruction_sets()}), "
        f"{platform.system()}, {output('rustc', '--version').split(' (')[0]}, PyTorch {torch}, biascam {revision()}.",
    ]
    if chosen:
        found = speeds(python, chosen, arguments.repetitions, arguments.seconds, threads)
        text += speed_table(found, chosen, arguments.repetitions, threads)
    if "growth" in wanted:
        text += growth_table(growth())
    arguments.out.write_text("\n".join(text) + "\n")
    print(arguments.out)


if __name__ == "__main__":
    main()
