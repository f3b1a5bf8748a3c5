#!/usr/bin/env python3
"""Compares what a GPU made with what a CPU made; exit status 1 where they differ by more than they may.

    agreement.py tables CPU GPU --tolerance T      results folders: mean errors and energies of tables/attributes.csv, side by side
    agreement.py tensors CPU GPU --tolerance T     files, or folders of files, *.safetensors: every float32 tensor

Only the standard library is needed to run this script.
"""

import argparse
import array
import csv
import json
import math
import struct
import sys
from pathlib import Path

# Columns of tables/attributes.csv behind the classifier's name.
COLUMNS = ["error", "minority_error", "majority_error", "energy_predicted_positive", "energy_predicted_negative"]
# Of maps, so many may differ: where a score is within rounding of 0, the sides explain opposite decisions.
OUTLIERS = 1e-3


class Disagreement(Exception):
    """What cannot be compared."""


def tables(cpu, gpu, tolerance):
    """Prints means over attributes of both runs; whether they differ by at most `tolerance` (of rates and shares, in [0, 1])."""
    sides = [list(csv.DictReader((folder / "tables" / "attributes.csv").open())) for folder in (cpu, gpu)]
    names = [[row["attribute"] for row in side] for side in sides]
    if sorted(names[0]) != sorted(names[1]) or not names[0]:
        raise Disagreement("the runs are not of the same attributes")
    theirs = {row["attribute"]: row for row in sides[1]}
    pairs = [(row, theirs[row["attribute"]]) for row in sides[0]]
    wanted = [column for column in sides[0][0] if any(column.endswith(f"_{name}") for name in COLUMNS)]
    wanted = [column for column in wanted if not column.endswith("_balanced_error")]
    print(f"{'mean over attributes':42} {'n':>3} {'CPU':>9} {'other':>9} {'difference':>11} {'of one at most':>15}")
    found = []
    for column in wanted:
        filled = [(bool(a[column]), bool(b[column])) for a, b in pairs]
        if any(a for a, _ in filled) != any(b for _, b in filled):
            raise Disagreement(f"{column} is empty on one side only")
        values = [(float(a[column]), float(b[column])) for a, b in pairs if a[column] and b[column]]
        if not values:
            continue
        if not all(math.isfinite(value) for pair in values for value in pair):
            raise Disagreement(f"{column} has a value that is no number")
        a, b = (sum(side) / len(values) for side in zip(*values))
        most = max(abs(x - y) for x, y in values)
        print(f"{column:42} {len(values):3} {a:9.5f} {b:9.5f} {b - a:+11.2e} {most:15.2e}")
        found.append(abs(b - a))
    if not found:
        raise Disagreement("there is nothing in both tables")
    print(f"means differ by at most {max(found):.2e}, tolerance {tolerance:g}")
    return all(difference <= tolerance for difference in found)


def read(path):
    """The float32 tensors of a safetensors file: (shape, values) by name."""
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    found = {}
    for name, about in header.items():
        if name != "__metadata__" and about["dtype"] == "F32":
            values = array.array("f")
            values.frombytes(data[8 + length :][slice(*about["data_offsets"])])
            if sys.byteorder == "big":
                values.byteswap()
            found[name] = (about["shape"], values)
    return found


def differences(shape, a, b):
    """Of each map (of each value, where there are fewer than three dimensions) the largest difference, in units of the largest
    magnitude of all. A map that does not exist is NaN as a whole, on both sides; any other value that is not finite differs by
    infinity, and so does all of a tensor that has no number on the first side."""
    numbers = [abs(value) for value in a if math.isfinite(value)]
    scale = max(numbers, default=0.0) or 1.0
    length = math.prod(shape[-2:]) if len(shape) >= 3 else 1

    def of_map(x, y):
        if numbers and all(map(math.isnan, x)) and all(map(math.isnan, y)):
            return 0.0
        return max(abs(p - q) / scale if math.isfinite(p - q) else math.inf for p, q in zip(x, y))

    starts = range(0, len(a), length)
    return [of_map(a[start : start + length], b[start : start + length]) for start in starts]


def tensors(cpu, gpu, tolerance):
    """Prints how far each tensor is from the CPU's; whether all but OUTLIERS of the maps are within `tolerance`."""
    files = sorted(path.relative_to(cpu) for path in cpu.rglob("*.safetensors")) if cpu.is_dir() else [Path()]
    if not files:
        raise Disagreement(f"{cpu} has no safetensors")
    found = {}
    for file in files:
        ours, theirs = read(cpu / file), read(gpu / file)
        if ours.keys() != theirs.keys() or not ours:
            raise Disagreement(f"{file}: not the same tensors")
        for name, (shape, values) in ours.items():
            if theirs[name][0] != shape:
                raise Disagreement(f"{file}: {name} is {shape} and {theirs[name][0]}")
            found.setdefault(name, []).extend(differences(shape, values, theirs[name][1]))
    agree = True
    print(f"{'tensor, largest difference of each map':42} {'maps':>7} {'median':>9} {'largest':>9} {'beyond':>7}")
    for name, each in found.items():
        beyond = sum(not value <= tolerance for value in each)
        print(f"{name:42} {len(each):7} {sorted(each)[len(each) // 2]:9.1e} {max(each):9.1e} {beyond:7}")
        agree &= beyond <= OUTLIERS * len(each)
    largest = max(max(each) for each in found.values())
    print(f"{len(files)} files, {len(found)} tensors: at most {largest:.1e} of the largest magnitude, tolerance {tolerance:g}")
    return agree


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["tables", "tensors"])
    parser.add_argument("cpu", type=Path)
    parser.add_argument("gpu", type=Path)
    parser.add_argument("--tolerance", type=float, required=True)
    arguments = parser.parse_args()
    try:
        compare = {"tables": tables, "tensors": tensors}[arguments.what]
        agree = compare(arguments.cpu, arguments.gpu, arguments.tolerance)
    except (Disagreement, OSError, KeyError, ValueError, struct.error) as error:
        raise SystemExit(f"agreement.py: {error}") from None
    raise SystemExit(0 if agree else 1)


if __name__ == "__main__":
    main()
