"""Writes expected.json: BCa intervals by scipy of a mean and of a ratio of means, from so many resamples that their noise is small.

    pip install scipy==1.17.1 && python make.py
"""

import json
import os

import numpy as np
from scipy import stats

generator = np.random.default_rng(5)
first = np.round(generator.exponential(size=60), 4)
second = np.round(first * 0.5 + generator.exponential(size=60) * 0.4, 4)


def expected(data, statistic, **settings):
    found = stats.bootstrap(
        data, statistic, n_resamples=400_000, batch=20_000, method="BCa", rng=np.random.default_rng(1), **settings
    )
    low, high = found.confidence_interval
    return {"low": low, "high": high, "standard_error": found.standard_error}


ratio = lambda a, b, axis=-1: np.mean(a, axis=axis) / np.mean(b, axis=axis)
cases = {
    "first": first.tolist(),
    "second": second.tolist(),
    "mean": expected((first,), np.mean),
    "ratio": expected((first, second), ratio, paired=True),
}
with open(os.path.join(os.path.dirname(__file__), "expected.json"), "w") as file:
    json.dump(cases, file, indent=1)
    file.write("\n")
