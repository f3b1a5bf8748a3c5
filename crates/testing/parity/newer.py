"""Writes NETWORK.newer.safetensors: maps of methods that make.py leaves out, by a newer pytorch-grad-cam, of the networks and images that
make.py stored.

    venv/bin/pip install grad-cam==1.5.7 && venv/bin/python newer.py

On a CPU, with torch 2.15.0 and scikit-learn 1.9.1. Nothing that make.py wrote is changed.
"""

import numpy as np
import pytorch_grad_cam as library
import torch
from safetensors.numpy import load_file, save_file

import make

make.METHODS |= {"fem": library.FEM, "kpca_cam": library.KPCA_CAM, "seg_eigen_cam": library.SegEigenCAM}
LAYERS = ["layer1", "layer2", "layer3", "layer4"]


def refined(network, layer, images):
    """RefineCAM of Grad-CAM++ over all stages up to a layer: final maps alone, which its product is made of."""
    final = []
    targets = [getattr(network, name) for name in LAYERS[: LAYERS.index(layer) + 1]]
    for image in range(make.MAP_IMAGES):
        for attribute in make.MAP_ATTRIBUTES:
            cam = library.RefineCAM(network, targets)
            out = cam(images[image : image + 1], [lambda output: output[attribute].abs()])
            final.append(out[0, :: make.EVERY, :: make.EVERY])
    shape = (make.MAP_IMAGES, len(make.MAP_ATTRIBUTES)) + final[0].shape
    return {"refine_cam/final": np.array(final).reshape(shape).astype(np.float32)}


def main():
    torch.set_num_threads(1)
    images = make.enlarged(load_file(make.HERE / "batch.safetensors")["cells"])
    for name, (block, blocks, inner, _) in make.NETWORKS.items():
        network = make.Thin(block, blocks)
        state = load_file(make.HERE / f"{name}.weights.safetensors")
        network.load_state_dict({key: torch.from_numpy(value.astype(np.float32)) for key, value in state.items()}, strict=False)
        network.eval()
        found = {}
        for layer in [inner, "layer4"]:
            for method in ["fem", "kpca_cam", "seg_eigen_cam"]:
                found |= {f"{layer}/{key}": value for key, value in make.maps(network, method, layer, images).items()}
            found |= {f"{layer}/{key}": value for key, value in refined(network, layer, images).items()}
        save_file(found, make.HERE / f"{name}.newer.safetensors")
        print(name, {key: (value.shape, float(np.abs(value).max())) for key, value in found.items()})


if __name__ == "__main__":
    main()
