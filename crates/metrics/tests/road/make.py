"""Writes expected.json: noisy linear imputation and ROAD by pytorch-grad-cam, whose code is that of ROAD's authors.

    pip install grad-cam==1.5.5 scipy && python make.py

The "network" is a fixed linear score of the pixels, so that the reference needs no weights.
"""

import json
import os

import numpy as np
import torch
from pytorch_grad_cam.metrics.road import NoisyLinearImputer, ROADLeastRelevantFirst, ROADMostRelevantFirst

generator = np.random.default_rng(1)
height, width = 12, 12
image = generator.random((3, height, width)).astype(np.float32)
rounded = lambda values: [round(float(value), 6) for value in np.asarray(values).flatten()]
image = np.float32(rounded(image)).reshape(3, height, width)

cases = []
for missing in [
    generator.random((height, width)) < 0.3,
    generator.random((height, width)) < 0.9,
    np.pad(np.ones((9, 7), bool), ((0, 3), (2, 3))),
]:
    known = torch.from_numpy(np.float32(~missing))
    filled = NoisyLinearImputer(noise=0)(torch.from_numpy(image), known)
    cases.append({"missing": missing.flatten().astype(int).tolist(), "filled": rounded(filled.permute(1, 2, 0))})

# All values differ, so that percentiles cut without ties.
map_ = np.float32(generator.permutation(height * width) / (height * width)).reshape(height, width)
weights = np.float32(rounded(generator.normal(size=(3, height, width)))).reshape(3, height, width)


class Linear(torch.nn.Module):
    def forward(self, x):
        return (x * torch.from_numpy(weights)).sum(dim=(1, 2, 3), keepdim=False).unsqueeze(1)


NoisyLinearImputer.__init__.__defaults__ = (0.0, NoisyLinearImputer.__init__.__defaults__[1])
percentiles = [10, 30, 50, 70, 90]
scores = {}
for name, metric in [("most", ROADMostRelevantFirst), ("least", ROADLeastRelevantFirst)]:
    scores[name] = [
        float(
            metric(p)(torch.from_numpy(image)[None], map_[None], [lambda output: output[0]], Linear())[0]
        )
        for p in percentiles
    ]

out = {
    "height": height,
    "width": width,
    "image": rounded(np.transpose(image, (1, 2, 0))),
    "imputations": cases,
    "map": rounded(map_),
    "weights": rounded(np.transpose(weights, (1, 2, 0))),
    "percentiles": percentiles,
    "score_changes": scores,
}
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "expected.json"), "w") as file:
    json.dump(out, file)
