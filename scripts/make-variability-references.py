#!/usr/bin/env python3
"""Make the reference values of the variability tests: tests/data/characterise/*.csv.

Tails come from scipy.stats, Bayesian blocks from astropy.stats.bayesian_blocks; nothing of xsift is used. Needs numpy, scipy
and astropy.

    scripts/make-variability-references.py [FOLDER]
"""
import csv
import pathlib
import sys

import numpy as np
from astropy.stats import bayesian_blocks
from scipy.stats import chi2, kstwo

OUT = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parents[1] / "tests/data/characterise")


def write(name, header, rows):
    with open(OUT / name, "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        for row in rows:
            writer.writerow([format(float(x), ".17g") for x in row])


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    write("ks_tail.csv", ["n", "d", "p"],
          [(n, z / np.sqrt(n), kstwo.sf(z / np.sqrt(n), n)) for n in (1, 2, 5, 8, 20, 60, 140, 141, 500, 3000, 100000)
           for z in (0.4, 0.6, 0.8, 1.0, 1.2, 1.4, 1.5, 2.0, 3.0, 5.0) if 0.5 < z * np.sqrt(n) and z / np.sqrt(n) < 1])
    write("chi2_tail.csv", ["dof", "x", "log10_p"],
          [(k, x * k, chi2.logsf(x * k, k) / np.log(10)) for k in (1, 2, 3, 10, 101, 1500)
           for x in (0.2, 0.7, 1.0, 1.1, 1.3, 2.0, 4.0)])
    random = np.random.default_rng(13)
    time = np.sort(np.concatenate([random.uniform(0, 10000, 600), random.uniform(3000, 3200, 90),
                                   random.normal(7000, 40, 60), random.uniform(9000, 10000, 120)]))
    write("block_events.csv", ["time"], time[:, None])
    rate = np.where(np.arange(400) // 90 % 2 == 0, 1.0, 1.7) + random.normal(0, 0.5, 400)
    write("block_rates.csv", ["time", "rate"], np.column_stack([np.arange(400.0), rate]))
    edges = [(kind, p0, edge) for p0 in (0.001, 0.05) for kind, found in
             ((0, bayesian_blocks(time, fitness="events", p0=p0)),
              (1, bayesian_blocks(np.arange(400.0), rate, 0.5, fitness="measures", p0=p0))) for edge in found]
    write("block_edges.csv", ["rates", "p0", "edge"], edges)


if __name__ == "__main__":
    main()
