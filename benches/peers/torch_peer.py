"""One piece of work in PyTorch, timed: `torch_peer.py WORK LAYOUT SECONDS THREADS` prints one JSON line.

WORK is `NETWORK/forward`, `NETWORK/step` (networks as in NETWORKS) or `resnet50/explain`; LAYOUT is `default` or `channels_last`.
The same work as `crates/cam/examples/peer.rs` does: the same shapes, loss and optimiser, random weights and images.
"""

import json
import sys
import time

import torch
from torch import nn
from torchvision.models.resnet import BasicBlock, Bottleneck, ResNet

ATTRIBUTES = 40
# Block, blocks a stage, width of the first stage, images a batch, side of an image.
NETWORKS = {
    "resnet18-w16": (BasicBlock, [2, 2, 2, 2], 16, 32, 112),
    "resnet18-w64": (BasicBlock, [2, 2, 2, 2], 64, 32, 112),
    "resnet50": (Bottleneck, [3, 4, 6, 3], 64, 8, 224),
}


class WidthResNet(ResNet):
    """torchvision's ResNet with every width multiplied by width / 64."""

    def __init__(self, block, blocks, width):
        super().__init__(block, blocks, num_classes=ATTRIBUTES)
        self.inplanes = width
        self.conv1 = nn.Conv2d(3, width, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        for stage, count in enumerate(blocks):
            layer = self._make_layer(block, width << stage, count, stride=1 if stage == 0 else 2)
            setattr(self, f"layer{stage + 1}", layer)
        self.fc = nn.Linear((width << 3) * block.expansion, ATTRIBUTES)


def forward(model, images):
    """Scores of a batch."""
    model.eval()

    def once():
        with torch.inference_mode():
            model(images)

    return once


def step(model, images):
    """Forward, squared error, backward, AdamW."""
    labels = torch.randint(0, 2, (len(images), ATTRIBUTES)).float() * 2 - 1
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-4, weight_decay=1e-4)
    model.train()

    def once():
        optimiser.zero_grad(set_to_none=True)
        (model(images) - labels).square().mean().backward()
        optimiser.step()

    return once


def explain(model, images):
    """The authors' way: for each attribute of each image one forward and one backward pass, through pytorch-grad-cam."""
    from pytorch_grad_cam import HiResCAM

    class Decision:
        """The score that the paper explains: |z| of one attribute."""

        def __init__(self, attribute):
            self.attribute = attribute

        def __call__(self, logits):
            return logits[self.attribute].abs()

    model.eval()
    cam = HiResCAM(model=model, target_layers=[model.layer4[-1]])

    def once():
        for attribute in range(ATTRIBUTES):
            cam(input_tensor=images, targets=[Decision(attribute)])

    return once


def main():
    work, layout, seconds, threads = sys.argv[1], sys.argv[2], float(sys.argv[3]), int(sys.argv[4])
    torch.set_num_threads(threads)
    torch.manual_seed(1)
    network, kind = work.split("/")
    block, blocks, width, batch, side = NETWORKS[network]
    batch = 1 if kind == "explain" else batch
    memory_format = torch.channels_last if layout == "channels_last" else torch.contiguous_format
    model = WidthResNet(block, blocks, width).to(memory_format=memory_format)
    images = torch.rand(batch, 3, side, side).contiguous(memory_format=memory_format)
    once = {"forward": forward, "step": step, "explain": explain}[kind](model, images)
    once()
    done, start = 0, time.perf_counter()
    while done == 0 or time.perf_counter() - start < seconds:
        once()
        done += batch
    print(json.dumps({"work": work, "images_per_second": done / (time.perf_counter() - start)}))


if __name__ == "__main__":
    main()
