#!/usr/bin/env python3
"""Writes a network of `torch_peer.py` as ONNX, and images with PyTorch's scores of them, for `onnx_peer.py`.

    export_onnx.py NETWORK FOLDER

Writes FOLDER/NETWORK.onnx, whose batch is fixed, and FOLDER/NETWORK.npz: `images` [N, 3, S, S] and `scores` [N, 40], float32. Batch norm
has seen some images before, so that leaving it out, or an update of it, shows.
"""

import argparse
import warnings
from pathlib import Path

import numpy
import torch

from torch_peer import NETWORKS, WidthResNet


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("network", choices=NETWORKS)
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    block, blocks, width, batch, side = NETWORKS[options.network]
    torch.manual_seed(1)
    model = WidthResNet(block, blocks, width)
    images = torch.rand(batch, 3, side, side)
    with torch.no_grad():
        for _ in range(3):
            model(images)
        model.eval()
        scores = model(images)
    # The exporter that traces needs no further package, and the whole network is in its trace.
    warnings.simplefilter("ignore", DeprecationWarning)
    path = options.folder / f"{options.network}.onnx"
    torch.onnx.export(model, (images,), path, input_names=["images"], output_names=["scores"], dynamo=False)
    numpy.savez(options.folder / f"{options.network}.npz", images=images.numpy(), scores=scores.numpy())


if __name__ == "__main__":
    main()
