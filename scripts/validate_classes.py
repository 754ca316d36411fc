#!/usr/bin/env python3
"""Cross-validation of xsift's classifier; called by validate-classes and by the tests."""
import argparse
import csv
import gzip
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy
from astropy.io import fits

LABELLED = pathlib.Path(__file__).resolve().parent.parent / "tests" / "data" / "labelled"
CHANDRA, XMM = LABELLED / "csc2_labelled.fits.gz", LABELLED / "xmm4dr13_labelled.fits.gz"
COUNTERPART = ["GMAG", "BPMAG", "RPMAG", "JMAG", "HMAG", "KMAG", "W1MAG", "W2MAG", "W3MAG", "PLX", "RPLX", "PM",
               "PMRA", "PMDEC", "RGEO"]
# To which Gaia, 2MASS and CatWISE were searched for each of the Chandra sources.
DEPTH = ["--depth", "G=20.7", "--depth", "J=16", "--depth", "W1=17"]
LIMITS = (("G", 20.7), ("J", 16.0), ("W1", 17.0))
FOREST_WITH_LIMITS = "forest, properties and limits, kept from the trap"
SUFFIXES = ("G", "BP", "RP", "J", "H", "K", "W1", "W2", "W3", "PLX")


def read(path):
    with gzip.open(path) as packed, fits.open(packed) as hdus:
        return numpy.array(hdus[1].data)


def write(table, path):
    fits.BinTableHDU(table).writeto(path, overwrite=True)
    return path


def labels_of(table):
    return numpy.array([(x.decode() if isinstance(x, bytes) else str(x)).strip() for x in table["CLASS"]])


def folds_of(labels, folds, seed=1):
    """Stratified: a fold number for each source."""
    random = numpy.random.default_rng(seed)
    fold = numpy.zeros(len(labels), dtype=int)
    for name in numpy.unique(labels):
        members = random.permutation(numpy.flatnonzero(labels == name))
        fold[members] = numpy.arange(len(members)) % folds
    return fold


def without_counterparts(table):
    """The same sources with every property of a counterpart taken away."""
    table = table.copy()
    for name in table.dtype.names:
        if name in COUNTERPART or name in ["E_" + s + "MAG" for s in SUFFIXES] + ["E_PLX"]:
            table[name] = numpy.nan
    return table


def classify(xsift, table, folder, model=None, *options):
    """Probabilities of the classes of a table, in order of the returned names."""
    source, output = folder / "sources.fits", folder / "classes.csv"
    write(table, source)
    chosen = ["--class-model", str(model)] if model else []
    subprocess.run([xsift, "-q", "classify", str(source), "-o", str(output), *chosen, *options], check=True)
    with open(output, newline="") as text:
        rows = list(csv.DictReader(text))
    names = [key[2:] for key in rows[0] if key.startswith("P_") and key != "P_CLASS"]
    probability = numpy.array([[float(row["P_" + name] or "nan") for name in names] for row in rows])
    return numpy.array(names), probability, rows


def cross_validate(xsift, table, fold, take=None):
    """Probabilities of each source by models that have not seen it: "searched": as it is, where no counterpart is
    known fainter than the catalogues' depth; "plain": the same, nothing said of what is not there; "alone": without
    its counterpart, nothing said; "claimed": without its counterpart, which is claimed to be fainter than the depth."""
    found, names = {}, None
    for number in range(fold.max() + 1) if take is None else take:
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            labels, model = write(table[fold != number], folder / "labels.fits"), folder / "model.txt"
            subprocess.run([xsift, "-q", "train", str(labels), "-o", str(model), *DEPTH], check=True,
                           stdout=subprocess.DEVNULL)
            inside = fold == number
            blind = without_counterparts(table[inside])
            for key, rows, depth in (("searched", table[inside], DEPTH), ("plain", table[inside], []),
                                     ("alone", blind, []), ("claimed", blind, DEPTH)):
                names, probability, _ = classify(xsift, rows, folder, model, *depth)
                found.setdefault(key, numpy.full((len(table), len(names)), numpy.nan))[inside] = probability
    return names, found


def calibration(probability, right, bins=10):
    """Expected calibration error of the most probable class, and its bins: mean probability, share right, number."""
    top = probability.max(axis=1)
    number = numpy.minimum((top * bins).astype(int), bins - 1)
    rows = [(top[number == b].mean(), right[number == b].mean(), int((number == b).sum()))
            for b in range(bins) if (number == b).any()]
    return sum(n * abs(p - r) for p, r, n in rows) / len(top), rows


def scores(names, probability, labels):
    """Balanced accuracy, accuracy, calibration error, recall of each class, for sources that got a class."""
    known = numpy.isfinite(probability[:, 0])
    predicted = numpy.full(len(labels), "", dtype=object)
    predicted[known] = names[probability[known].argmax(axis=1)]
    right = predicted == labels
    recall = {name: right[labels == name].mean() for name in names if (labels == name).any()}
    error, bins = calibration(probability[known], right[known])
    return {"balanced": float(numpy.mean(list(recall.values()))), "accuracy": float(right.mean()), "ece": float(error),
            "recall": recall, "bins": bins, "predicted": predicted, "unknown": int((~known).sum())}


def confusion(names, labels, predicted):
    return numpy.array([[int(((labels == a) & (predicted == b)).sum()) for b in names] for a in names])


def confusion_svg(names, matrix, path, title):
    cell, left, top = 58, 96, 78
    size = cell * len(names)
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {left + size + 16} {top + size + 16}" '
             'font-family="sans-serif" font-size="13"><style>text{fill:#222}.d{stroke:#999;stroke-width:.5}'
             '@media(prefers-color-scheme:dark){text{fill:#ddd}}.in{fill:#111}.inv{fill:#fff}</style>'
             f'<text x="{left}" y="20" font-size="15">{title}</text>'
             f'<text x="{left + size / 2}" y="44" text-anchor="middle">given class</text>'
             f'<text transform="translate(14 {top + size / 2}) rotate(-90)" text-anchor="middle">label</text>']
    for i, name in enumerate(names):
        parts.append(f'<text x="{left + (i + .5) * cell}" y="{top - 8}" text-anchor="middle" font-size="11">{name}</text>'
                     f'<text x="{left - 6}" y="{top + (i + .5) * cell + 4}" text-anchor="end" font-size="11">{name}</text>')
        total = max(1, matrix[i].sum())
        for j, count in enumerate(matrix[i]):
            share = count / total
            shade = [round(255 + share * (c - 255)) for c in (31, 88, 150)]
            parts.append(f'<rect class="d" x="{left + j * cell}" y="{top + i * cell}" width="{cell}" height="{cell}" '
                         f'fill="rgb({shade[0]},{shade[1]},{shade[2]})"/>')
            if count:
                tone = "inv" if share > .5 else "in"
                x, y = left + (j + .5) * cell, top + (i + .5) * cell
                parts.append(f'<text class="{tone}" x="{x}" y="{y}" text-anchor="middle">{count}</text>'
                             f'<text class="{tone}" x="{x}" y="{y + 15}" text-anchor="middle" font-size="10">{share:.0%}</text>')
    path.write_text("\n".join(parts) + "\n</svg>\n")


def calibration_svg(curves, path, title):
    size, left, top = 380, 64, 40

    def place(x, y):
        return left + x * size, top + (1 - y) * size
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {left + size + 24} {top + size + 64 + 20 * len(curves)}" '
             'font-family="sans-serif" font-size="12"><style>text{fill:#222}.f{fill:none;stroke:#777}'
             '.g{stroke:#aaa;stroke-dasharray:4 3}@media(prefers-color-scheme:dark){text{fill:#ddd}}</style>'
             f'<text x="{left}" y="22" font-size="15">{title}</text>'
             f'<rect class="f" x="{left}" y="{top}" width="{size}" height="{size}"/>'
             f'<line class="g" x1="{left}" y1="{top + size}" x2="{left + size}" y2="{top}"/>']
    for tick in (0, .2, .4, .6, .8, 1):
        x, y = place(tick, tick)
        parts.append(f'<text x="{x}" y="{top + size + 18}" text-anchor="middle">{tick:g}</text>'
                     f'<text x="{left - 6}" y="{y + 4}" text-anchor="end">{tick:g}</text>')
    parts.append(f'<text x="{left + size / 2}" y="{top + size + 40}" text-anchor="middle">probability of the given class</text>'
                 f'<text transform="translate(18 {top + size / 2}) rotate(-90)" text-anchor="middle">share that is right</text>')
    for row, (name, colour, bins) in enumerate(curves):
        points = " ".join(f"{place(p, r)[0]:.1f},{place(p, r)[1]:.1f}" for p, r, _ in bins)
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
        for p, r, n in bins:
            x, y = place(p, r)
            spread = numpy.sqrt(max(r * (1 - r), 1 / (4 * n)) / n)
            low, high = place(p, max(0, r - spread))[1], place(p, min(1, r + spread))[1]
            parts.append(f'<line x1="{x:.1f}" y1="{low:.1f}" x2="{x:.1f}" y2="{high:.1f}" stroke="{colour}"/>'
                         f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}"/>')
        parts.append(f'<rect x="{left + 12}" y="{top + size + 56 + 20 * row}" width="12" height="12" fill="{colour}"/>'
                     f'<text x="{left + 30}" y="{top + size + 66 + 20 * row}">{name}</text>')
    path.write_text("\n".join(parts) + "\n</svg>\n")


def column(table, name):
    return numpy.asarray(table[name], dtype=float)


def catalogue_columns(table):
    """What the tables hold, as a forest would usually be given it: nulls are -99."""
    names = ["F_S", "F_M", "F_H", "F_B", "HR_MS", "HR_HM", "HR_HMS", "P_INTRA", "P_INTER", "PL_GAMMA", "GLAT"] + \
        [n for n in COUNTERPART if n not in ("PLX", "PMRA", "PMDEC")]
    return numpy.column_stack([column(table, n) for n in names])


def same_properties(table, searched=False):
    """The properties of xsift's classifier; searched: and lower limits of the flux ratios."""
    def mag(name):
        value = column(table, name + "MAG")
        return numpy.where(numpy.isfinite(column(table, "E_" + name + "MAG")), value, numpy.nan)
    floor = numpy.asarray(table["FLOOR"], dtype=int)
    soft, medium, hard = (numpy.where(floor & bit, numpy.nan, column(table, name))
                          for bit, name in ((1, "F_S"), (2, "F_M"), (4, "F_H")))
    with numpy.errstate(all="ignore"):
        log_fx = numpy.where(floor == 7, numpy.nan, numpy.log10(column(table, "F_B")))
        g, bp, rp, j, h, k, w1, w2, w3 = (mag(n) for n in SUFFIXES[:9])
        s = column(table, "RPLX")
        distance = numpy.where(s > 5, column(table, "RGEO"), numpy.nan)
        modulus = 5 * numpy.log10(distance) - 5
        gamma = numpy.where(column(table, "E_PL_GAMMA") <= 0.6, column(table, "PL_GAMMA"), numpy.nan)
        limits = [numpy.where(numpy.isfinite(mag(band)), numpy.nan, log_fx + 0.4 * depth) for band, depth in LIMITS]
        return numpy.column_stack([
            (medium - soft) / (medium + soft), (hard - medium) / (hard + medium),
            (hard - medium - soft) / (hard + medium + soft), column(table, "P_INTRA"), column(table, "P_INTER"), gamma,
            numpy.log10(numpy.abs(column(table, "GLAT")) + 0.1), log_fx + 0.4 * g, log_fx + 0.4 * j, log_fx + 0.4 * k,
            log_fx + 0.4 * w1, bp - rp, g - rp, g - j, g - k, g - w1, j - h, h - k, j - k, k - w1, j - w1, w1 - w2,
            w2 - w3, numpy.sign(s) * numpy.log10(1 + numpy.abs(s)), g - modulus, w1 - modulus,
            log_fx + 2 * numpy.log10(distance), numpy.log10(column(table, "PM")),
            *(limits if searched else [])])


def forest(features, labels, fold, masked=None, more=0):
    """A 500-tree random forest on the same folds; masked: further training rows without counterparts, which have no
    values in the last columns (more)."""
    from sklearn.ensemble import RandomForestClassifier
    names = numpy.unique(labels)
    probability, alone = numpy.zeros((len(labels), len(names))), None
    features = numpy.where(numpy.isfinite(features), features, -99.0)
    if masked is not None:
        masked = numpy.column_stack([masked, numpy.full((len(masked), more), numpy.nan)])
        masked = numpy.where(numpy.isfinite(masked), masked, -99.0)
        alone = numpy.zeros_like(probability)
        differ = (masked != features).any(axis=1)
    for number in range(fold.max() + 1):
        train, test = fold != number, fold == number
        x, y = features[train], labels[train]
        if masked is not None:
            x, y = numpy.vstack([x, masked[train & differ]]), numpy.concatenate([y, labels[train & differ]])
        trees = RandomForestClassifier(500, random_state=0, n_jobs=1).fit(x, y)
        probability[test] = trees.predict_proba(features[test])
        if masked is not None:
            alone[test] = trees.predict_proba(masked[test])
    return names, probability, alone


def line(name, results):
    """A row of the table: means over the seeds, with the scatter of what is compared. results: a score, and the share
    called neutron stars or None, a seed."""
    def mean(values, digits=3, scatter=False):
        text = f"{numpy.mean(values):.{digits}f}"
        return text + (f" +- {numpy.std(values, ddof=1):.{digits}f}" if scatter and len(values) > 1 else "")
    given = [score for score, _ in results]
    shares = [share for _, share in results if share is not None]
    others = [numpy.mean([share for c, share in g["recall"].items() if c != "NS"]) for g in given]
    print(f"| {name} | {mean([g['balanced'] for g in given], scatter=True)} | {mean(others)} | "
          f"{mean([g['accuracy'] for g in given], scatter=True)} | {mean([g['ece'] for g in given], scatter=True)} | "
          f"{mean(shares) if shares else ''} | " +
          " | ".join(mean([g["recall"].get(c, float("nan")) for g in given], 2) for c in sorted(given[0]["recall"])) +
          " |", flush=True)


def as_neutron_stars(names, alone, labels):
    """Of sources that are none, taken without their counterparts: the share that is called a neutron star."""
    others = (labels != "NS") & numpy.isfinite(alone[:, 0])
    return float((names[alone[others].argmax(axis=1)] == "NS").mean())


def ours(xsift, table, labels, fold):
    """Scores of xsift on one set of folds: with depths, without; and the share called NS by a false claim of depth."""
    names, found = cross_validate(xsift, table, fold)
    blind = as_neutron_stars(names, found["alone"], labels)
    return ({"xsift, with the depth of the catalogues": (scores(names, found["searched"], labels), blind),
             "xsift, nothing said of what is not there": (scores(names, found["plain"], labels), blind)},
            as_neutron_stars(names, found["claimed"], labels), names)


def forests(table, labels, fold):
    """Scores of the random forests on the same folds."""
    found = {
        "forest, columns as catalogued": (scores(*forest(catalogue_columns(table), labels, fold)[:2], labels), None),
        "forest, the properties of xsift": (scores(*forest(same_properties(table), labels, fold)[:2], labels), None),
        "forest, the same and the limits":
            (scores(*forest(same_properties(table, True), labels, fold)[:2], labels), None)}
    for name, searched in (("forest, properties, kept from the trap", False), (FOREST_WITH_LIMITS, True)):
        trees, given, hidden = forest(same_properties(table, searched), labels, fold,
                                      same_properties(without_counterparts(table)), 3 if searched else 0)
        found[name] = (scores(trees, given, labels), as_neutron_stars(trees, hidden, labels))
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--seeds", type=lambda text: [int(word) for word in text.split(",")], default=[1],
                        help="of the folds, with commas; figures are of the first")
    parser.add_argument("--output", type=pathlib.Path, required=True)
    parser.add_argument("--forests", choices=["yes", "no"], default="yes")
    arguments = parser.parse_args()
    xsift = os.environ["XSIFT"]
    table = read(CHANDRA)
    labels = labels_of(table)
    results, claimed = {}, []
    for seed in arguments.seeds:
        fold = folds_of(labels, arguments.folds, seed)
        of_seed, share, names = ours(xsift, table, labels, fold)
        claimed.append(share)
        if arguments.forests == "yes":
            of_seed |= forests(table, labels, fold)
        for name, result in of_seed.items():
            results.setdefault(name, []).append(result)
            print(f"seed {seed}: {name}: {result[0]['balanced']:.4f} {result[0]['accuracy']:.4f} {result[0]['ece']:.4f}",
                  file=sys.stderr, flush=True)
    deep, plain = (rows[0][0] for rows in list(results.values())[:2])
    print(f"{len(labels)} Chandra sources, {arguments.folds} folds, seeds {arguments.seeds}: mean and scatter\n")
    print("| classifier | balanced accuracy | of the others than NS | accuracy | calibration error | called NS without counterpart | " +
          " | ".join(sorted(deep["recall"])) + " |")
    print("|" + "---|" * (6 + len(deep["recall"])))
    for name, rows in results.items():
        line(name, rows)
    curves = [("xsift with depths, Chandra, cross-validated", "#1f5896", deep["bins"]),
              ("xsift without depths, Chandra, cross-validated", "#7b4fa3", plain["bins"])]
    confusion_svg(list(names), confusion(names, labels, deep["predicted"]), arguments.output / "class-confusion.svg",
                  f"Chandra, {arguments.folds}-fold cross-validation")
    if arguments.forests == "yes":
        curves.append(("forest with limits, kept from the trap", "#b5651d", results[FOREST_WITH_LIMITS][0][0]["bins"]))
    print(f"\nOf sources that are none, {numpy.mean(claimed):.3f} are called NS when their counterpart is taken away and "
          "falsely claimed to be fainter than the depth")

    xmm = read(XMM)
    xmm_labels = labels_of(xmm)
    for what, depth in (("nothing said of what is not there", []), ("with the depth of the catalogues", DEPTH)):
        with tempfile.TemporaryDirectory() as folder:
            given, probability, rows = classify(xsift, xmm, pathlib.Path(folder), None, *depth)
        known = numpy.isin(xmm_labels, given)
        score = scores(given, probability[known], xmm_labels[known])
        print(f"\n{known.sum()} XMM-Newton sources by the embedded model, {what}: balanced accuracy "
              f"{score['balanced']:.3f}, accuracy {score['accuracy']:.3f}, calibration error {score['ece']:.3f}, "
              f"{score['unknown']} without a class, "
              f"{sum(row['OUTLIER'] == '1' for row in rows)} unlike the labelled sources; recall " +
              ", ".join(f"{c} {r:.2f} of {(xmm_labels == c).sum()}" for c, r in score["recall"].items()))
    confusion_svg(list(given), confusion(given, xmm_labels[known], score["predicted"]),
                  arguments.output / "class-confusion-xmm.svg", "XMM-Newton, by the Chandra model")
    curves.append(("xsift with depths, XMM-Newton by the Chandra model", "#2e7d32", score["bins"]))
    calibration_svg(curves, arguments.output / "class-calibration.svg", "Calibration")


if __name__ == "__main__":
    main()
