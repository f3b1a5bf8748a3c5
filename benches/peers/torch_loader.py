"""torchvision's CelebA and PyTorch's DataLoader, timed: `torch_loader.py FOLDER SIZE WORKERS SECONDS` prints one JSON line.

FOLDER holds `celeba/` with the official files in one folder, as torchvision wants them. Every image is decoded by PIL, moved by
an affine transform with bilinear interpolation, and made a tensor; batches of 64 in a shuffled order. The same work as
`crates/dataset/examples/loader_peer.rs` does. WORKERS 0 does all of it in the one process that asks for batches.
"""

import json
import resource
import sys
import time

import torch
from PIL import Image
from torch.utils.data import DataLoader
from torchvision.datasets import CelebA
from torchvision.transforms.functional import to_tensor


class Faces(CelebA):
    """Without the check of the official files' hashes, which no other faces pass."""

    def _check_integrity(self):
        return True


class Align:
    """CelebA's own alignment, shifted into the square; by PIL, whose transform maps the square to the image."""

    def __init__(self, size):
        self.size, self.scale = size, 224 / size

    def __call__(self, image):
        coefficients = (self.scale, 0, -24, 0, self.scale, 10)
        size = (self.size, self.size)
        return to_tensor(image.transform(size, Image.Transform.AFFINE, coefficients, Image.Resampling.BILINEAR))


def main():
    folder, size, workers, seconds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
    torch.set_num_threads(1)
    torch.manual_seed(1)
    start = time.perf_counter()
    data = Faces(folder, split="train", target_type="attr", transform=Align(size))
    opened = time.perf_counter() - start
    loader = DataLoader(data, batch_size=64, shuffle=True, num_workers=workers)
    batches = iter(loader)
    for _ in range(workers + 1):
        next(batches)
    images, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        images += len(next(batches)[0])
    speed = images / (time.perf_counter() - start)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"images_per_second": speed, "open_seconds": opened, "peak_megabytes": peak}), flush=True)


if __name__ == "__main__":
    main()
