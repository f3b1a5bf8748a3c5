"""What the program takes on ever more test images; the standard library only."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from common import ROOT, output

TEST_IMAGES = [500, 2000, 8000, 20000]


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


def growth_section(machine, rows):
    text = [
        machine,
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
