"""Tables of bias and goodness from the rows of simulate_spectra (see scripts/validate-spectra)."""
import csv
import os
import sys

import numpy as np


def numbers(rows, column):
    return np.array([float(row[column]) for row in rows])


def line(path, binning, rows):
    model, truth, background, counts = os.path.basename(path)[:-4].split("_")
    truth = float(truth)
    fitted = numbers(rows, "parameter")
    low, median, high = np.percentile(fitted, [16, 50, 84])
    sigma = 0.5 * (high - low)
    goodness = numbers(rows, "gof_sigma")
    goodness = goodness[np.isfinite(goodness)]
    poor = f"{np.mean(goodness > 1.645):.3f}" if len(goodness) else "null"
    error = fitted.std() / np.sqrt(len(fitted))
    holds = np.mean((numbers(rows, "lo") <= truth) & (truth <= numbers(rows, "hi")))
    posterior = "null | null | null"
    if "post_median" in rows[0]:
        made = [row for row in rows if row["post_median"] != "nan"]
        if len(made) > len(rows) // 2:
            medians = numbers(made, "post_median")
            low, middle, high = np.percentile(medians, [16, 50, 84])
            inside = np.mean((numbers(made, "post_lo") <= truth) & (truth <= numbers(made, "post_hi")))
            posterior = f"{middle:.2f} | {2 * (middle - truth) / (high - low):+.2f} | {inside:.3f}"
    return (f"| {model} | {background} | {counts} | {binning} | {truth} | {fitted.mean():.2f} +- {error:.2f} | "
            f"{median:.2f} | {sigma:.2f} | {(median - truth) / sigma:+.2f} | {holds:.3f} | {posterior} | {poor} |")


def main():
    print("| model | background counts | source counts | binning | truth | mean | median | sigma (68%) | "
          "(median - truth)/sigma | interval holds | median of POST_MEDIAN | (it - truth)/sigma | "
          "POST_LO-POST_HI holds | GOF_SIGMA > 1.645 |")
    print("|" + "---|" * 14)
    key = lambda path: [float(part) if part.replace(".", "").isdigit() else part
                        for part in os.path.basename(path)[:-4].split("_")]
    for path in sorted(sys.argv[1:], key=key):
        with open(path) as file:
            rows = list(csv.DictReader(file))
        for binning in dict.fromkeys(row["binning"] for row in rows):
            print(line(path, binning, [row for row in rows if row["binning"] == binning]))


if __name__ == "__main__":
    main()
