"""Where the bias of the default comes from, from the rows of simulate_spectra (see scripts/validate-spectra -b).

validate_bias.py FOLDER: holds BACKGROUND.COUNTS.VARIANT.csv, the variants being fits of the same counts. Bias: (median - truth) over the half-width of the
central 68% of the default's indices (with nH known: of its own). Errors by drawing sources again.
"""
import csv
import pathlib
import sys

import numpy as np

VARIANTS = "default", "known-background", "frozen-nh"
TRUTH = 2.0


def indices(path):
    with open(path) as file:
        return {row["index"]: float(row["parameter"]) for row in csv.DictReader(file)}


def main():
    folder = pathlib.Path(sys.argv[1])
    random = np.random.default_rng(1)
    print("| background counts | source counts | simulations | default | background known | default less that | nH known |\n|" + "---|" * 7)
    cases = sorted({tuple(int(part) for part in path.name.split(".")[:2]) for path in folder.glob("*.default.csv")})
    for background, counts in cases:
        rows = {variant: indices(folder / f"{background}.{counts}.{variant}.csv") for variant in VARIANTS}
        common = [index for index in rows["default"] if all(index in r for r in rows.values())]
        fitted = np.array([[rows[variant][index] for index in common] for variant in VARIANTS])

        def biases(sample):
            low, high = np.percentile(sample[0], [16, 84])
            found = (np.median(sample, axis=1) - TRUTH) / (0.5 * (high - low))
            own = np.percentile(sample[2], [16, 84])
            found[2] = (np.median(sample[2]) - TRUTH) / (0.5 * (own[1] - own[0]))
            return np.append(found, found[0] - found[1])

        at = biases(fitted)
        error = np.std([biases(fitted[:, random.integers(0, len(common), len(common))]) for _ in range(1000)], axis=0)
        shown = [f"{a:+.2f} ± {e:.2f}" for a, e in zip(at, error)]
        print(f"| {background} | {counts} | {len(common)} | {shown[0]} | {shown[1]} | {shown[3]} | {shown[2]} |")


main()
