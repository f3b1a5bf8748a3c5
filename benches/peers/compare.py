#!/usr/bin/env python3
"""Runs biascam and its peers on a CPU alternately on the same work, and writes what it measured into BENCHMARKS.md.

    benches/peers/compare.py [--python PYTHON] [--repetitions N] [--seconds S] [--only ROW]... [--sides SIDE,...]
                             [--instruction-set avx2] [--peer PATH] [--out FILE]

PYTHON is an interpreter that has what `requirements.txt` lists; without it a virtual environment is made under `target/peers`. A side
whose package is missing has no numbers, and the document says why; without PyTorch nothing is measured. torch.compile needs a C++
compiler. ROW is a row's name or how it begins, such as `resnet50/step` or `resnet50/step/bf16`, or `growth`; without it everything runs,
bfloat16 where the processor computes in it. The document is written after every repetition, and its sections of other instruction sets
stay. The exit status is 1 if biascam or PyTorch as it is failed in float32. Only the standard library is needed to run this script.

Speeds are compared within one run only: each repetition takes every row once on every side, one process after the other, so that a
slower minute of the machine hits all sides.
"""

import argparse
import datetime
import os
import platform
import sys
import tempfile
from pathlib import Path

from common import ROOT, bfloat16_sets, images_per_second, instruction_sets, output, peers_python, processor, revision
from document import GROWTH, replaced, speed_section
from growth import growth, growth_section
from sides import BF16, FLOAT32, SIDES, Runner, versions

# Name of a network, and what it is given.
NETWORKS = [
    ("resnet18-w16", "ResNet-18, width 16, 32 images of 112 x 112"),
    ("resnet18-w64", "ResNet-18, width 64, 32 images of 112 x 112"),
    ("resnet50", "ResNet-50, 8 images of 224 x 224"),
]
TITLES = {"forward": "forward", "step": "training step"}


class Row:
    """One kind of work of one network in one precision."""

    def __init__(self, network, kind, precision, title):
        self.network, self.kind, self.precision, self.title = network, kind, precision, title
        self.work = f"{network}/{kind}"
        self.name = f"{self.work}/{precision}"


def rows(precisions):
    found = [Row(name, kind, precision, f"{given}: {TITLES[kind]}") for precision in precisions for name, given in NETWORKS for kind in TITLES]
    return [*found, Row("resnet50", "explain", FLOAT32, "ResNet-50, one image of 224 x 224: maps of 40 attributes")]


class Measurements:
    """Images a second by (row, side), one value a repetition, and why a side failed."""

    def __init__(self):
        self.speeds, self.failures = {}, {}

    def measure(self, runner, row, side, limit):
        """A side that failed is not tried again."""
        if (row.name, side.name) in self.failures:
            return
        why_not = runner.why_not(side, row)
        if not why_not:
            speed, why_not = images_per_second(runner.command(side, row), limit, runner.environment)
        if why_not:
            self.failures[row.name, side.name] = why_not
            print(f"{row.name} {side.name} not measured: {why_not}", file=sys.stderr)
            return
        self.speeds.setdefault((row.name, side.name), []).append(speed)
        print(f"{row.name} {side.name} {speed:.1f} images/s", file=sys.stderr, flush=True)


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", help="an interpreter with the peers' requirements")
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0, help="of each measurement, at least one batch")
    parser.add_argument("--limit", type=float, default=600.0, help="seconds after which one measurement has failed")
    parser.add_argument("--only", action="append", default=[], metavar="ROW", help="rows whose name begins so, or `growth`")
    known = [side.name for side in SIDES]
    parser.add_argument("--sides", default=",".join(known), help=f"of {','.join(known)}")
    parser.add_argument("--instruction-set", choices=["avx2"], help="keeps all sides that can be kept to it, on a processor with more")
    parser.add_argument("--peer", type=Path, help="the example `peer`, already built; without, it is built. `growth` needs the build")
    parser.add_argument("--out", type=Path, default=ROOT / "BENCHMARKS.md")
    arguments = parser.parse_args()
    if arguments.repetitions < 1:
        parser.error("--repetitions: at least 1")
    arguments.sides = arguments.sides.split(",")
    unknown = set(arguments.sides) - set(known)
    if unknown:
        parser.error(f"--sides: there is no {', '.join(sorted(unknown))}")
    arguments.avx2_only = arguments.instruction_set == "avx2" and instruction_sets() == "AVX-512"
    precisions = [FLOAT32, BF16] if bfloat16_sets() and not arguments.avx2_only else [FLOAT32]
    wanted = tuple(arguments.only) or ("",)
    chosen = [row for row in rows(precisions) if row.name.startswith(wanted)]
    arguments.sides = [side for side in SIDES if side.name in arguments.sides and (side.keeps_to_avx2 or not arguments.avx2_only)]
    if arguments.peer and not arguments.peer.is_file():
        parser.error(f"--peer: there is no file {arguments.peer}")
    arguments.growth = arguments.peer is None and "growth".startswith(wanted)
    if not chosen and not arguments.growth:
        parser.error(f"--only: rows are {', '.join(row.name for row in rows(precisions))}, and growth without --peer")
    return arguments, chosen


def heading(arguments):
    """The name of the section: the widest instruction set that is used."""
    found = "AVX2 on a processor with AVX-512" if arguments.avx2_only else instruction_sets()
    return f"{found[0].upper()}{found[1:]}: {processor()}"


def machine(threads, beside=""):
    """What ran where, for the first line of a section."""
    rust = output("rustc", "--version").split(" (")[0]
    today = datetime.date.today().isoformat()
    return f"{threads} cores of one {processor()}, {platform.system()}, {rust}, {beside}biascam {revision()}, {today}"


def speed_machine(arguments, python, threads):
    bfloat16 = " and ".join(bfloat16_sets())
    programs = "".join(f"{name} {version}, " for name, version in versions(python).items())
    text = f"{machine(threads, programs)}; measurements of {arguments.seconds:g} s. "
    if arguments.avx2_only:
        return text + "Environment variables keep all sides to AVX2 (`benches/peers/sides.py`), but ONNX Runtime, which reads none and is left out."
    return text + (f"bf16 is computed by {bfloat16}." if bfloat16 else "The processor has no instructions for bfloat16, so there are no rows of it.")


def write(path, title, body):
    path.write_text(replaced(path.read_text() if path.exists() else "", title, body))


def main():
    arguments, chosen = parse()
    threads = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    python = arguments.python or peers_python() if chosen else None
    if arguments.peer is None:
        print("building biascam", file=sys.stderr)
        output("cargo", "build", "--release", "--locked", "--workspace", "--bins", "--examples")
        arguments.peer = ROOT / "target" / "release" / "examples" / "peer"
    measurements = Measurements()
    if chosen:
        about = speed_machine(arguments, python, threads)
        with tempfile.TemporaryDirectory() as folder:
            runner = Runner(python, arguments.peer.resolve(), folder, threads, arguments.seconds, arguments.avx2_only)
            for repetition in range(arguments.repetitions):
                print(f"repetition {repetition + 1}", file=sys.stderr)
                for row in chosen:
                    for side in arguments.sides:
                        if side.does(row):
                            measurements.measure(runner, row, side, arguments.limit)
                done = f"{about} {repetition + 1} of {arguments.repetitions} repetitions."
                write(arguments.out, heading(arguments), speed_section(done, measurements, chosen))
    if arguments.growth:
        found = growth()
        write(arguments.out, GROWTH, growth_section(f"{machine(threads)}.", found))
    print(arguments.out)
    must = [(row.name, side) for row in chosen if row.precision == FLOAT32 for side in ("biascam", "eager")]
    failed = [key for key in must if key in measurements.failures and "grad_cam" not in measurements.failures[key]]
    raise SystemExit(1 if failed else 0)


if __name__ == "__main__":
    main()
