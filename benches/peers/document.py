"""BENCHMARKS.md, which keeps a section for every instruction set; the standard library only."""

import re
import statistics

from common import cell
from sides import BF16, FLOAT32, SIDES

HEAD = """# Benchmarks

Written by `just peers` (`benches/peers/compare.py`): each run replaces the sections of what it measured, and leaves the other machines' as they are.

In a table of speeds all sides have the same threads and ran alternately, in one process each: medians of images a second, with the smallest and largest in brackets. The last
column has biascam's speed as a multiple of the best peer's, the one with the highest median: of the ratios within each repetition the median, which need not be that of the columns' medians. In float32 no side rounds
factors to fewer bits; bf16 has products of bfloat16 and float32 weights.

The peers are PyTorch in its default layout and with channels last (`eager`), `torch.compile` with channels last (forward passes with frozen weights, which is faster), ONNX
Runtime and OpenVINO, whose scores are held to PyTorch's before they are timed and which do not train. In bf16 PyTorch runs under autocast, and OpenVINO is told so; ONNX
Runtime has no bfloat16 convolutions for CPUs, and biascam scores in float32 whatever it was trained in. Maps of 40 attributes are made in the paper's authors' way on
PyTorch's side, by 40 forward and 40 backward passes through pytorch-grad-cam. Here it is one forward pass and a matrix product.
"""
GROWTH = "Cost grows as it should"
# The heading of a section up to its colon, in the order of the document.
SECTIONS = ["AVX-512", "AVX2", "AVX2 on a processor with AVX-512", "Neither AVX2 nor AVX-512", GROWTH]


def replaced(text, heading, body):
    """The document with one section replaced. `heading` is what is said after the section's name; what is not known is dropped."""
    name = heading.split(": ")[0]
    parts = re.split(r"^## (.+)\n", text, flags=re.MULTILINE)
    found = {title.split(": ")[0]: (title, content.strip()) for title, content in zip(parts[1::2], parts[2::2])}
    found[name] = (heading, "\n".join(body).strip())
    sections = [f"## {title}\n\n{content}\n" for title, content in (found[known] for known in SECTIONS if known in found)]
    return "\n".join([HEAD, *sections])


def speed_section(machine, measurements, rows):
    """The lines of a section: what ran where, the table, and what was not measured."""
    measured = {*measurements.speeds, *measurements.failures}
    columns = [side for side in SIDES if any((row.name, side.name) in measured for row in rows)]
    header = ["work", "precision", *(side.column for side in columns), "to the best peer"]
    text = [machine, "", "| " + " | ".join(header) + " |", "|---|---|" + "---:|" * (len(header) - 2)]
    for row in rows:
        found = {side.name: measurements.speeds.get((row.name, side.name), []) for side in columns}
        cells = [row.title, row.precision, *(cell(found[side.name]) for side in columns), best(found, columns)]
        text.append("| " + " | ".join(cells) + " |")
    text += bf16_steps(measurements.speeds, rows)
    if measurements.failures:
        text += ["", "Not measured:", ""]
        text += [f"- {column}, {works}: {why}" for column, works, why in gathered(measurements.failures, rows)]
    return text


def best(found, columns):
    """Ratios to the side that has the highest median of all but ours."""
    ours = found.get("biascam")
    others = [side for side in columns if side.name != "biascam" and found[side.name]]
    if not ours or not others:
        return "–"
    peer = max(others, key=lambda side: statistics.median(found[side.name]))
    return f"{cell(ratios(ours, found[peer.name]))} to {peer.column}"


def ratios(ours, theirs):
    # Both sides' first values are of one repetition, and so on: who fails is not tried again.
    return [a / b for a, b in zip(ours, theirs)]


def bf16_steps(speeds, rows):
    """A sentence on what bfloat16 brings biascam itself."""
    found = []
    for row in rows:
        key, exact = (row.name, "biascam"), (f"{row.work}/{FLOAT32}", "biascam")
        if row.precision == BF16 and key in speeds and exact in speeds:
            found.append(f"{row.title.split(':')[0]} {cell(ratios(speeds[key], speeds[exact]))}")
    return ["", f"biascam's training step in bf16, as a multiple of its own in float32: {'; '.join(found)}."] if found else []


def gathered(failures, rows):
    """(side's column, its works, why it failed in them)."""
    found = {}
    for (row, side), why in failures.items():
        found.setdefault((side, why), []).append(row)
    for (side, why), works in found.items():
        column = next(known.column for known in SIDES if known.name == side)
        does = [row.name for row in rows if next(known for known in SIDES if known.name == side).does(row)]
        yield column, "all rows" if works == does else ", ".join(works), why
