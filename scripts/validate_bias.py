"""Where the bias of the default comes from, from the rows of simulate_spectra (see scripts/validate-spectra -b).

validate_bias.py FOLDER: holds MODEL_NH_TRUTH_BACKGROUND_COUNTS.VARIANT.csv, the variants being fits of the same counts. Bias: (median - truth) over the half-width of the
central 68% of the default's values (with nH known: of its own). Errors by drawing sources again. Pull: median of (value - truth) over the error on the truth's side.
Where the default's rows hold BOOT_MEDIAN, the same of 2 VALUE - BOOT_MEDIAN, beside the default of the same simulations.
"""
import csv
import pathlib
import sys

import numpy as np

VARIANTS = "default", "known-background", "frozen-nh"
MODELS = "powerlaw", "bbody", "bremss", "apec"
CASE = ["model", "nH", "background counts", "source counts", "simulations"]


def column(rows, name):
    return np.array([float(row[name]) for row in rows])


def half_width(values):
    low, high = np.percentile(values, [16, 84])
    return 0.5 * (high - low)


def with_errors(measure, samples, random):
    """Of a measure of an array (fits, simulations) of value - truth, which gives a list."""
    n = samples.shape[1]
    errors = np.std([measure(samples[:, random.integers(0, n, n)]) for _ in range(1000)], axis=0)
    return [f"{at:+.2f} ± {error:.2f}" for at, error in zip(measure(samples), errors)]


def of_variants(off):
    default, known, frozen = np.median(off, axis=1)
    scatter = half_width(off[0])
    return [default / scatter, known / scatter, (default - known) / scatter, frozen / half_width(off[2])]


def of_corrected(off):
    scatters = np.array([half_width(values) for values in off])
    return [*(np.median(off, axis=1) / scatters[0]), scatters[1] / scatters[0]]


def median_pull(rows, truth):
    value = column(rows, "parameter")
    side = np.where(value > truth, value - column(rows, "lo"), column(rows, "hi") - value)
    return np.nanmedian(1.645 * (value - truth) / side)


def print_row(cells):
    print("| " + " | ".join(map(str, cells)) + " |")


def print_header(cells):
    print_row(cells)
    print("|" + "---|" * len(cells))


def order(name):
    model, *numbers = name.split("_")
    return MODELS.index(model), [float(number) for number in numbers]


def main():
    folder = pathlib.Path(sys.argv[1])
    random = np.random.default_rng(1)
    corrected = []
    print_header([*CASE, "default", "background known", "default less that", "nH known", "median pull of the three"])
    for name in sorted((path.name.removesuffix(".default.csv") for path in folder.glob("*.default.csv")), key=order):
        tables = []
        for variant in VARIANTS:
            with open(folder / f"{name}.{variant}.csv") as file:
                tables.append({row["index"]: row for row in csv.DictReader(file)})
        common = [index for index in tables[0] if all(index in table for table in tables)]
        rows = [[table[index] for index in common] for table in tables]
        model, nh, truth, background, counts = name.split("_")
        case = [model, nh, background, counts]
        off = np.array([column(of, "parameter") for of in rows]) - float(truth)
        pulls = ", ".join(f"{median_pull(of, float(truth)):+.2f}" for of in rows)
        print_row([*case, len(common), *with_errors(of_variants, off, random), pulls])
        bootstrap = column(rows[0], "boot_median") - float(truth)
        if (made := np.isfinite(bootstrap)).any():
            pair = np.array([off[0][made], 2.0 * off[0][made] - bootstrap[made]])
            corrected.append([*case, made.sum(), *with_errors(of_corrected, pair, random)])
    if corrected:
        print()
        print_header([*CASE, "VALUE", "2 VALUE - BOOT_MEDIAN", "its scatter over VALUE's"])
        for cells in corrected:
            print_row(cells)


main()
