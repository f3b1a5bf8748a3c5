"""`python3 -m unittest discover -s benches/cuda -p "*_test.py"`: what agreement.py takes for agreement, and what not."""

import contextlib
import csv
import io
import math
import tempfile
import unittest
from pathlib import Path

from agreement import Disagreement, differences, tables

NAN, INF = math.nan, math.inf


class Differences(unittest.TestCase):
    def test_of_each_map_in_units_of_the_largest(self):
        self.assertEqual(differences([2, 1, 2], [1.0, 2.0, 4.0, -3.0], [1.0, 3.0, 4.0, -3.0]), [0.25, 0.0])
        self.assertEqual(differences([2], [0.0, 0.0], [0.0, 0.5]), [0.0, 0.5])

    def test_a_value_that_is_not_finite_agrees_with_nothing(self):
        for broken in (NAN, INF, -INF):
            self.assertEqual(differences([1, 1, 2], [1.0, broken], [1.0, 2.0]), [INF])
            self.assertEqual(differences([1, 1, 2], [1.0, 2.0], [1.0, broken]), [INF])
            self.assertEqual(differences([1, 1, 2], [1.0, broken], [1.0, broken]), [INF])

    def test_a_map_that_does_not_exist_is_missing_on_both_sides(self):
        some = [1.0, 2.0, NAN, NAN]
        self.assertEqual(differences([2, 1, 2], some, some), [0.0, 0.0])
        self.assertEqual(differences([2, 1, 2], some, [1.0, 2.0, 3.0, NAN]), [0.0, INF])
        self.assertEqual(differences([1, 1, 2], [NAN, NAN], [NAN, NAN]), [INF])


class Tables(unittest.TestCase):
    def compare(self, *sides):
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
            runs = [Path(folder) / str(side) for side in range(2)]
            for run, errors in zip(runs, sides):
                (run / "tables").mkdir(parents=True)
                with (run / "tables" / "attributes.csv").open("w") as file:
                    lines = csv.writer(file)
                    lines.writerow(["attribute", "one_error", "one_majority_error"])
                    lines.writerows([str(at), error, 0.5] for at, error in enumerate(errors))
            return tables(*runs, 0.1)

    def test_means_agree_within_the_tolerance(self):
        self.assertTrue(self.compare([0.1, 0.3], [0.2, 0.3]))
        self.assertTrue(self.compare([0.1, ""], [0.1, 0.9]))
        self.assertFalse(self.compare([0.1, 0.3], [0.5, 0.3]))

    def test_what_is_no_number_is_no_agreement(self):
        for sides in [([0.1, "NaN"], [0.1, 0.2]), ([0.1, 0.2], [0.1, "NaN"]), (["inf"], ["inf"]), (["NaN"], ["NaN"])]:
            with self.assertRaises(Disagreement):
                self.compare(*sides)

    def test_a_column_is_not_empty_on_one_side_only(self):
        with self.assertRaises(Disagreement):
            self.compare([0.1, 0.2], ["", ""])


if __name__ == "__main__":
    unittest.main()
