#!/usr/bin/env python3
"""Make the reference values of the timing tests: tests/data/timing/*.csv.

They come from formulas written down here once more, in extended precision (numpy.longdouble, exact rational numbers
for the phases), and from astropy's own Lomb-Scargle periodograms; nothing of xsift is used. Needs numpy and astropy.

    scripts/make-timing-references.py [FOLDER]
"""
import csv
import fractions
import pathlib
import sys

import numpy as np
from astropy.timeseries import LombScargle

OUT = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parents[1] / "tests/data/timing")
TWO_PI = 2 * np.arccos(np.longdouble(-1))
MOST_HARMONICS = 20


def write(name, header, rows):
    with open(OUT / name, "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        for row in rows:
            writer.writerow([format(float(x), ".17g") for x in row])


def photons():
    """Times around 0 with a gap, and weights that are single-precision numbers, as surveys store them."""
    random = np.random.default_rng(20)
    time = np.sort(random.uniform(-20000, 20000, 6000))
    time = time[(time < -3000) | (time > 1000)]
    phase = 0.0123456 * time + 0.5 * 3e-9 * time**2
    time = time[random.uniform(0, 2, len(time)) < 1 + 0.6 * np.cos(2 * np.pi * phase) + 0.4 * np.cos(6 * np.pi * phase)]
    time = time[random.permutation(len(time))[:1500]]
    return np.sort(time), random.uniform(0.02, 1, 1500).astype(np.float32)


def z2_and_h(time, weight, frequency, fdot):
    """Z2_1 .. Z2_20 with the factor 2 / sum w^2 (Kerr 2011, ApJ 732, 38; PINT's z2mw), H and the m of its maximum."""
    t, w = time.astype(np.longdouble), weight.astype(np.longdouble)
    phase = np.longdouble(frequency) * t + np.longdouble(fdot) * t * t / 2
    phase -= np.floor(phase)
    k = np.arange(1, MOST_HARMONICS + 1)[:, None]
    c, s = (w * np.cos(TWO_PI * k * phase)).sum(1), (w * np.sin(TWO_PI * k * phase)).sum(1)
    z2 = 2 / (w * w).sum() * np.cumsum(c * c + s * s)
    trials = z2 - 4 * np.arange(MOST_HARMONICS)
    return [*z2, trials.max(), trials.argmax() + 1]


def weighted_statistics():
    time, weight = photons()
    write("weighted_photons.csv", ["time_s", "weight"], zip(time, weight))
    rows = []
    for frequency, fdot in [(0.0123456, 3e-9), (0.0123456, 0.0), (0.01, 0.0), (7.77, -2e-8), (0.006172801, 1.5e-9),
                            (123.456789, 1e-6)]:
        for weighted in (1, 0):
            w = weight if weighted else np.ones_like(weight)
            rows.append([frequency, fdot, weighted, *z2_and_h(time, w, frequency, fdot)])
    write("weighted_statistics.csv",
          ["frequency_hz", "fdot_hz_s", "weighted", *[f"z2_{n}" for n in range(1, MOST_HARMONICS + 1)], "h", "h_m"], rows)


def phases():
    """f t + fdot t^2 / 2 modulo 1 from exact rational arithmetic on the binary values, up to 1e9 cycles and more."""
    random = np.random.default_rng(5)
    rows = []
    for _ in range(200):
        time = random.uniform(-1, 1) * 10 ** random.uniform(2, 8)
        frequency = 10 ** random.uniform(8, 9.5) / abs(time)
        fdot = random.uniform(-1, 1) * 10 ** random.uniform(4, 9) / time**2
        f, d, t = (fractions.Fraction(float(x)) for x in (frequency, fdot, time))
        rows.append([frequency, fdot, time, (f * t) % 1, (f * t + d * t * t / 2) % 1])
    write("phases.csv", ["frequency_hz", "fdot_hz_s", "time_s", "phase", "phase_with_fdot"], rows)


def lomb_scargle():
    random = np.random.default_rng(8)
    time = np.sort(random.uniform(-15000, 15000, 320))
    error = random.uniform(0.2, 0.9, len(time))
    phase = (time / 2345.6) % 1
    value = 3 + 2.5 * np.exp(-0.5 * ((phase - 0.4) / 0.07) ** 2) + error * random.standard_normal(len(time))
    write("lomb_scargle_curve.csv", ["time_s", "value", "error"], zip(time, value, error))
    rows = []
    for frequency in (1 / 2345.6, 2 / 2345.6, 1 / 5000, 0.0031, 0.0456789):
        for terms in (1, 2, 3, 4, 6, 10):
            model = LombScargle(time, value, error, fit_mean=True, nterms=terms)
            powers = [model.power(np.array([frequency]), method="chi2", normalization=n, assume_regular_frequency=False)[0]
                      for n in ("standard", "model", "log", "psd")]
            rows.append([frequency, terms, *powers])
    write("lomb_scargle_powers.csv", ["frequency_hz", "terms", "standard", "model", "log", "psd"], rows)


def epoch_folding():
    """chi2 of profiles against a constant rate seen through the good times, phase bin by phase bin."""
    time, weight = photons()
    gti = [(-20000.0, -3000.0), (1000.0, 20000.0)]

    def exposure(bins, frequency):
        share = np.zeros(bins, dtype=np.longdouble)
        for start, stop in gti:
            # Where phases cross an edge of a bin: between two crossings all exposure is of one bin.
            a, b = np.longdouble(frequency) * start * bins, np.longdouble(frequency) * stop * bins
            edges = np.concatenate([[a], np.arange(np.floor(a) + 1, np.ceil(b), dtype=np.longdouble), [b]])
            cell = np.floor(0.5 * (edges[1:] + edges[:-1])).astype(np.int64) % bins
            np.add.at(share, cell, np.diff(edges))
        return share / share.sum()

    rows = []
    for frequency in (0.0123456, 0.00007, 0.0002, 0.037, 3.3):
        for bins in (8, 16, 20):
            share = exposure(bins, frequency)
            phase = np.longdouble(frequency) * time.astype(np.longdouble)
            cell = np.floor((phase - np.floor(phase)) * bins).astype(int)
            for weighted in (0, 1):
                w = weight.astype(np.longdouble) if weighted else np.ones(len(time), dtype=np.longdouble)
                folded = np.zeros(bins, dtype=np.longdouble)
                np.add.at(folded, cell, w)
                used = share >= 0.1 / bins
                part = share[used] / share[used].sum()
                inside = used[cell]
                w1, w2 = w[inside].sum(), (w[inside] ** 2).sum()
                rows.append([frequency, bins, weighted, ((folded[used] - w1 * part) ** 2 / (w2 * part)).sum(),
                             used.sum() - 1])
    write("epoch_folding.csv", ["frequency_hz", "bins", "weighted", "chi2", "dof"], rows)


if __name__ == "__main__":
    OUT.mkdir(parents=True, exist_ok=True)
    weighted_statistics()
    phases()
    lomb_scargle()
    epoch_folding()
