#!/usr/bin/env python3
"""Runs biascam and PyTorch alternately on one NVIDIA GPU and writes BENCHMARKS-CUDA.md.

    benches/peers/cuda.py [--python PYTHON] [--repetitions N] [--seconds S] [--only ROW]... [--sides SIDE,...] [--out FILE]

PYTHON is an interpreter with PyTorch for CUDA and torchvision; without it a virtual environment is made under `target/peers`. The
row of explaining also needs pytorch-grad-cam, torch.compile a C compiler. ROW is a row's name or how it begins, such as
`resnet50/step` or `resnet50/step/bf16`. Without `--peer` the peer is built, which needs NVIDIA's toolkit. The document is written after
every row, so what was measured before an end too early is in it. A side that fails is said so in it, and is not tried
again; the exit status is 1 if biascam or PyTorch as it is failed, not for torch.compile. `--device cpu --batch 2`
rehearses all of it. Only the standard library is needed to run this script.
"""

import argparse
import json
import os
import shlex
import statistics
import subprocess
import sys
import threading
from pathlib import Path

from common import HERE, ROOT, cell, images_per_second, output, peers_python, processor, revision

# Name of a network, and what it is given.
NETWORKS = [
    ("resnet50", "ResNet-50", 224),
    ("resnet18-w64", "ResNet-18, width 64", 112),
    ("resnet18-w16", "ResNet-18, width 16", 112),
]
TITLES = {
    "step": "training step",
    "fed": "training step with its images uploaded",
    "forward": "forward",
    "explain": "maps of 40 attributes",
}
# Side, its column, and what PyTorch is told beside device, precision and batch; biascam is the first.
SIDES = [
    ("biascam", "biascam", None),
    ("eager", "PyTorch", ["--layout", "channels-last"]),
    ("compile", "torch.compile", ["--layout", "channels-last", "--compile", "default"]),
    ("graphs", "torch.compile, CUDA graphs", ["--layout", "channels-last", "--compile", "reduce-overhead"]),
]
# PyTorch's versions and what it needs for each kind of work.
ABOUT = """
import importlib.util, json, torch, torchvision
cuda = torch.cuda.is_available()
print(json.dumps({
    "torch": torch.__version__, "torchvision": torchvision.__version__, "cuda": torch.version.cuda,
    "cudnn": torch.backends.cudnn.version(), "gpu": torch.cuda.get_device_name(0) if cuda else None,
    "grad_cam": importlib.util.find_spec("pytorch_grad_cam") is not None,
}))
"""


class Row:
    """One kind of work of one network in one precision."""

    def __init__(self, network, kind, precision, batch):
        self.network, self.kind, self.precision, self.batch = network, kind, precision, batch

    @property
    def work(self):
        return f"{self.network}/{self.kind}"

    @property
    def name(self):
        return f"{self.work}/{self.precision}" + (f"/{self.batch}" if self.kind == "explain" else "")

    @property
    def title(self):
        _, title, side = next(line for line in NETWORKS if line[0] == self.network)
        images = "one image" if self.batch == 1 else f"{self.batch} images"
        return f"{title}, {images} of {side} x {side}: {TITLES[self.kind]}"

    def sides(self, wanted):
        """torch.compile has nothing to gain from the authors' way of explaining, which hooks into the model."""
        return [side for side in SIDES if side[0] in wanted and (self.kind != "explain" or side[0] in ("biascam", "eager"))]


def rows(batch):
    """What matters most comes first."""
    networks = [name for name, _, _ in NETWORKS]
    found = [Row(network, "step", precision, batch) for network in networks for precision in ("bf16", "tf32", "float32")]
    found.insert(1, Row("resnet50", "fed", "bf16", batch))
    found += [Row(network, "forward", "float32", batch) for network in networks]
    # The authors explain one image after the other.
    return found + [Row("resnet50", "explain", "float32", images) for images in dict.fromkeys([1, min(batch, 32)])]


class Memory:
    """Peak memory of the GPU in MB while something runs, beside what was taken before, as nvidia-smi sees it twice a second."""

    def __enter__(self):
        self.before = gpu_memory()
        self.most = self.before
        self.done = threading.Event()
        self.watcher = threading.Thread(target=self.watch)
        if self.before is not None:
            self.watcher.start()
        return self

    def watch(self):
        while not self.done.wait(0.5):
            self.most = max(self.most, gpu_memory() or 0)

    def __exit__(self, *_):
        self.done.set()
        if self.before is not None:
            self.watcher.join()

    @property
    def peak(self):
        return None if self.before is None else self.most - self.before


def nvidia_smi(what):
    """What nvidia-smi tells of the GPU in use, or None."""
    gpu = os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",")[0] or "0"
    command = ["nvidia-smi", f"--query-gpu={what}", "--format=csv,noheader,nounits", f"--id={gpu}"]
    try:
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return None


def gpu_memory():
    text = nvidia_smi("memory.used")
    return int(text) if text and text.isdigit() else None


class Measurements:
    """Images a second and peak memory by (row, side), one value a repetition, and why a side failed."""

    def __init__(self, arguments, python, about):
        self.arguments, self.python, self.about = arguments, python, about
        self.speeds, self.peaks, self.failures, self.repetitions = {}, {}, {}, 0

    def command(self, row, side, extra):
        arguments = self.arguments
        program = [str(arguments.peer)] if side == "biascam" else [self.python, str(HERE / "torch_peer.py"), *extra]
        work = [row.work, str(arguments.seconds), "--device", arguments.device]
        # A CPU computes in float32 alone: a rehearsal tells rows apart by their name only.
        precision = row.precision if arguments.device == "cuda" else "float32"
        return [*program, *work, "--precision", precision, "--batch", str(row.batch)]

    def measure(self, row, side, extra):
        if (row.name, side) in self.failures:
            return
        if row.kind == "explain" and side != "biascam" and not self.about["grad_cam"]:
            self.failures[row.name, side] = "pytorch-grad-cam is not installed"
            return
        with Memory() as memory:
            speed, why_not = images_per_second(self.command(row, side, extra), self.arguments.limit)
        if why_not:
            self.failures[row.name, side] = why_not
            print(f"{row.name} {side} failed: {why_not}", file=sys.stderr)
            return
        self.speeds.setdefault((row.name, side), []).append(speed)
        if memory.peak is not None:
            self.peaks[row.name, side] = max(memory.peak, self.peaks.get((row.name, side), 0))
        print(f"{row.name} {side} {speed:.1f} images/s", file=sys.stderr, flush=True)


def document(measurements, chosen, arguments):
    text = [
        f"# Benchmarks: {measurements.about['gpu'] or processor()}",
        "",
        f"Written by `{command(arguments)}` on {versions(measurements.about, arguments)}.",
        "",
    ]
    if arguments.device == "cpu":
        text += ["**A rehearsal on a CPU, in float32 whatever the rows say: these numbers mean nothing.**", ""]
    text += [
        f"All sides ran alternately, {measurements.repetitions} of {arguments.repetitions} repetitions: medians of images a second, and of the ratios "
        "within a repetition, with the smallest and largest in brackets. A ratio above 1 means that biascam is faster. The images are on the GPU already, but where they "
        "are uploaded: biascam's as decoded, 178 x 218 pixels of four bytes, which the GPU turns, mirrors and blurs; PyTorch's as bytes of the network's size that "
        "need nothing more. Neither decodes. No step waits for the GPU, the end of each measurement does.",
        "",
        "PyTorch is channels-last, with `cudnn.benchmark` and the fused AdamW; bf16 is its automatic mixed precision with float32 weights. "
        "biascam scores and explains in float32 whatever precision it was trained in, and so does PyTorch here.",
        "",
        *speed_table(measurements, chosen),
        "",
        "Maps on PyTorch's side are made in the paper's authors' way: 40 forward and 40 backward passes an image or batch, through "
        "pytorch-grad-cam; here it is one forward pass and a matrix product.",
    ]
    if measurements.failures:
        text += ["", "Not measured:", ""]
        text += [f"- {row}, {side}: {why_not}" for (row, side), why_not in measurements.failures.items()]
    if measurements.peaks:
        text += memory_table(measurements, chosen)
    return "\n".join(text) + "\n"


def command(arguments):
    """What does the same again, without the paths of this machine."""
    words = ["benches/peers/cuda.py", "--device", arguments.device, "--batch", arguments.batch, "--repetitions", arguments.repetitions]
    words += ["--seconds", f"{arguments.seconds:g}", *(word for row in arguments.only for word in ("--only", row))]
    return shlex.join(map(str, [*words, "--sides", ",".join(arguments.sides)]))


def versions(about, arguments):
    cudnn = about["cudnn"] or 0
    parts = [f"{about['gpu'] or 'no GPU'} ({processor()})"]
    if about["gpu"]:
        parts.append(f"driver {nvidia_smi('driver_version') or 'unknown'}")
    parts += [
        f"PyTorch {about['torch']}, torchvision {about['torchvision']}, CUDA {about['cuda']} and cuDNN "
        f"{cudnn // 10_000}.{cudnn // 100 % 100}.{cudnn % 100} as PyTorch has them",
        arguments.built or f"biascam {revision()}",
    ]
    return "; ".join(parts)


def speed_table(measurements, chosen):
    columns = [(side, column) for side, column, _ in SIDES if side in measurements.arguments.sides]
    others = [pair for pair in columns if pair[0] != "biascam"]
    ratios = others if "biascam" in measurements.arguments.sides else []
    header = ["work", "precision", *(column for _, column in columns), *(f"ratio to {column}" for _, column in ratios)]
    text = ["| " + " | ".join(header) + " |", "|---|---|" + "---:|" * (len(header) - 2)]
    for row in chosen:
        found = {side: measurements.speeds.get((row.name, side), []) for side, _ in columns}
        cells = [cell(found[side]) for side, _ in columns]
        # Both sides' first values are of one repetition, and so on: who fails is not tried again.
        cells += [cell([a / b for a, b in zip(found["biascam"], found[side])]) for side, _ in ratios]
        text.append(f"| {row.title} | {row.precision} | " + " | ".join(cells) + " |")
    return text


def memory_table(measurements, chosen):
    columns = [(side, column) for side, column, _ in SIDES if side in measurements.arguments.sides]
    text = [
        "",
        "## Memory",
        "",
        "Peak of the GPU's memory in MB beyond what was taken before, as nvidia-smi sees it twice a second. Both sides keep what they "
        "have had for the next time, and the libraries' own code counts.",
        "",
        "| work | precision | " + " | ".join(column for _, column in columns) + " |",
        "|---|---|" + "---:|" * len(columns),
    ]
    for row in chosen:
        peaks = [measurements.peaks.get((row.name, side)) for side, _ in columns]
        cells = ["–" if peak is None else f"{peak:,}" for peak in peaks]
        text.append(f"| {row.title} | {row.precision} | " + " | ".join(cells) + " |")
    return text


def summary(measurements, chosen):
    """One line a row with the ratio to PyTorch as it is."""
    for row in chosen:
        ours, theirs = (measurements.speeds.get((row.name, side), []) for side in ("biascam", "eager"))
        ratios = [a / b for a, b in zip(ours, theirs)]
        print(f"{row.name}: {statistics.median(ratios):.2f} times PyTorch" if ratios else f"{row.name}: no ratio")


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", help="an interpreter with PyTorch for CUDA and torchvision")
    parser.add_argument("--peer", type=Path, help="the example `peer`, built with the feature cuda; without, it is built")
    parser.add_argument("--built", help="what to say of the peer's origin")
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda")
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3.0, help="of each measurement")
    parser.add_argument("--limit", type=float, default=300.0, help="seconds after which one measurement has failed")
    parser.add_argument("--only", action="append", default=[], metavar="ROW", help="rows whose name begins so")
    parser.add_argument("--sides", default=",".join(side for side, _, _ in SIDES), help="of biascam,eager,compile,graphs")
    parser.add_argument("--out", type=Path, default=ROOT / "BENCHMARKS-CUDA.md")
    arguments = parser.parse_args()
    if min(arguments.repetitions, arguments.batch) < 1:
        parser.error("--repetitions and --batch: at least 1")
    arguments.sides = arguments.sides.split(",")
    unknown = set(arguments.sides) - {side for side, _, _ in SIDES}
    if unknown:
        parser.error(f"--sides: there is no {', '.join(sorted(unknown))}")
    known = rows(arguments.batch)
    chosen = [row for row in known if not arguments.only or row.name.startswith(tuple(arguments.only))]
    if not chosen:
        parser.error(f"--only: rows are {', '.join(row.name for row in known)}")
    return arguments, chosen


def main():
    arguments, chosen = parse()
    python = arguments.python or peers_python()
    about = json.loads(output(python, "-c", ABOUT))
    if arguments.device == "cuda" and not about["gpu"]:
        raise SystemExit(f"cuda.py: the PyTorch of {python} ({about['torch']}) sees no GPU")
    if arguments.peer is None:
        print("building biascam", file=sys.stderr)
        features = ["--features", "cuda"] if arguments.device == "cuda" else []
        output("cargo", "build", "--release", "--locked", "--workspace", "--bins", "--examples", *features)
        arguments.peer = ROOT / "target" / "release" / "examples" / "peer"
    arguments.peer = arguments.peer.resolve()
    measurements = Measurements(arguments, python, about)
    for repetition in range(arguments.repetitions):
        print(f"repetition {repetition + 1}", file=sys.stderr, flush=True)
        for row in chosen:
            for side, _, extra in row.sides(arguments.sides):
                measurements.measure(row, side, extra)
            # After the last row the repetition is whole.
            measurements.repetitions = repetition + (row is chosen[-1])
            arguments.out.write_text(document(measurements, chosen, arguments))
    summary(measurements, chosen)
    print(arguments.out)
    # What is missing by choice of the machine, a compiler or pytorch-grad-cam, is no failure.
    there = {(row.name, side) for row in chosen for side in ("biascam", "eager") if side in arguments.sides}
    failed = [key for key in there & set(measurements.failures) if "grad-cam" not in measurements.failures[key]]
    raise SystemExit(1 if failed else 0)


if __name__ == "__main__":
    main()
