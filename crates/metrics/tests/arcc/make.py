"""Writes expected.json: coherency, complexity and ARCC by pytorch-grad-cam.

    pip install grad-cam==1.5.7 && python make.py

The network is the probability of a fixed linear score of the pixels, and a map is what its pixels contribute, smoothed, from 0 to 1.
"""

import json
import os

import cv2
import numpy as np
import torch
from pytorch_grad_cam.metrics.arcc import ARCC, Coherency, Complexity

SIDE, IMAGES = 12, 6
generator = np.random.default_rng(18)
torch.manual_seed(18)
# Sums near 2, with less noise in each, so that some probabilities hardly move.
weights = torch.from_numpy(generator.normal(size=(3, SIDE, SIDE)).astype(np.float32)) / 8 + 0.01


class Probability(torch.nn.Module):
    def forward(self, x):
        return torch.sigmoid((x * weights).sum((1, 2, 3)))[:, None]


def maps(input_tensor, targets):
    parts = (input_tensor * weights).sum(1).numpy()
    smooth = np.array([cv2.GaussianBlur(np.maximum(part, 0), (5, 5), 1.0) for part in parts])
    low, high = smooth.min((1, 2), keepdims=True), smooth.max((1, 2), keepdims=True)
    return np.float32((smooth - low) / (high - low))


images = torch.from_numpy(generator.random((IMAGES, 3, SIDE, SIDE)).astype(np.float32))
targets = [lambda output: output[0]] * IMAGES
# The contributions' maps, and maps that are wrong: turned over, and noise.
given = maps(images, targets)
given[3] = given[3, ::-1]
given[4] = 1 - given[4]
given[5] = np.float32(generator.random((SIDE, SIDE)))
given = np.float32(np.round(given * 4096) / 4096)

metric, roads = ARCC(maps), []
inner = metric.road


def road(*arguments):
    roads.append(inner(*arguments))
    return roads[-1]


metric.road = road
found = metric(images, given, targets, Probability())
of_masked = maps(images * torch.from_numpy(given)[:, None], targets)
out = [
    {
        "map": [float(value) for value in given[i].flatten()],
        "of_masked": [round(float(value), 7) for value in of_masked[i].flatten()],
        "coherency": float(Coherency()(images, given, targets, Probability(), maps)[i]),
        "complexity": float(Complexity()(given)[i]),
        "road": float(roads[0][i]),
        "arcc": float(found[i]),
    }
    for i in range(IMAGES)
]
print([{key: value for key, value in one.items() if not isinstance(value, list)} for one in out])
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "expected.json"), "w") as file:
    json.dump(out, file)
    file.write("\n")
