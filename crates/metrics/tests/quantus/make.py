"""Writes expected.json: measures of maps by Quantus.

    pip install "git+https://github.com/understandable-machine-intelligence-lab/Quantus@85bc29d1" torch && python make.py

Values of maps are whole numbers divided by 256, which float32 holds exactly. Where a sort has to cut through equal values, Quantus'
result depends on the order in which the sort leaves them: there, the mean over many orders of the pixels is stored. It refuses constant maps.
"""

import json
import os
import warnings

import numpy as np
import quantus
import torch
from quantus.functions import similarity_func

warnings.filterwarnings("ignore")
SIDE, ORDERS = 12, 20_000
generator = np.random.default_rng(18)
quiet = {"disable_warnings": True, "display_progressbar": False}
rounded = lambda map_: np.round(np.asarray(map_) * 256) / 256
plain = lambda values: [float(value) for value in np.asarray(values).flatten()]


def smooth(shape=(SIDE, SIDE)):
    """A bump, a slope and noise, of either sign."""
    rows, columns = np.mgrid[: shape[0], : shape[1]] / np.array(shape)[:, None, None]
    a, b = generator.uniform(0.2, 0.8, 2)
    bump = np.exp(-((rows - a) ** 2 + (columns - b) ** 2) / 0.05)
    return rounded(2 * bump + generator.uniform(-1, 1) * rows - 0.6 + 0.2 * generator.normal(size=shape))


def distinct():
    return rounded((generator.permutation(SIDE * SIDE) - 40).reshape(SIDE, SIDE) / 128)


def box(rows, columns):
    mask = np.zeros((SIDE, SIDE), bool)
    mask[rows[0] : rows[1], columns[0] : columns[1]] = True
    return mask


class Sum(torch.nn.Module):
    def forward(self, x):
        return x.flatten(1).sum(1, keepdim=True)


def call(metric, map_, mask):
    image = np.zeros((1, 1, SIDE, SIDE), np.float32)
    return float(metric(model=Sum(), x_batch=image, y_batch=np.zeros(1, int), a_batch=map_[None, None], s_batch=mask[None, None])[0])


def top_k(metric, k, map_, mask):
    """Of tied maps the mean over orders of the pixels, by the metric's own evaluation of batches."""
    values = np.sort(map_.flatten())[::-1]
    if k >= len(values) or values[k - 1] != values[k]:
        return {"k": k, "value": call(metric, map_, mask), "error": 1e-12}
    orders = np.array([generator.permutation(map_.size) for _ in range(ORDERS)])
    found = metric.evaluate_batch(a_batch=map_.flatten()[orders], s_batch=mask.flatten()[orders])
    return {"k": k, "value": float(found.mean()), "error": float(5 * found.std() / ORDERS**0.5 + 1e-12)}


masks = {
    "a box": box((2, 6), (3, 8)),
    "scattered": generator.random((SIDE, SIDE)) < 0.3,
    "one pixel": box((4, 5), (7, 8)),
    "all but one": ~box((0, 1), (11, 12)),
    "everything": np.ones((SIDE, SIDE), bool),
    "nothing": np.zeros((SIDE, SIDE), bool),
}
maps = {
    "distinct": distinct(),
    "smooth": smooth(),
    "after a ReLU": np.maximum(smooth(), 0),
    "few values": rounded(np.round(2 * np.maximum(smooth(), 0)) / 2),
}
finite = lambda value: value if np.isfinite(value) else None
localisation = []
for map_name, map_ in maps.items():
    for mask_name, mask in masks.items():
        case = {"map": map_name, "mask": mask_name}
        with np.errstate(all="ignore"):
            case["auc"] = finite(call(quantus.AUC(**quiet), map_, mask))
            sizes = [k for k in (1, 7, 30) if mask.any()]
            case["top_k_intersection"] = [top_k(quantus.TopKIntersection(k=k, **quiet), k, map_, mask) for k in sizes]
            if mask.any():
                case["relevance_rank_accuracy"] = top_k(quantus.RelevanceRankAccuracy(**quiet), int(mask.sum()), map_, mask)
                peaks = map_ == map_.max()
                # Quantus hits if any of several largest values is inside.
                case["pointing_game"] = bool(call(quantus.PointingGame(**quiet), map_, mask)) if peaks.sum() == 1 else None
            if map_.min() >= 0:
                case["relevance_mass_accuracy"] = finite(call(quantus.RelevanceMassAccuracy(**quiet), map_, mask))
                case["attribution_localisation"] = finite(call(quantus.AttributionLocalisation(**quiet), map_, mask))
        localisation.append(case)


def sensitivities(map_, others):
    """By the metrics themselves: the explanations of the perturbed inputs are the given ones, in their order."""
    found = {}
    for name, metric in [("max", quantus.MaxSensitivity), ("average", quantus.AvgSensitivity)]:
        given = iter(others)
        explain = lambda model, inputs, targets, **kwargs: next(given)[None, None]
        measure = metric(nr_samples=len(others), **quiet)
        image = np.zeros((1, 1) + map_.shape, np.float32)
        values = measure(model=Sum(), x_batch=image, y_batch=np.zeros(1, int), a_batch=map_[None, None], explain_func=explain)
        found[name] = float(values[0])
    return found


stability = []
for base, others in [
    (maps["smooth"], [rounded(maps["smooth"] + 0.1 * generator.normal(size=(SIDE, SIDE))) for _ in range(4)]),
    (maps["after a ReLU"], [np.maximum(smooth(), 0) for _ in range(3)]),
    (maps["distinct"], [maps["distinct"], -maps["distinct"]]),
]:
    stability.append({"map": plain(base), "others": [plain(other) for other in others], **sensitivities(base, others)})

similarity = []
for shape, pairs in [
    ((SIDE, SIDE), [("smooth", "distinct"), ("smooth", "after a ReLU"), ("after a ReLU", "few values"), ("few values", "few values")]),
]:
    for a, b in pairs:
        a, b = maps[a], maps[b]
        similarity.append({"a": plain(a), "b": plain(b), "shape": shape})
for shape in [(7, 7), (9, 16)]:
    a = smooth(shape)
    similarity.append({"a": plain(a), "b": plain(rounded(a + 0.3 * generator.normal(size=shape))), "shape": shape})
for case in similarity:
    a, b = (np.array(case[key]).reshape(case["shape"]) for key in "ab")
    case["ssim"] = float(similarity_func.ssim(a, b))
    case["spearman"] = float(similarity_func.correlation_spearman(a.flatten(), b.flatten()))

found = {
    "side": SIDE,
    "maps": {name: plain(map_) for name, map_ in maps.items()},
    "masks": {name: mask.flatten().astype(int).tolist() for name, mask in masks.items()},
    "localisation": localisation,
    "stability": stability,
    "similarity": similarity,
}
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "expected.json"), "w") as file:
    json.dump(found, file)
    file.write("\n")
