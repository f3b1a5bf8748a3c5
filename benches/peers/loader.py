#!/usr/bin/env python3
"""Runs biascam's loader and torchvision's CelebA with PyTorch's DataLoader alternately and writes docs/develop/loader.md.

    benches/peers/loader.py [--python PYTHON] [--images N] [--distinct N] [--repetitions N] [--seconds S] [--data DIR] [--out FILE]

As many procedural faces as CelebA has are written to DIR in each form that people have CelebA in, DISTINCT of them drawn and the
rest repeated (the faces of folders as second names of one file). Only the standard library is needed to run this script.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

from common import HERE, ROOT, instruction_sets, output, peers_python, processor

SIZE = 224
# Images of the packed files: all of CelebA's would take 24 GB.
PACKED = 20_000

TEXT = """# The loader

The loader turns the files of CelebA, in each of its forms, into batches of aligned images. This page says how it reads each form and how fast that is. You need it to choose a
form, or to change the loader. `benches/peers/loader.py` (`just peers-loader`) writes the page and compares `crates/dataset/examples/loader_peer.rs` with
`benches/peers/torch_loader.py`.

## How each form is read

- **Folder, flat or nested**: one read for each image.
- **Zip**: the archive's index is read when it is opened. Then there is one read for each image, and its checksum is verified.
- **The hub's Parquet files**: a Parquet reader would unpack a row group (a hundred images, or a hundred megabytes) to reach one image, and would do so for every image of a
  shuffled epoch. So the program goes through the shards once and writes `biascam-index-1` beside them, which has the place and the checksum of each image's bytes. How an image
  is then read depends on its column:
  - not compressed, as the hub's library writes images now: exactly its bytes;
  - a Snappy stream, as the hub's library wrote them before: from the multiple of 64 KiB in front of the image on;
  - packed in another way (zstd, gzip): the whole page is unpacked. That is correct but slow in a shuffled order; packed images avoid it.
- **Packed images** (`data.packed_cache: true`): a file of decoded pixels before alignment, halved as often as `image_size` needs. An image takes 116 KB at 224 pixels (23 GB for
  CelebA) and 29 KB at 112 (6 GB). The file is worth it where decoding takes the time: at 112 pixels, or with the hub's PNGs. The batches are the same, byte for byte. The pixels
  are not aligned, because augmentation turns and shifts the alignment and so needs what lies outside of it. In memory the loader keeps the same pixels
  (`data.cache_megabytes`).

The loader fills the memory of batches that are given back (`Loader::recycle`) again. New memory (38 MB for 64 images at 224 pixels) has to be cleared by the system page by page,
which took as long as sampling the images.
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", help="an interpreter with the peers' requirements")
    parser.add_argument("--images", type=int, default=202_599)
    parser.add_argument("--distinct", type=int, default=4_000)
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=2.0, help="of each measurement")
    parser.add_argument("--data", type=Path, default=ROOT / "target" / "loader-data", help="kept for the next run; 6 GB")
    parser.add_argument("--around", default="", help="a command that each timed one is run by, as `taskset -c 0,1`")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "develop" / "loader.md")
    arguments = parser.parse_args()
    python = arguments.python or peers_python()
    output("cargo", "build", "--release", "--locked", "--workspace", "--bins", "--examples")
    folders = prepare(arguments)
    found = measure(python, arguments, folders)
    arguments.out.write_text(report(python, arguments, found))
    print(arguments.out)


def prepare(arguments):
    """The folder of each form; torchvision's has the official files' names in one folder, and boxes, which it insists on."""
    program = str(ROOT / "target" / "release" / "biascam")
    folders = {}
    for layout in ("nested", "zip", "parquet"):
        folders[layout] = arguments.data / layout
        write = ["data", "procedural", "--out", str(folders[layout]), "--images", str(arguments.images)]
        output(program, *write, "--layout", layout, "--distinct", str(arguments.distinct))
    index = folders["parquet"] / "img_align+identity+attr" / "biascam-index-1"
    index.unlink(missing_ok=True)
    for where in ("Anno", "Eval"):
        for file in (folders["nested"] / where).iterdir():
            link(file, arguments.data / "torchvision" / "celeba" / file.name)
    official = arguments.data / "torchvision" / "celeba"
    link(folders["nested"] / "Img" / "img_align_celeba", official / "img_align_celeba")
    boxes = "".join(f"{index:06}.jpg 1 1 2 2\n" for index in range(1, arguments.images + 1))
    (official / "list_bbox_celeba.txt").write_text(f"{arguments.images}\nimage_id x_1 y_1 width height\n{boxes}")
    folders["torchvision"] = arguments.data / "torchvision"
    return folders


def link(target, name):
    name.parent.mkdir(parents=True, exist_ok=True)
    if not name.exists():
        name.symlink_to(target.resolve())


# What is measured: name, side, form, size, more arguments.
WORK = [
    ("torchvision", "torch", "torchvision", SIZE, []),
    ("folder", "biascam", "nested", SIZE, []),
    ("zip", "biascam", "zip", SIZE, []),
    ("Parquet", "biascam", "parquet", SIZE, []),
    ("folder, packed", "biascam", "nested", SIZE, ["packed"]),
    ("folder, 112 pixels", "biascam", "nested", 112, []),
    ("folder, packed, 112 pixels", "biascam", "nested", 112, ["packed"]),
    ("folder, the paper's augmentation", "biascam", "nested", SIZE, ["affact"]),
]


def measure(python, arguments, folders):
    """What each side printed, by (name, threads), one value a repetition."""
    peer = str(ROOT / "target" / "release" / "examples" / "loader_peer")
    cores = os.cpu_count()
    found = {}

    def run(name, side, form, size, more, threads):
        where = [str(folders[form]), str(size), str(threads), str(arguments.seconds)]
        if side == "torch":
            command = [python, str(HERE / "torch_loader.py"), *where]
        else:
            packed = [f"packed={arguments.data / f'{size}.pixels'}", f"images={PACKED}"]
            command = [peer, *where, *(word for word in more if word != "packed"), *(packed if "packed" in more else [])]
        return json.loads(output(*arguments.around.split(), *command).strip().splitlines()[-1])

    # Once, not timed: writes the packed images and goes through the shards.
    for work in WORK:
        if work[1] == "biascam":
            found[work[0], "first"] = [run(*work, 0)]
    for repetition in range(arguments.repetitions):
        for work in WORK:
            for threads in (0, cores):
                result = run(*work, threads)
                found.setdefault((work[0], threads), []).append(result)
                print(f"repetition {repetition + 1}: {work[0]}, {threads} threads: {result}", file=sys.stderr)
    return found


def report(python, arguments, found):
    cores = os.cpu_count()

    def values(name, threads, key):
        return [result[key] for result in found[name, threads]]

    def cell(numbers, digits=0):
        return f"{statistics.median(numbers):,.{digits}f} ({min(numbers):,.{digits}f}–{max(numbers):,.{digits}f})"

    torchvision = output(python, "-c", "import torch, torchvision; print(torchvision.__version__, torch.__version__)").split()
    lines = [
        TEXT,
        "## How fast it is",
        "",
        f"The machine: {cores} cores of one {processor()} ({instruction_sets()}), {output('rustc', '--version').split(' (')[0]}, torchvision "
        f"{torchvision[0]}, PyTorch {torchvision[1]}.",
        "",
        f"Each form has {arguments.images:,} procedural faces, of which {arguments.distinct:,} are distinct and the others repeat them. So "
        "they are read from memory, as files are that fit there; a disk is not measured. The\nJPEGs have 12 KB, half again as much as "
        f"CelebA's. Images of the training split come in a shuffled order, in batches of 64, at {SIZE} pixels unless said otherwise. biascam "
        "uses landmarks,\ntorchvision does not.",
        "",
        f"Every piece of work was done once in each of {arguments.repetitions} rounds. The table has medians, with the smallest and largest in "
        "brackets. Ratios are to torchvision in the same number of\nprocesses or threads.",
        "",
        f"| | one thread, images/s | ratio | {cores} threads or workers, images/s | ratio | open, s | peak memory, MB |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    base = {threads: statistics.median(values("torchvision", threads, "images_per_second")) for threads in (0, cores)}
    for name, side, *_ in WORK:
        speeds = {threads: values(name, threads, "images_per_second") for threads in (0, cores)}
        ratio = {threads: f"{statistics.median(speeds[threads]) / base[threads]:.1f}" for threads in speeds}
        label = "torchvision and DataLoader" if side == "torch" else name
        lines.append(
            f"| {label} | {cell(speeds[0])} | {ratio[0]} | {cell(speeds[cores])} | {ratio[cores]} | "
            f"{cell(values(name, 0, 'open_seconds'), 2)} | {cell(values(name, cores, 'peak_megabytes'))} |"
        )
    first = found["Parquet", "first"][0]["open_seconds"]
    packing = {name: found[name, "first"][0]["packing_seconds"] for name in ("folder, packed", "folder, packed, 112 pixels")}
    growth = [result["megabytes_after"] - result["megabytes"] for key, results in found.items() for result in results if "megabytes" in result]
    lines += [
        "",
        f"- The first opening of the shards, which goes through all of them, took {first:.1f} s.",
        f"- Packing {PACKED:,} images took {packing['folder, packed']:.0f} s at {SIZE} pixels and "
        f"{packing['folder, packed, 112 pixels']:.0f} s at 112 (0 means that the file was there from an earlier run). Packed images were "
        "measured on these.",
        f"- From the first batches to the end of a measurement, resident memory grew by at most {max(growth):.1f} MB. torchvision's peak is that "
        "of its main process alone.",
        "- The paper's augmentation (rotation, scale, shift, mirror, blur) has no counterpart on torchvision's side here. Its ratio is to the "
        "plain work.",
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
