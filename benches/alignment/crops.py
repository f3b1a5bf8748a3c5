#!/usr/bin/env python3
"""How many decisions of a classifier hang on how its images are cropped and decoded: the numbers of docs/understand/alignment.md.

    python3 benches/alignment/crops.py --checkpoint results/embedded/balanced/checkpoint.safetensors --images FOLDER [--count 100]

FOLDER holds images of CelebA's size (178 x 218), such as `img_align_celeba` of the default run's data. biascam scores them as it reads them; then it scores
squares of the same images that are cropped here in other ways, and decisions that differ are counted. `--decoded PROGRAM`, the example of that name of the
crate dataset, compares the decoders: on the images as they are, and encoded again with colours at half of the resolution (4:2:0). Needs Pillow (which decodes
by libjpeg-turbo), numpy and safetensors, and biascam on the path or in $BIASCAM.
"""

import argparse
import os
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image
from safetensors.numpy import load_file, save_file

# The square of 224 pixels shows CelebA's image shifted by this much to the right and down.
SHIFT_X, SHIFT_Y = 24, -10


def decoded(path):
    return np.asarray(Image.open(path).convert("RGB"), dtype=np.float64)


def halved(image):
    """Means of 2 x 2 pixels, rounded to bytes."""
    height, width = image.shape[0] // 2 * 2, image.shape[1] // 2 * 2
    four = image[:height, :width].reshape(height // 2, 2, width // 2, 2, 3)
    return np.floor(four.mean(axis=(1, 3)) + 0.5)


def sampled(image, scale, x0, y0, side, centres=True, edge="nearest", order=1):
    """The square of `side` pixels whose corner is at (x0, y0) of the image, a step of `scale` image pixels apart."""
    at = np.arange(side)
    xs, ys = ((at + 0.5) * scale + x0 - 0.5, (at + 0.5) * scale + y0 - 0.5) if centres else (at * scale + x0, at * scale + y0)
    height, width = image.shape[:2]

    def pixel(y, x):
        inside = ((y >= 0) & (y < height))[:, None] & ((x >= 0) & (x < width))[None]
        values = image[np.clip(y, 0, height - 1)[:, None], np.clip(x, 0, width - 1)[None]]
        return values if edge == "nearest" else values * inside[..., None]

    if order == 0:
        return pixel(np.floor(ys + 0.5).astype(int), np.floor(xs + 0.5).astype(int))
    x, y = np.floor(xs).astype(int), np.floor(ys).astype(int)
    fx, fy = (xs - x)[None, :, None], (ys - y)[:, None, None]
    above = pixel(y, x) * (1 - fx) + pixel(y, x + 1) * fx
    below = pixel(y + 1, x) * (1 - fx) + pixel(y + 1, x + 1) * fx
    return above * (1 - fy) + below * fy


def ways(image, side):
    """The same square, made in several ways."""
    scale = 224 / side
    x0, y0 = -SHIFT_X, -SHIFT_Y
    half = halved(image)
    padded = np.pad(image, ((0, 0), (SHIFT_X, 224 - SHIFT_X - image.shape[1]), (0, 0)), mode="edge")
    padded = np.pad(padded, ((0, max(0, 224 - SHIFT_Y - padded.shape[0])), (0, 0), (0, 0)), mode="edge")[-SHIFT_Y : 224 - SHIFT_Y]
    resized = lambda how: np.asarray(Image.fromarray(padded.astype(np.uint8)).resize((side, side), how), dtype=np.float64)
    return {
        "as biascam, decoded by libjpeg-turbo": sampled(half, scale / 2, x0 / 2, y0 / 2, side),
        "no halving: bilinear of the whole image": sampled(image, scale, x0, y0, side),
        "no halving: nearest pixel": sampled(image, scale, x0, y0, side, order=0),
        "no halving, pixels at corners": sampled(image, scale, x0, y0, side, centres=False),
        "black beyond the edge": sampled(half, scale / 2, x0 / 2, y0 / 2, side, edge="black"),
        "Pillow, bilinear with antialiasing": resized(Image.BILINEAR),
        "Pillow, bicubic with antialiasing": resized(Image.BICUBIC),
        "Pillow, Lanczos": resized(Image.LANCZOS),
    }


def scores(program, checkpoint, squares, folder):
    file, out = folder / "squares.safetensors", folder / "scores.safetensors"
    save_file({"images": squares}, file)
    subprocess.run(
        [program, "explain-images", "--tensors", file, "--weights", checkpoint, "--out", out], check=True, capture_output=True
    )
    return load_file(out)["logits"]


def own(program, checkpoint, paths, folder):
    """What biascam makes of the files itself."""
    out = folder / "own"
    options = ["--weights", checkpoint, "--out", out, "--sheets", "none", "--device", "cpu"]
    subprocess.run([program, "explain-images", *paths, *options], check=True, capture_output=True)
    return np.stack([load_file(out / path.stem / "maps.safetensors")["logits"].reshape(-1) for path in paths])


def decoders(program, paths, folder):
    """Mean difference of the pixels of the program `decoded` less those of libjpeg-turbo, by channel, and mean distance."""
    print("\n| files | red | green | blue | distance, of 255 |\n|---|---:|---:|---:|---:|")
    for name, subsampling in [("as they are", None), ("4:4:4", 0), ("4:2:0", 2)]:
        differences = []
        for path in paths:
            file = path
            if subsampling is not None:
                file = folder / "again.jpg"
                Image.open(path).convert("RGB").save(file, quality=90, subsampling=subsampling)
            theirs = decoded(file)
            raw = subprocess.run([program, file], check=True, capture_output=True).stdout
            differences.append(np.frombuffer(raw, dtype=np.uint8).reshape(theirs.shape) - theirs)
        differences = np.concatenate([one.reshape(-1, 3) for one in differences])
        channels = " | ".join(f"{mean:+.2f}" for mean in differences.mean(axis=0))
        print(f"| {name} | {channels} | {np.abs(differences).mean():.2f} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--images", type=Path, required=True)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--side", type=int, default=112)
    parser.add_argument("--decoded", type=Path)
    arguments = parser.parse_args()
    program = os.environ.get("BIASCAM", "biascam")
    # The last ones are test images.
    paths = sorted(arguments.images.glob("*.jpg"))[-arguments.count :]
    with tempfile.TemporaryDirectory() as place:
        place = Path(place)
        reference = own(program, arguments.checkpoint, paths, place)
        images = [ways(decoded(path), arguments.side) for path in paths]
        print(f"{reference.size} decisions: {len(paths)} images, {reference.shape[1]} attributes")
        print("| cropped | decisions that differ | mean difference of pixels, of 255 | mean difference of scores |")
        print("|---|---:|---:|---:|")
        first = None
        for way in images[0]:
            pixels = np.stack([image[way] for image in images])
            first = pixels if first is None else first
            squares = np.ascontiguousarray((pixels / 255).astype(np.float32).transpose(0, 3, 1, 2))
            found = scores(program, arguments.checkpoint, squares, place)
            differ = int(((found >= 0) != (reference >= 0)).sum())
            print(f"| {way} | {differ} | {np.abs(pixels - first).mean():.2f} | {np.abs(found - reference).mean():.3f} |")
        if arguments.decoded:
            decoders(arguments.decoded, paths, place)


if __name__ == "__main__":
    main()
