"""Writes what PyTorch and pytorch-grad-cam compute for two thin networks, beside this file; README.md lists it.

    python -m venv venv && venv/bin/pip install -r requirements.txt && venv/bin/python make.py

The networks are put together from torchvision's blocks, so that the tensors have torchvision's names; weights are random, and
rounded to float16, in which they are stored. On a CPU.
"""

import json
from pathlib import Path

import numpy as np
import pytorch_grad_cam as library
import torch
from pytorch_grad_cam.utils.image import scale_cam_image
from safetensors.numpy import save_file
from torch import nn
from torchvision.models.resnet import BasicBlock, Bottleneck, ResNet

HERE = Path(__file__).resolve().parent
WIDTH, SIDE, CELLS, IMAGES, ATTRIBUTES, STEPS = 4, 100, 25, 8, 5, 3
# The block, the blocks of each stage, the inner stage whose maps are stored, and the seed.
NETWORKS = {"basic": (BasicBlock, [2, 2, 2, 2], "layer2", 1), "bottleneck": (Bottleneck, [2, 2, 2, 2], "layer3", 2)}
# Of the maps: so many images, these attributes, and of a final map every so manieth row and column.
MAP_IMAGES, MAP_ATTRIBUTES, EVERY = 2, [0, 2, 3], 11
# Of a parameter: at most so many values, evenly spread.
SAMPLES = 16
METHODS = {
    "grad_cam": library.GradCAM,
    "hires_cam": library.HiResCAM,
    "grad_cam_plus_plus": library.GradCAMPlusPlus,
    "x_grad_cam": library.XGradCAM,
    "layer_cam": library.LayerCAM,
    "grad_cam_elementwise": library.GradCAMElementWise,
    "eigen_cam": library.EigenCAM,
    "eigen_grad_cam": library.EigenGradCAM,
    "shapley_cam": library.ShapleyCAM,
    "score_cam": library.ScoreCAM,
    "ablation_cam": library.AblationCAM,
    "full_grad": library.FullGrad,
}
# A singular vector has no sign.
SIGNLESS = {"eigen_cam", "eigen_grad_cam", "kpca_cam"}
# Positives and negatives of each attribute, one of them a tie.
COUNTS = [(30, 70), (80, 20), (50, 50), (5, 95), (60, 40)]


class Thin(nn.Module):
    """torchvision's `ResNet` with other widths."""

    def __init__(self, block, blocks):
        super().__init__()
        self.conv1 = nn.Conv2d(3, WIDTH, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(WIDTH)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        before = WIDTH
        for stage, count in enumerate(blocks):
            width, stride = WIDTH << stage, 1 if stage == 0 else 2
            made = []
            for _ in range(count):
                after, down = width * block.expansion, None
                if stride != 1 or before != after:
                    down = nn.Sequential(nn.Conv2d(before, after, 1, stride, bias=False), nn.BatchNorm2d(after))
                made.append(block(before, width, stride, down))
                before, stride = after, 1
            setattr(self, f"layer{stage + 1}", nn.Sequential(*made))
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(before, ATTRIBUTES)
        names = set(ResNet(block, blocks, num_classes=ATTRIBUTES).state_dict())
        assert names == set(self.state_dict()), names ^ set(self.state_dict())

    def features(self, x):
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        return self.layer4(self.layer3(self.layer2(self.layer1(x))))

    def forward(self, x):
        return self.fc(self.avgpool(self.features(x)).flatten(1))


def pictures(generator, count):
    """Coloured gradients and noise, uint8 [count, 3, CELLS, CELLS]; every cell stands for SIDE / CELLS pixels squared."""
    at = np.linspace(0, 1, CELLS)
    waves = []
    for _ in range(count * 3):
        a, b, c = generator.uniform(-4, 4, 3)
        waves.append(np.sin(a * at[:, None] + b * at[None, :] + c))
    smooth = np.array(waves).reshape(count, 3, CELLS, CELLS)
    noisy = 0.5 + 0.3 * smooth + 0.2 * generator.uniform(-1, 1, smooth.shape)
    return np.round(255 * np.clip(noisy, 0, 1)).astype(np.uint8)


def enlarged(cells):
    factor = SIDE // CELLS
    return torch.from_numpy(cells.repeat(factor, 2).repeat(factor, 3).astype(np.float32) / np.float32(255))


def random_network(block, blocks, images, seed):
    """Weights in float16's range and precision. Convolutions are six times He's, which batch norm cancels and which makes a few
    training steps well conditioned; the branches of residual blocks are small. Running statistics are near those of the images."""
    torch.manual_seed(seed)
    network = Thin(block, blocks)
    last = "bn3" if block is Bottleneck else "bn2"
    with torch.no_grad():
        for name, module in network.named_modules():
            if isinstance(module, nn.Conv2d):
                fan_in = module.weight[0].numel()
                module.weight.normal_(0, 6 * (2 / fan_in) ** 0.5)
            elif isinstance(module, nn.BatchNorm2d):
                module.weight.uniform_(0.05, 0.25) if name.endswith(last) else module.weight.uniform_(0.6, 1.4)
                module.weight.mul_(torch.where(torch.rand_like(module.weight) < 0.05, -1.0, 1.0))
                module.bias.normal_(0, 0.2)
                module.momentum = 1.0
        network.train()(images)
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.momentum = 0.1
                scale = module.running_var.sqrt()
                module.running_mean.add_(0.2 * scale * torch.randn_like(scale))
                module.running_var.mul_(torch.empty_like(scale).uniform_(0.7, 1.4))
        network.fc.weight.normal_(0, 1)
        network.eval()
        logits = nn.functional.linear(network.features(images).mean((2, 3)), network.fc.weight)
        network.fc.weight.div_(logits.std(0)[:, None])
        network.fc.bias.copy_(-(logits / logits.std(0)).mean(0) + 0.3 * torch.randn(ATTRIBUTES))
        for tensor in network.state_dict().values():
            if tensor.is_floating_point():
                tensor.copy_(tensor.half().float())
    return network


def stored(network, kind):
    """Names of the float tensors, in the order of the alphabet; `kind` of them."""
    parameters = dict(network.named_parameters())
    names = sorted(name for name, tensor in network.state_dict().items() if tensor.is_floating_point())
    chosen = {"all": names, "parameters": [n for n in names if n in parameters], "statistics": [n for n in names if n not in parameters]}
    return chosen[kind]


def sampled(tensors):
    """At most SAMPLES values of each tensor, one behind the other."""
    def of(tensor):
        flat = tensor.detach().flatten().numpy()
        count = min(SAMPLES, len(flat))
        return flat[[k * len(flat) // count for k in range(count)]].copy()

    return np.concatenate([of(tensor) for tensor in tensors])


def class_weights():
    """1 for the minority class, minority / majority for the other."""
    counts = np.array(COUNTS, np.float64)
    return counts.min(1, keepdims=True) / counts


RUNS = {
    "sgd_mse": (False, lambda z, y: (z - y) ** 2, lambda p: torch.optim.SGD(p, lr=0.01, momentum=0.9)),
    "sgd_mse_weighted": (True, lambda z, y: (z - y) ** 2, lambda p: torch.optim.SGD(p, lr=0.01, momentum=0.9)),
    "adam_bce_weighted": (
        True,
        lambda z, y: nn.functional.binary_cross_entropy_with_logits(z, (y + 1) / 2, reduction="none"),
        lambda p: torch.optim.Adam(p, lr=0.001),
    ),
}


def train(make, images, labels, run, dtype):
    """STEPS steps on the same batch: losses, and tensors by what they are of."""
    weighted, loss_of, optimiser = RUNS[run]
    network = make().to(dtype).train()
    images, labels = images.to(dtype), labels.to(dtype)
    weights = torch.from_numpy(class_weights()).to(dtype)
    weights = torch.where(labels > 0, weights[:, 0], weights[:, 1]) if weighted else torch.ones_like(labels)
    optimiser = optimiser(network.parameters())
    losses, found = [], {}
    tensors = lambda kind: [network.state_dict()[name].detach().clone() for name in stored(network, kind)]
    for step in range(STEPS):
        logits = network(images)
        loss = (weights * loss_of(logits, labels)).mean()
        optimiser.zero_grad()
        loss.backward()
        losses.append(loss.item())
        if step == 0:
            parameters = dict(network.named_parameters())
            found["logits"] = [logits.detach().clone()]
            found["gradients"] = [parameters[name].grad.clone() for name in stored(network, "parameters")]
            found["statistics"] = tensors("statistics")
        optimiser.step()
    found["after"] = tensors("all")
    with torch.no_grad():
        found["logits_after"] = [network.eval()(images)]
    return losses, found


def digits(value):
    return float(f"{value.item():.3g}")


def trained(make, images, labels):
    """Float32 values, and what float64 has from the same steps: losses, and by how much each tensor differs."""
    values, numbers = {}, {}
    for run in RUNS:
        losses, single = train(make, images, labels, run, torch.float32)
        exact_losses, double = train(make, images, labels, run, torch.float64)
        for what, tensors in single.items():
            values[f"{run}/{what}"] = tensors[0].numpy() if what.startswith("logits") else sampled(tensors)
        numbers[run] = {
            "losses": exact_losses,
            # Of each tensor: the largest difference between the two runs, and the largest value.
            "deviations": {
                what: [[digits((a.double() - b).abs().max()), digits(b.abs().max())] for a, b in zip(tensors, double[what])]
                for what, tensors in single.items()
            },
        }
        print(run, losses, exact_losses)
    return values, numbers


def maps(network, method, layer, images):
    """Raw maps [MAP_IMAGES, attributes, h, w] before ReLU and scaling, and final ones, each also from the negated raw map."""
    raw, final, flipped = [], [], []
    for image in range(MAP_IMAGES):
        for attribute in MAP_ATTRIBUTES:
            with METHODS[method](model=network, target_layers=[getattr(network, layer)]) as cam:
                cam.batch_size = 8
                caught, original = [], getattr(cam, "get_cam_image", None)

                def catch(*arguments, **named):
                    caught.append(np.array(original(*arguments, **named)))
                    return caught[-1]

                if method != "full_grad":
                    cam.get_cam_image = catch
                out = cam(images[image : image + 1], [lambda output: output[attribute].abs()])
            final.append(out[0, ::EVERY, ::EVERY])
            if method != "full_grad":
                raw.append(caught[0][0])
                # The library's steps behind the raw map, its sign turned.
                turned = scale_cam_image(np.maximum(-caught[0], 0), (SIDE, SIDE))[:, None]
                flipped.append(scale_cam_image(np.maximum(turned, 0).mean(1))[0, ::EVERY, ::EVERY])
                same = scale_cam_image(np.maximum(caught[0], 0), (SIDE, SIDE))[:, None]
                assert np.array_equal(scale_cam_image(np.maximum(same, 0).mean(1))[0], out[0]), method
    shape = (MAP_IMAGES, len(MAP_ATTRIBUTES))
    found = {f"{method}/final": np.array(final)}
    if raw:
        found[f"{method}/raw"] = np.array(raw)
        if method in SIGNLESS:
            found[f"{method}/flipped"] = np.array(flipped)
    return {name: value.reshape(shape + value.shape[1:]).astype(np.float32) for name, value in found.items()}


def main():
    torch.set_num_threads(1)
    generator = np.random.default_rng(7)
    cells = pictures(generator, IMAGES)
    images = enlarged(cells)
    labels = np.where(generator.uniform(size=(IMAGES, ATTRIBUTES)) < 0.5, -1.0, 1.0).astype(np.float32)
    batch = {
        "cells": cells,
        "labels": labels,
        "class_counts": np.array(COUNTS, np.int64),
        "class_weights": class_weights().astype(np.float32),
    }
    save_file(batch, HERE / "batch.safetensors")
    for name, (block, blocks, inner, seed) in NETWORKS.items():
        network = random_network(block, blocks, images, seed)
        state = {key: network.state_dict()[key].numpy().astype(np.float16) for key in stored(network, "all")}
        assert all(np.array_equal(value.astype(np.float32), network.state_dict()[key].numpy()) for key, value in state.items())
        save_file(state, HERE / f"{name}.weights.safetensors")

        def make():
            again = Thin(block, blocks)
            again.load_state_dict({key: torch.from_numpy(value.astype(np.float32)) for key, value in state.items()}, strict=False)
            return again

        with torch.no_grad():
            logits, features = network(images), network.features(images[:MAP_IMAGES])
            exact = make().double().eval()
            double = images.double()
            pairs = [(logits, exact(double)), (features, exact.features(double[:MAP_IMAGES]))]
            off = [digits((a.double() - b).abs().max()) for a, b in pairs]
        # Nearer to 0 the side of a score would be a matter of rounding.
        assert logits[:MAP_IMAGES, MAP_ATTRIBUTES].abs().min() > 0.05, logits
        print(name, logits, "channels without a value", (features.amax((2, 3)) == 0).sum(1), off)
        values, runs = trained(make, images, torch.from_numpy(labels))
        values |= {"logits": logits.numpy(), "features": features.numpy()}
        save_file(values, HERE / f"{name}.network.safetensors")
        stages = [{"width": WIDTH << i, "blocks": n, "stride": 1 if i == 0 else 2} for i, n in enumerate(blocks)]
        numbers = {
            "architecture": {"block": name, "stages": stages},
            "map_attributes": MAP_ATTRIBUTES,
            "deviations": {"logits": off[0], "features": off[1]},
            "runs": runs,
        }
        (HERE / f"{name}.json").write_text(json.dumps(numbers) + "\n")

        found = {}
        for layer in [inner, "layer4"]:
            for method in METHODS:
                if method != "full_grad" or layer == "layer4":
                    found |= {f"{layer}/{key}": value for key, value in maps(network.eval(), method, layer, images).items()}
        save_file(found, HERE / f"{name}.maps.safetensors")
        for layer in [inner, "layer4"]:
            for method in ["eigen_cam", "eigen_grad_cam"]:
                sides = (found[f"{layer}/{method}/raw"] * found[f"{layer}/hires_cam/raw"]).sum((2, 3))
                print(layer, method, "product with the evidence", sides.flatten())
        empty = [key for key, value in found.items() if key.endswith("final") and (value.max((2, 3)) == 0).any()]
        print("empty final maps:", empty)


if __name__ == "__main__":
    main()
