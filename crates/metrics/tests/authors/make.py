"""Writes expected.json and inputs.safetensors: what the authors' evaluation computes from small random scores and maps.

    git clone https://github.com/AIML-IfI/attribute-cam && git -C attribute-cam checkout 6488bf534acd0090007c22e5e301c3ca9ea38c52
    pip install numpy==2.4.6 safetensors==0.8.0 tqdm==4.70.1 torch==2.11.0 torchvision==0.26.0 && python make.py attribute-cam

Their functions are called as they are; only their data set is replaced by one in memory. All values are synthetic.
"""

import json
import sys
import types
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

HERE = Path(__file__).resolve().parent
# Their package's own door also imports the network, which needs more packages.
package = types.ModuleType("attribute_cam")
package.__path__ = [str(Path(sys.argv[1]) / "attribute_cam")]
sys.modules["attribute_cam"] = package
from attribute_cam.dataset import ATTRIBUTES  # noqa: E402
from attribute_cam.evaluation import accetptable_mask_ratio, class_counts, error_rate, proportional_energy, statisics  # noqa: E402
from attribute_cam.filter import FILTERS, Filter  # noqa: E402
from attribute_cam.mask import get_masks  # noqa: E402

ROWS, MAPS, CELLS, SIDE = 60, 12, 14, 224
# Masks of one box, of several, with a hole, and of the whole face.
NAMES = ["5_o_Clock_Shadow", "Bald", "Black_Hair", "Goatee", "Male", "Sideburns", "Smiling", "Wearing_Hat"]


class Memory:
    """Their `CelebA`, as far as the evaluation asks it: rows are 0, 1, ..."""

    def __init__(self, rows, maps):
        self.attributes, self.rows, self.maps = NAMES, rows, maps

    def __iter__(self):
        return iter(range(self.rows))

    def load_cam(self, attribute, row):
        return self.maps[row], None


def main():
    assert set(NAMES) <= set(ATTRIBUTES)
    random = np.random.default_rng(5)
    shares = np.linspace(0.15, 0.85, len(NAMES))
    labels = np.where(random.uniform(size=(ROWS, len(NAMES))) < shares, 1, -1).astype(np.float32)
    scores = (labels * 0.6 + random.normal(size=labels.shape)).astype(np.float32)
    scores[random.uniform(size=scores.shape) < 0.05] = 0.0
    scores[random.uniform(size=scores.shape) < 0.05] = -0.0
    partition = np.array([0] * 36 + [1] * 12 + [2] * 12, np.int64)
    # A tie of the classes in the training split.
    labels[:36, 3] = [1, -1] * 18
    cells = np.maximum(random.normal(size=(MAPS, CELLS, CELLS)), 0).astype(np.float32)
    # No activation, activation outside all masks, the same everywhere, and one tiny value.
    cells[:4] = 0
    cells[1, 0, 0] = 1
    cells[2] = 0.5
    cells[3, 7, 7] = 1e-6
    maps = cells.repeat(SIDE // CELLS, 1).repeat(SIDE // CELLS, 2)
    all_masks, all_sizes = get_masks()
    masks = {name: all_masks[name] for name in NAMES}
    sizes = {name: int(all_sizes[name]) for name in NAMES}
    grids = np.stack([(masks[name][::32, ::32] > 0).astype(np.uint8) for name in NAMES])
    for name, grid in zip(NAMES, grids):
        assert np.array_equal(grid.repeat(32, 0).repeat(32, 1), masks[name] > 0) and grid.sum() * 32 * 32 == sizes[name], name

    by_row = lambda values: {row: dict(zip(NAMES, map(float, values[row]))) for row in range(ROWS)}
    truth, prediction = by_row(labels), by_row(scores)
    counts = class_counts(NAMES, truth, dict(enumerate(partition)))
    errors = error_rate(Memory(ROWS, None), truth, prediction)
    order = [a[1] for a in sorted(((min(counts[a]), a) for a in NAMES), reverse=True)]
    majority = {name: counts[name][0] > counts[name][1] for name in NAMES}

    def row(name):
        """As their script error_rates.py formats it, with one classifier in the place of both."""
        positives, negatives = counts[name]
        bold = lambda i: i == 0 and positives < negatives or i == 1 and positives > negatives
        rates = [f"\\bf {e:#.3f}" if bold(i) else f"{e:#.3f}" for i, e in enumerate(errors[name])]
        return [name.replace("_", " "), positives / sum(counts[name]), *rates, *errors[name]]

    expected = {
        "attributes": NAMES,
        "mask_sizes": sizes,
        "class_counts": counts,
        "error_rate": {name: dict(zip(["FNR", "FPR", "error"], errors[name])) for name in NAMES},
        "sorted_attributes": order,
        "positive_rate": {name: counts[name][0] / sum(counts[name]) for name in NAMES},
        "minority_error": {name: errors[name][1 if majority[name] else 0] for name in NAMES},
        "majority_error": {name: errors[name][0 if majority[name] else 1] for name in NAMES},
        "table_rows": [row(name) for name in order],
        "filter_selected": {},
        "statistics": {"proportional_energy": {}, "mask_ratio": {}},
    }
    for key, measure, of in [
        ("proportional_energy{}_float32", proportional_energy, maps),
        ("proportional_energy{}_float64", proportional_energy, maps.astype(np.float64)),
        ("mask_ratio{}", accetptable_mask_ratio, maps),
    ]:
        values = [[measure(one, masks[name], sizes[name]) for name in NAMES] for one in of]
        for at, suffix in enumerate(["", "_corrected"]):
            expected[key.format(suffix)] = [[float(pair[at]) for pair in line] for line in values]
    dataset = Memory(MAPS, maps)
    for name in FILTERS:
        chosen = Filter(truth, prediction, name)
        expected["filter_selected"][name] = {a: [row for row in range(MAPS) if chosen(row, a)] for a in NAMES}
        for key, energy in [("proportional_energy", True), ("mask_ratio", False)]:
            means, deviations = statisics(dataset, chosen, masks, sizes, prop_energy=energy)
            expected["statistics"][key][name] = {
                a: {
                    "mean": float(means[a][0]),
                    "mean_corrected": float(means[a][1]),
                    "std": float(deviations[a][0]),
                    "std_corrected": float(deviations[a][1]),
                }
                for a in NAMES
            }
    (HERE / "expected.json").write_text(json.dumps(expected) + "\n")
    inputs = {"labels": labels, "scores": scores, "partition": partition, f"activations_{CELLS}": cells, "masks_7x7": grids}
    save_file(inputs, HERE / "inputs.safetensors")
    selected = [rows for filter in expected["filter_selected"].values() for rows in filter.values()]
    print("empty selections:", sum(not rows for rows in selected), "of", len(selected))
    print(counts, (scores == 0).sum())


main()
