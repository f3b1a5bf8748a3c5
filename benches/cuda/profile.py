#!/usr/bin/env python3
"""Where the time of a training step on a GPU goes.

    profile.py trace FILE      of biascam, from what trace.c has written down: the last whole step, by kernel
    profile.py torch WORK      of PyTorch doing the same, such as resnet50/step: one step, by kernel (needs PyTorch for CUDA)

A step is what lies between two optimiser kernels. `trace` needs only the standard library.
"""

import argparse
import collections
import re
import sys
from pathlib import Path

# The optimiser's, one launch a step.
STEP = re.compile(r"^(adam|sgd|rms_prop)_step$")


def short(name):
    """cuDNN's and CUTLASS's names run over several lines."""
    return name if len(name) <= 110 else name[:107] + "..."


def table(rows, total):
    print(f"{'ms':>9} {'share':>6} {'calls':>6}  kernel")
    for name, milliseconds, calls in rows:
        print(f"{milliseconds:9.3f} {milliseconds / total:6.1%} {calls:6}  {short(name)}")


def trace(path):
    records = []
    for line in path.read_text(errors="replace").splitlines():
        start, end, stream, _, _, name = line.split("\t", 5)
        records.append((int(start), int(end), int(stream), name))
    records.sort()
    steps = [i for i, (_, _, _, name) in enumerate(records) if STEP.match(name)]
    if len(steps) < 2:
        raise SystemExit(f"profile.py: {path} has {len(steps)} steps of an optimiser, and it takes two to see one whole")
    first, last = steps[-2] + 1, steps[-1] + 1
    step = records[first:last]
    whole = (step[-1][1] - records[first - 1][1]) / 1e6
    times, calls = collections.Counter(), collections.Counter()
    for start, end, _, name in step:
        times[name] += (end - start) / 1e6
        calls[name] += 1
    # Work on several streams overlaps: what no kernel or copy covers is what the GPU waited.
    busy, covered = 0, records[first - 1][1]
    for start, end, _, _ in step:
        busy += max(0, end - max(start, covered))
        covered = max(covered, end)
    print(f"one step of {whole:.2f} ms, {len(step)} kernels and copies; the GPU waited {whole - busy / 1e6:.2f} ms")
    table([(name, ms, calls[name]) for name, ms in times.most_common()], whole)


def torch_step(work):
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "peers"))
    import torch
    import torch_peer

    network, kind = work.split("/")
    block, blocks, width, _, side = torch_peer.NETWORKS[network]
    options = argparse.Namespace(device="cuda", precision="bf16", compile=None)
    torch.backends.cudnn.benchmark = True
    model = torch_peer.WidthResNet(block, blocks, width).to("cuda", memory_format=torch.channels_last)
    images = torch.rand(256, 3, side, side, device="cuda").contiguous(memory_format=torch.channels_last)
    once = torch_peer.KINDS[kind](model, images, options)
    for _ in range(4):
        once()
    torch.cuda.synchronize()
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CUDA]) as profile:
        once()
        torch.cuda.synchronize()
    rows = sorted(profile.key_averages(), key=lambda row: -row.device_time_total)
    rows = [(row.key, row.device_time_total / 1e3, row.count) for row in rows if row.device_time_total]
    total = sum(milliseconds for _, milliseconds, _ in rows)
    print(f"PyTorch {torch.__version__}, {work} in bf16: {total:.2f} ms in kernels")
    table(rows, total)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["trace", "torch"])
    parser.add_argument("of", metavar="FILE|WORK")
    arguments = parser.parse_args()
    if arguments.what == "trace":
        trace(Path(arguments.of))
    else:
        torch_step(arguments.of)


if __name__ == "__main__":
    main()
