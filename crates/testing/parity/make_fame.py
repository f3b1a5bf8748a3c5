"""Writes what FAME's authors' code computes for the two thin networks of make.py, beside this file; README.md lists it.

    git clone https://github.com/AIML-IfI/fame && git -C fame checkout 13fd675
    venv/bin/python make_fame.py fame

The argument is the folder that holds their package `fame`, or a file with its functions. On a CPU.
"""

import importlib.util
import json
import sys
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import load_file, save_file

from make import EVERY, HERE, MAP_ATTRIBUTES, MAP_IMAGES, NETWORKS, SIDE, Thin, enlarged

STEPS, LONG, COPIES = 20, 100, 24
# Of a map before the blur: every so manieth row and column.
RAW_EVERY = 5
# The blur of 49 pixels and deviation 7.7 at 224 pixels, at this side; their code makes the kernel odd.
KERNEL, SIGMA = int(49 * SIDE / 224), 7.7 * SIDE / 224
# Cells of the inner and of the last stage, rows and columns in shares of the stage's side.
CELLS = [(0.0, 0.0), (0.5, 0.5), (0.99, 0.3), (0.2, 0.99)]


def authors(path):
    """Their functions, from the package or from one file."""
    path = Path(path)
    if path.is_file():
        spec = importlib.util.spec_from_file_location("fame_code", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module.fame, module.fame_attribution, module.classification_loss, module.feature_map_loss
    sys.path.insert(0, str(path))
    from fame.attribution import fame_attribution
    from fame.losses import classification_loss, feature_map_loss
    from fame.optimizer import fame

    return fame, fame_attribution, classification_loss, feature_map_loss


def explained(code, network, images, loss, steps):
    """Maps before the blur and final ones [rows, SIDE, SIDE]."""
    fame, attribution, _, _ = code
    moved = fame(images, loss, iterations=steps)
    raw = attribution(images, moved, blur_kernel=None, normalization="max")
    return raw[:, 0], attribution(images, moved, blur_kernel=KERNEL, blur_sigma=SIGMA)[:, 0]


def stage(network, layer):
    def extract(x):
        x = network.maxpool(network.relu(network.bn1(network.conv1(x))))
        for name in ["layer1", "layer2", "layer3", "layer4"]:
            x = getattr(network, name)(x)
            if name == layer:
                return x

    return extract


def main():
    torch.set_num_threads(1)
    torch.manual_seed(0)
    code = authors(sys.argv[1])
    _, _, classification_loss, feature_map_loss = code
    images = enlarged(load_file(HERE / "batch.safetensors")["cells"])[:MAP_IMAGES]
    for name, (block, blocks, inner, _) in NETWORKS.items():
        weights = load_file(HERE / f"{name}.weights.safetensors")
        state = {key: torch.from_numpy(value.astype(np.float32)) for key, value in weights.items()}

        def make(dtype):
            network = Thin(block, blocks)
            network.load_state_dict(state, strict=False)
            return network.to(dtype).eval()

        found, numbers = {}, {}
        single, double = make(torch.float32), make(torch.float64)

        def both(key, rows, loss, steps=STEPS, copies=COPIES):
            """Float32 maps. Beside them, of each row, how far the raw map is from it in float64, and at most and how often by more than 1e-4
            where the image's values are moved by one unit in the last place at random."""
            raw, final = explained(code, single, rows, loss(single), steps)
            off = lambda maps: (maps[0].double() - raw).abs().amax((1, 2))
            digits = lambda values: [float(f"{value:.2g}") for value in values]
            stated = {"float64": digits(off(explained(code, double, rows.double(), loss(double), steps)))}
            if copies:
                moved = [rows * (1 + 2**-23 * (torch.randint(0, 3, rows.shape) - 1)) for _ in range(copies)]
                parted = torch.stack([off(explained(code, single, copy, loss(single), steps)) for copy in moved])
                stated |= {"last_place": digits(parted.amax(0)), "parted": (parted > 1e-4).sum(0).tolist()}
            numbers[key] = stated
            print(name, key, stated, flush=True)
            return raw, final

        rows = images.repeat_interleave(len(MAP_ATTRIBUTES), 0)
        attributes = torch.tensor(MAP_ATTRIBUTES * MAP_IMAGES)
        shape = (MAP_IMAGES, len(MAP_ATTRIBUTES))
        for target, absolute in [("predicted", True), ("positive", False)]:
            loss = lambda network: classification_loss(network, attributes, absolute=absolute)
            raw, final = both(target, rows, loss)
            both(f"{target}/{LONG}", rows, loss, LONG, copies=0)
            found[f"{target}/raw"] = raw[:, ::RAW_EVERY, ::RAW_EVERY].unflatten(0, shape)
            found[f"{target}/final"] = final[:, ::EVERY, ::EVERY].unflatten(0, shape)
        for layer in [inner, "layer4"]:
            with torch.no_grad():
                side = stage(single, layer)(images[:1]).shape[-1]
            cells = [(int(y * side), int(x * side)) for y, x in CELLS]
            loss = lambda network: feature_map_loss(stage(network, layer), cells)
            raw, final = both(f"{layer}/cells", images[:1].repeat(len(cells), 1, 1, 1), loss)
            found[f"{layer}/cells"] = torch.tensor(cells, dtype=torch.int64)
            found[f"{layer}/raw"] = raw[:, ::RAW_EVERY, ::RAW_EVERY]
            found[f"{layer}/final"] = final[:, ::EVERY, ::EVERY]
        save_file({key: value.contiguous().numpy() for key, value in found.items()}, HERE / f"{name}.fame.safetensors")
        written = {"steps": STEPS, "copies": COPIES, "rounding": numbers}
        (HERE / f"{name}.fame.json").write_text(json.dumps(written) + "\n")


main()
