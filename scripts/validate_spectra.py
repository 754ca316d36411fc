"""Tables of bias from the rows of simulate_spectra (see scripts/validate-spectra): validate_spectra.py FILE...

A file is named MODEL_NH_TRUTH_BACKGROUND_COUNTS.csv. Bias: (median - truth) over the half-width of the central 68% of the fitted values. Pull: (value - truth) over
the error that the catalogue quotes on the side of the truth (a 90% interval's, over 1.645). Root: the root of the rise of the statistic at the truth, with the sign of value - truth.
Of UNBIASED the same bias (VALUE where it is null), and the share of simulations in which it lies below the truth.
"""
import csv
import os
import sys

import numpy as np


class Case:
    def __init__(self, path):
        self.model, self.nh, truth, self.background, self.counts = os.path.basename(path)[:-4].split("_")
        self.truth = float(truth)
        with open(path) as file:
            self.rows = list(csv.DictReader(file))

    def order(self):
        return float(self.nh), int(self.background), int(self.counts)


def numbers(rows, column):
    return np.array([float(row[column]) for row in rows])


def half_width(values):
    low, high = np.percentile(values, [16, 84])
    return 0.5 * (high - low)


def bias(values, truth):
    return (np.median(values) - truth) / half_width(values)


class Measures:
    """Of one case and binning."""

    def __init__(self, rows, truth):
        random = np.random.default_rng(1)
        self.values = numbers(rows, "parameter")
        n = len(self.values)
        self.bias = bias(self.values, truth)
        self.bias_error = np.std([bias(self.values[random.integers(0, n, n)], truth) for _ in range(500)])
        unbiased = numbers(rows, "unbiased")
        self.null = np.mean(np.isnan(unbiased))
        unbiased = np.where(np.isnan(unbiased), self.values, unbiased)
        if self.null < 1.0:
            self.unbiased = bias(unbiased, truth)
            self.unbiased_error = np.std([bias(unbiased[random.integers(0, n, n)], truth) for _ in range(500)])
            self.below = np.mean(unbiased < truth)
            self.scatter = half_width(unbiased) / half_width(self.values)
        self.value_below = np.mean(self.values < truth)
        off = self.values - truth
        low, high = numbers(rows, "lo"), numbers(rows, "hi")
        with np.errstate(divide="ignore", invalid="ignore"):
            self.pulls = 1.645 * off / np.where(off > 0.0, self.values - low, high - self.values)
        self.pulls = self.pulls[np.isfinite(self.pulls)]
        rises = numbers(rows, "parameter_rise")  # not measured of ungrouped fits
        self.roots = np.sign(off) * np.sqrt(np.maximum(0.0, rises))
        self.holds = np.mean((low <= truth) & (truth <= high))
        self.poor = np.mean(numbers(rows, "gof_sigma") > 1.645)


def with_error(values):
    return f"{values.mean():+.2f} ± {values.std() / np.sqrt(len(values)):.2f}"


TABLES = {
    "Bias": lambda m: f"{m.bias:+.2f} ± {m.bias_error:.2f}",
    "Bias of UNBIASED; its scatter over VALUE's": lambda m: f"{m.unbiased:+.2f} ± {m.unbiased_error:.2f}; {m.scatter:.2f}",
    "Below the truth: VALUE, UNBIASED; UNBIASED null": lambda m: f"{m.value_below:.3f}, {m.below:.3f}; {m.null:.3f}",
    "Pull: mean, median; root: mean": lambda m: f"{with_error(m.pulls)}, {np.median(m.pulls):+.2f}; {m.roots.mean():+.2f}",
    "The 90% interval holds the truth": lambda m: f"{m.holds:.3f}",
    "GOF_SIGMA above 1.645": lambda m: f"{m.poor:.3f}",
}


def print_row(cells):
    print("| " + " | ".join(str(cell) for cell in cells) + " |")


def print_header(cells):
    print_row(cells)
    print("|" + "---|" * len(cells))


def print_by_model(found):
    models = sorted({case.model for case, _ in found}, key=["powerlaw", "bbody", "bremss", "apec"].index)
    cells = {(case.order(), case.model): measures for case, measures in found}
    for title, cell in TABLES.items():
        print(f"\n{title} (simulations a row: {min(len(m.values) for _, m in found)})\n")
        print_header(["nH", "background counts", "source counts", *models])
        for order in sorted({order for order, _ in cells}):
            print_row([*order, *(cell(cells[order, model]) if (order, model) in cells else "" for model in models)])


def print_ungrouped(ungrouped, default):
    print("\nUngrouped and default\n")
    print_header(["background counts", "source counts", "none: mean, median", "bias", "default: mean, median", "bias"])
    of_default = {(case.model, case.order()): measures for case, measures in default}
    for case, measures in sorted(ungrouped, key=lambda found: found[0].order()):
        cells = [case.background, case.counts]
        for m in (measures, of_default[case.model, case.order()]):
            error = m.values.std() / np.sqrt(len(m.values))
            cells += [f"{m.values.mean():.2f} ± {error:.2f}, {np.median(m.values):.2f}", f"{m.bias:+.2f}"]
        print_row(cells)


def main():
    found = {"default": [], "none": []}
    for case in map(Case, sys.argv[1:]):
        for binning in found:
            if rows := [row for row in case.rows if row["binning"] == binning]:
                found[binning].append((case, Measures(rows, case.truth)))
    print_by_model(found["default"])
    if found["none"]:
        print_ungrouped(found["none"], found["default"])


if __name__ == "__main__":
    main()
