"""One piece of work in PyTorch, timed: prints one JSON line.

    torch_peer.py WORK SECONDS [--threads N] [--layout default|channels-last] [--batch N]
                  [--device cpu|cuda] [--precision float32|tf32|bf16] [--compile MODE]

WORK is `NETWORK/KIND`, networks as in NETWORKS, kinds as in KINDS. The same work as `crates/cam/examples/peer.rs` does: the same
shapes, loss and optimiser, random weights and images. On a GPU PyTorch is told what makes it fast there: `cudnn.benchmark`, the
fused AdamW, bf16 as autocast with float32 weights, and, where asked for, torch.compile (MODE `reduce-overhead`: CUDA graphs).
"""

import argparse
import json
import math
import os
import time

import torch
from torch import nn
from torch._inductor import config as inductor
from torchvision.models.resnet import BasicBlock, Bottleneck, ResNet

ATTRIBUTES = 40
# Block, blocks a stage, width of the first stage, images a batch on a CPU (one where it is explained), side of an image.
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


def forward(model, images, options):
    """Scores of a batch. What is compiled for a CPU may take the weights for constants, which folds batch norm into them."""
    model.eval()
    if options.compile and options.device == "cpu":
        inductor.freezing = True
    model = compiled(model, options)

    def once():
        with torch.inference_mode(), autocast(options):
            model(images)

    return once


def step(model, images, options):
    """Forward, squared error, backward, AdamW; gives the loss."""
    labels = torch.randint(0, 2, (len(images), ATTRIBUTES)).float() * 2 - 1
    labels = labels.to(options.device)
    fused = {"fused": True} if options.device == "cuda" else {}
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-4, weight_decay=1e-4, **fused)
    model.train()
    model = compiled(model, options)

    def once():
        optimiser.zero_grad(set_to_none=True)
        with autocast(options):
            logits = model(images)
        loss = (logits.float() - labels).square().mean()
        loss.backward()
        optimiser.step()
        return loss.detach()

    return once


def fed(model, images, options):
    """The step with its images brought to the GPU: as bytes, augmented already, from pinned memory, without waiting."""
    train = step(model, images, options)
    if options.device == "cpu":
        return train
    here = (images * 255).round().byte().cpu().pin_memory()

    def once():
        images.copy_(here.to(options.device, non_blocking=True).float().div_(255))
        return train()

    return once


def explain(model, images, options):
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
            cam(input_tensor=images, targets=[Decision(attribute)] * len(images))

    return once


KINDS = {"forward": forward, "step": step, "fed": fed, "explain": explain}


def autocast(options):
    return torch.autocast(options.device, dtype=torch.bfloat16, enabled=options.precision == "bf16")


def compiled(model, options):
    """The model, compiled if so asked for. CUDA graphs are told where a pass begins, so that they may use its memory again."""
    if options.compile is None:
        return model
    if os.environ.get("ATEN_CPU_CAPABILITY") == "avx2":
        # The compiler heeds the variable too, but not in the keys of its cache.
        inductor.cpp.simdlen = 256
    model = torch.compile(model, mode=options.compile)

    def call(images):
        torch.compiler.cudagraph_mark_step_begin()
        return model(images)

    return call


def images_per_second(once, options, batch):
    """Nothing within a stretch waits for the device; its end does, so what was started before it counts."""

    def stretch(times):
        start = time.perf_counter()
        for _ in range(times):
            loss = once()
        if options.device == "cuda":
            torch.cuda.synchronize()
        seconds = time.perf_counter() - start
        if loss is not None and not math.isfinite(loss.item()):
            raise SystemExit("the training has diverged")
        return seconds

    def fitting(seconds, each):
        return max(1, math.ceil(seconds / each))

    # The first time kernels are chosen and compiled; the next tell how often the work fits into the time. A GPU that is waited for
    # after each is slower than one that is not, so the stretch that tells it is more than one where that takes no longer than a second.
    stretch(1)
    if options.compile:
        # What was compiled is captured in the passes after the first.
        stretch(5)
    times = min(20, fitting(1.0, stretch(1)))
    times = fitting(options.seconds, stretch(times) / times)
    return times * batch / stretch(times)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("work", choices=[f"{network}/{kind}" for network in NETWORKS for kind in KINDS])
    parser.add_argument("seconds", type=float)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--layout", choices=["default", "channels-last"], default="default")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--precision", choices=["float32", "tf32", "bf16"], default="float32")
    parser.add_argument("--compile", metavar="MODE", choices=["default", "reduce-overhead", "max-autotune"])
    parser.add_argument("--batch", type=int)
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    torch.manual_seed(1)
    torch.backends.cudnn.benchmark = True
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = options.precision != "float32"
    network, kind = options.work.split("/")
    block, blocks, width, batch, side = NETWORKS[network]
    batch = options.batch or (1 if kind == "explain" else batch)
    memory_format = torch.channels_last if options.layout == "channels-last" else torch.contiguous_format
    model = WidthResNet(block, blocks, width).to(options.device, memory_format=memory_format)
    images = torch.rand(batch, 3, side, side).to(options.device).contiguous(memory_format=memory_format)
    speed = images_per_second(KINDS[kind](model, images, options), options, batch)
    print(json.dumps({"work": options.work, "precision": options.precision, "batch": batch, "images_per_second": speed}))


if __name__ == "__main__":
    main()
