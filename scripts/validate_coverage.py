"""Coverage of intervals, confusion of the selection and uniformity of the goodness of fit, from the rows of simulate_spectra.

validate_coverage.py FILE...: files MODEL_PARAMETER_BACKGROUND_COUNTS.csv, each of one simulated model fitted with several (see
scripts/validate-spectra -c). Prints the tables of docs/validation.md.
"""
import collections
import csv
import math
import os
import sys

NH = float(os.environ.get("TRUE_NH", "0.1"))


def share(hits, n):
    p = hits / n if n else float("nan")
    return f"{100 * p:.1f} ± {100 * math.sqrt(max(p * (1 - p), 0.25 / n) / n):.1f}%" if n else "-"


def short(model):
    return model.removeprefix("tbabs*").strip("()")


def main():
    inside = collections.defaultdict(lambda: [0, 0])
    selected = collections.defaultdict(collections.Counter)
    probabilities = []
    for path in sys.argv[1:]:
        model, truth, _, counts = os.path.basename(path)[:-4].split("_")
        truth, counts = float(truth), int(counts)
        chosen = {}
        with open(path) as file:
            for row in csv.DictReader(file):
                chosen.setdefault(row["index"], "none")
                if row["selected"] == "1":
                    chosen[row["index"]] = short(row["model"])
                if short(row["model"]) != model:
                    continue
                ends = {"shape": (truth, "lo", "hi"), "nH": (NH, "nh_lo", "nh_hi"),
                        "norm": (float(row["true_norm"]), "norm_lo", "norm_hi")}
                for name, (value, lo, hi) in ends.items():
                    tally = inside[name, counts]
                    tally[0] += float(row[lo]) <= value <= float(row[hi])
                    tally[1] += 1
                sigma = float(row["gof_sigma"])
                if math.isfinite(sigma):
                    probabilities.append(0.5 * math.erfc(sigma / math.sqrt(2)))
        selected[model, counts].update(chosen.values())

    sizes = sorted({counts for _, counts in inside})
    print("90% intervals that hold the truth (true model fitted):\n\n| counts | simulations | shape parameter | nH | norm |\n|---|---|---|---|---|")
    for counts in sizes:
        cells = [share(*inside[name, counts]) for name in ("shape", "nH", "norm")]
        print(f"| {counts} | {inside['shape', counts][1]} | " + " | ".join(cells) + " |")
    total = {name: [sum(inside[name, c][k] for c in sizes) for k in (0, 1)] for name in ("shape", "nH", "norm")}
    print(f"| all | {total['shape'][1]} | " + " | ".join(share(*total[name]) for name in total) + " |\n")

    columns = sorted({name for tally in selected.values() for name in tally})
    print("Model selected, by simulated model and counts:\n\n| simulated | counts | " + " | ".join(columns) + " |\n" + "|---" * (len(columns) + 2) + "|")
    for (model, counts), tally in sorted(selected.items()):
        print(f"| {model} | {counts} | " + " | ".join(str(tally[name]) for name in columns) + " |")

    n = len(probabilities)
    ordered = sorted(probabilities)
    distance = max(max((i + 1) / n - p, p - i / n) for i, p in enumerate(ordered))
    deciles = [sum(0.1 * k <= p < 0.1 * (k + 1) for p in probabilities) for k in range(10)]
    print(f"\nGoodness of fit: {n} probabilities of GOF_SIGMA; in ten equal classes: {', '.join(map(str, deciles))}; largest distance from "
          f"uniform {distance:.3f} (a chance of 1% exceeds {1.63 / math.sqrt(n):.3f}).")


main()
