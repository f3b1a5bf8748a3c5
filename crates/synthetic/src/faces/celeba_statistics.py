#!/usr/bin/env python3
"""Derives celeba_statistics.csv, the label statistics of the procedural faces. Standard library only.

    celeba_statistics.py label_counts.csv label_cooccurrence_first20000.csv > celeba_statistics.csv

label_counts.csv: positives and negatives of each attribute over all 202,599 images of CelebA; they give the thresholds.
label_cooccurrence_first20000.csv: the number of the first 20,000 images in which both attributes of a pair are
positive; each pair gives a tetrachoric correlation: that of the bivariate normal distribution which, cut at the pair's
own marginals, has this many joint positives. Half an image is added to an empty cell.

The 780 correlations come from separate fits and need not form a correlation matrix. The nearest one is found by Higham's
alternating projections (2002, algorithm 3.3), then refined: the targets are shifted by what the cut of the projected
matrix misses in the phi correlation, which is what a reader of labels sees, and projected again.
"""
import csv
import math
import sys
from statistics import NormalDist

NORMAL = NormalDist()
N = 20000
# 32-point Gauss-Legendre nodes on [0, 1], by Newton's method.
NODES = []
for k in range(32):
    x = math.cos(math.pi * (k + 0.75) / 32.5)
    for _ in range(50):
        p0, p1 = 1.0, x
        for n in range(2, 33):
            p0, p1 = p1, ((2 * n - 1) * x * p1 - (n - 1) * p0) / n
        slope = 32 * (x * p1 - p0) / (x * x - 1)
        x -= p1 / slope
    NODES.append(((1 + x) / 2, 1 / ((1 - x * x) * slope * slope)))


def joint(h, k, r):
    """P(X > h, Y > k) of a standard bivariate normal of correlation r, by Plackett's integral over angles."""
    top = math.asin(r)
    total = 0.0
    for node, weight in NODES:
        s = math.sin(node * top)
        total += weight * math.exp(-(h * h + k * k - 2 * h * k * s) / (2 * (1 - s * s)))
    return NORMAL.cdf(-h) * NORMAL.cdf(-k) + top * total / (2 * math.pi)


def tetrachoric(pa, pb, both):
    h, k = -NORMAL.inv_cdf(pa), -NORMAL.inv_cdf(pb)
    low, high = -0.995, 0.995
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if joint(h, k, middle) < both else (low, middle)
    return (low + high) / 2


def eigen(matrix):
    """Eigenvalues and eigenvectors (rows) of a symmetric matrix, by cyclic Jacobi rotations."""
    n = len(matrix)
    a = [row[:] for row in matrix]
    v = [[float(i == j) for j in range(n)] for i in range(n)]
    for _ in range(30):
        if sum(a[i][j] ** 2 for i in range(n) for j in range(i)) < 1e-18:
            break
        for p in range(n):
            for q in range(p + 1, n):
                if abs(a[p][q]) < 1e-13:
                    continue
                theta = (a[q][q] - a[p][p]) / (2 * a[p][q])
                t = (1 if theta >= 0 else -1) / (abs(theta) + math.hypot(theta, 1))
                c = 1 / math.hypot(t, 1)
                s = t * c
                for row in a:
                    row[p], row[q] = c * row[p] - s * row[q], s * row[p] + c * row[q]
                a[p], a[q] = ([c * x - s * y for x, y in zip(a[p], a[q])], [s * x + c * y for x, y in zip(a[p], a[q])])
                v[p], v[q] = ([c * x - s * y for x, y in zip(v[p], v[q])], [s * x + c * y for x, y in zip(v[p], v[q])])
    return [a[i][i] for i in range(n)], v


def project(target, steps):
    """The nearest correlation matrix, its eigenvalues at least about 1e-3."""
    n = len(target)
    y = [row[:] for row in target]
    correction = [[0.0] * n for _ in range(n)]
    for _ in range(steps):
        r = [[y[i][j] - correction[i][j] for j in range(n)] for i in range(n)]
        values, vectors = eigen(r)
        x = [[0.0] * n for _ in range(n)]
        for value, vector in zip(values, vectors):
            value = max(value, 1e-3)
            for i in range(n):
                f = value * vector[i]
                row = x[i]
                for j in range(n):
                    row[j] += f * vector[j]
        correction = [[x[i][j] - r[i][j] for j in range(n)] for i in range(n)]
        y = [[1.0 if i == j else x[i][j] for j in range(n)] for i in range(n)]
    scale = [math.sqrt(x[i][i]) for i in range(n)]
    return [[x[i][j] / (scale[i] * scale[j]) for j in range(n)] for i in range(n)]


def main(counts_file, pairs_file):
    counts = list(csv.DictReader(open(counts_file)))
    names = [row["attribute"] for row in counts]
    rates = [int(row["positives"]) / (int(row["positives"]) + int(row["negatives"])) for row in counts]
    pairs = [[int(v) for v in row[1:]] for row in list(csv.reader(open(pairs_file)))[1:]]
    n = len(names)
    target = [[float(i == j) for j in range(n)] for i in range(n)]
    marginal = [pairs[i][i] / N for i in range(n)]
    both = [[0.0] * n for _ in range(n)]
    for i in range(n):
        for j in range(i):
            a, b, ab = pairs[i][i], pairs[j][j], pairs[i][j]
            ab = min(max(ab, 0.5, a + b - N + 0.5), min(a, b) - 0.5)
            both[i][j] = both[j][i] = ab / N
            target[i][j] = target[j][i] = tetrachoric(marginal[i], marginal[j], ab / N)
    cut = [-NORMAL.inv_cdf(p) for p in marginal]
    spread = [math.sqrt(p * (1 - p)) for p in marginal]

    def misses(matrix):
        return [[0.0 if i == j else both[i][j] - joint(cut[i], cut[j], matrix[i][j]) for j in range(n)] for i in range(n)]

    goal = [row[:] for row in target]
    best, best_error = None, math.inf
    for refinement in range(12):
        matrix = project(goal, 3)
        missed = misses(matrix)
        phi = [missed[i][j] / (spread[i] * spread[j]) for i in range(n) for j in range(i)]
        error = math.sqrt(sum(p * p for p in phi) / len(phi))
        print(f"{refinement}: phi rms {error:.5f} max {max(map(abs, phi)):.4f}", file=sys.stderr)
        if error < best_error:
            best, best_error = matrix, error
        for i in range(n):
            for j in range(n):
                if i != j:
                    r = matrix[i][j]
                    density = math.exp(-(cut[i] ** 2 + cut[j] ** 2 - 2 * cut[i] * cut[j] * r) / (2 * (1 - r * r)))
                    density /= 2 * math.pi * math.sqrt(1 - r * r)
                    slope = max(density / (spread[i] * spread[j]), 0.1)
                    goal[i][j] = min(max(r + 0.5 * missed[i][j] / (spread[i] * spread[j]) / slope, -0.995), 0.995)
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(["attribute", "positive_rate"] + names)
    for name, rate, row in zip(names, rates, best):
        out.writerow([name, f"{rate:.6f}"] + [f"{v:.5f}" for v in row])


main(*sys.argv[1:])
