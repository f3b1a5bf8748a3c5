"""Writes expected.json: raw maps of inner stages by pytorch-grad-cam, two images and three attributes.

    pip install torch torchvision grad-cam==1.5.5 && python make.py

A ResNet-18 of width 8 with 64 x 64 images. Weights and images are hashes of their positions, exact in float64, so that the test
makes the same ones and no file has to hold them. The score is |z|, as in the paper.
"""

import json
import os

import numpy as np
import torch
from pytorch_grad_cam import (
    AblationCAM,
    EigenCAM,
    EigenGradCAM,
    GradCAM,
    GradCAMElementWise,
    GradCAMPlusPlus,
    HiResCAM,
    LayerCAM,
    ScoreCAM,
    ShapleyCAM,
    XGradCAM,
)
from torch import nn
from torchvision.models.resnet import BasicBlock

WIDTH, SIDE, IMAGES, ATTRIBUTES = 8, 64, 2, 3
METHODS = {
    "grad_cam": GradCAM,
    "hires_cam": HiResCAM,
    "grad_cam_plus_plus": GradCAMPlusPlus,
    "x_grad_cam": XGradCAM,
    "layer_cam": LayerCAM,
    "grad_cam_elementwise": GradCAMElementWise,
    "eigen_cam": EigenCAM,
    "eigen_grad_cam": EigenGradCAM,
    "shapley_cam": ShapleyCAM,
    "score_cam": ScoreCAM,
    "ablation_cam": AblationCAM,
}


def noise(stream, shape):
    """Uniform in [-1, 1): 32-bit hashes of the position and the stream."""
    x = np.arange(np.prod(shape), dtype=np.uint64) + np.uint64(stream << 24)
    for multiplier in (0x7FEB352D, 0x846CA68B):
        x ^= x >> np.uint64(16)
        x = x * np.uint64(multiplier) & np.uint64(0xFFFFFFFF)
    x ^= x >> np.uint64(16)
    return (x.astype(np.float64) / 2.0**31 - 1.0).reshape(shape)


def fill(name, stream, shape):
    u = noise(stream, shape)
    if name.endswith("running_var"):
        values = 1.0 + 0.5 * u
    elif name.endswith("weight") and len(shape) == 1:
        values = 1.0 + 0.4 * u
    elif name.endswith("weight"):
        values = u * np.sqrt(6.0 / np.prod(shape[1:]))
    else:
        values = 0.2 * u
    return torch.from_numpy(values.astype(np.float32))


class Thin(nn.Module):
    """torchvision's resnet18 with other widths."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, WIDTH, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(WIDTH)
        self.relu = nn.ReLU()
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        before = WIDTH
        for stage in range(4):
            width, stride = WIDTH << stage, 1 if stage == 0 else 2
            down = None
            if stride != 1:
                down = nn.Sequential(nn.Conv2d(before, width, 1, stride, bias=False), nn.BatchNorm2d(width))
            blocks = nn.Sequential(BasicBlock(before, width, stride, down), BasicBlock(width, width))
            setattr(self, f"layer{stage + 1}", blocks)
            before = width
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(before, ATTRIBUTES)

    def forward(self, x):
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(self.avgpool(x).flatten(1))


model = Thin().eval()
names = sorted(name for name in model.state_dict() if "num_batches" not in name)
state = {name: fill(name, stream, tuple(model.state_dict()[name].shape)) for stream, name in enumerate(names)}
missing = model.load_state_dict(state, strict=False).missing_keys
assert all("num_batches" in name for name in missing), missing
images = torch.from_numpy((0.5 + 0.5 * noise(255, (IMAGES, 3, SIDE, SIDE))).astype(np.float32))


def raw_maps(method, layer):
    """`[IMAGES, ATTRIBUTES, h, w]`, as the library has them before ReLU and scaling."""
    maps = []
    for image in range(IMAGES):
        for attribute in range(ATTRIBUTES):
            with method(model=model, target_layers=[getattr(model, layer)]) as cam:
                if method is ScoreCAM:
                    cam.batch_size = 8
                original, caught = cam.get_cam_image, []

                def catch(*arguments, **named):
                    caught.append(original(*arguments, **named))
                    return caught[-1]

                cam.get_cam_image = catch
                cam(images[image : image + 1], [lambda output: output[attribute].abs()])
            maps.append(np.asarray(caught[0][0], np.float64))
    return np.stack(maps)


digits = lambda values: [float(f"{value:.7g}") for value in np.asarray(values).flatten()]
with torch.no_grad():
    logits = model(images)
expected = {"logits": digits(logits), "layers": {}}
for layer in ["layer2", "layer3"]:
    expected["layers"][layer] = {name: digits(raw_maps(method, layer)) for name, method in METHODS.items()}
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "expected.json"), "w") as file:
    json.dump(expected, file)
print(logits, logits.abs().min())
