"""Writes expected.json: ranking measures by scikit-learn, and normal quantiles by scipy.

    pip install scikit-learn==1.9.1 scipy==1.17.1 && python make.py

A measure that scikit-learn leaves undefined (one class), or answers with a warning, is null. The expected calibration error is Naeini et
al.'s, which scikit-learn lacks, written with numpy.
"""

import json
import os

import numpy as np
from scipy.stats import norm
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

generator = np.random.default_rng(1)


def calibrated(scores, labels, weights, half):
    """Probabilities from the map fitted on the other half; None unless both halves have both classes."""
    probability = np.zeros(len(scores))
    for fitted in (0, 1):
        of = half == fitted
        if len(set(labels[of & (weights > 0)])) < 2:
            return None
        model = IsotonicRegression(out_of_bounds="clip")
        model.fit(scores[of], (labels[of] > 0).astype(float), sample_weight=weights[of])
        probability[~of] = model.predict(scores[~of])
    return probability


def calibration_error(probability, truth, weights):
    bins = np.minimum((probability * 10).astype(int), 9)
    error = 0.0
    for b in set(bins):
        of = bins == b
        if weights[of].sum() > 0:
            distance = abs(np.average(probability[of], weights=weights[of]) - np.average(truth[of], weights=weights[of]))
            error += weights[of].sum() * distance
    return error / weights.sum()


def case(name, scores, labels, weights=None, half=None):
    # In the file and in the program they are float32: here the same numbers in float64.
    scores = np.float32(scores).astype(float)
    labels = np.array(labels)
    half = generator.integers(0, 2, len(scores)) if half is None else np.array(half)
    given = None if weights is None else [float(w) for w in weights]
    weights = np.ones(len(scores)) if weights is None else np.array(weights, float)
    there = labels != 0
    s, y, w, h = scores[there], labels[there], weights[there], half[there]
    both = len(set(y[w > 0])) == 2
    probability = calibrated(s, y, w, h) if both else None
    fnr, fpr = [np.average((s < 0) if c > 0 else (s >= 0), weights=w * (y == c)) if both else None for c in (1, -1)]
    z = lambda rate: norm.ppf(np.clip(rate, 0.0005, 0.9995))
    return {
        "name": name,
        "scores": scores.tolist(),
        "labels": labels.tolist(),
        "weights": given,
        "second_half": [bool(v) for v in half],
        "auroc": roc_auc_score(y > 0, s, sample_weight=w) if both else None,
        "average_precision": average_precision_score(y > 0, s, sample_weight=w) if both else None,
        "d_prime": float(z(1 - fnr) - z(fpr)) if both else None,
        "brier": None if probability is None else brier_score_loss(y > 0, probability, sample_weight=w),
        "calibration_error": None if probability is None else calibration_error(probability, y > 0, w),
    }


def drawn(n, share, distance, decimals):
    labels = np.where(generator.random(n) < share, 1, -1)
    scores = np.round(generator.normal(size=n) + distance * (labels > 0) - 1, decimals)
    return scores, labels


cases = []
for name, n, share, distance, decimals in [
    ("many scores", 300, 0.3, 1.5, 4),
    ("many ties", 300, 0.3, 1.5, 0),
    ("rare", 300, 0.03, 2.0, 1),
    ("no difference", 200, 0.5, 0.0, 1),
    ("few", 12, 0.5, 1.0, 1),
]:
    scores, labels = drawn(n, share, distance, decimals)
    cases.append(case(name, scores, labels))
    counts = np.bincount(generator.integers(0, n, n), minlength=n)
    cases.append(case(name + ", drawn with replacement", scores, labels, counts))
    cases.append(case(name + ", weighted", scores, labels, np.round(generator.exponential(size=n), 3)))
    cases.append(case(name + ", some not annotated", scores, np.where(generator.random(n) < 0.2, 0, labels)))
scores, labels = drawn(40, 0.5, 1.0, 1)
cases.append(case("one class: positives", scores, np.ones(40, int)))
cases.append(case("one class: negatives", scores, -np.ones(40, int)))
cases.append(case("one class has no weight", scores, labels, labels > 0))
cases.append(case("one class in a half", scores, labels, half=labels > 0))
cases.append(case("one score", np.zeros(40), labels))
cases.append(case("perfect", labels * 0.5, labels))
cases.append(case("perfectly wrong", labels * -0.5, labels))
cases.append(case("zeros of both signs", np.where(generator.random(40) < 0.5, -0.0, 0.0), labels))

rates = [0.0, 0.0002, 0.0005, 0.001, 0.02275, 0.1, 0.163, 0.5, 0.651, 0.9, 0.9995, 1.0]
z = lambda rate: norm.ppf(np.clip(rate, 0.0005, 0.9995))
out = {
    "cases": cases,
    "d_prime": [[fnr, fpr, z(1 - fnr) - z(fpr)] for fnr in rates for fpr in rates],
    "ideal_error": [[d, norm.cdf(-d / 2)] for d in np.linspace(-7, 7, 29).tolist()],
}
path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "expected.json")
with open(path, "w") as file:
    json.dump(out, file, separators=(",", ":"))
    file.write("\n")
