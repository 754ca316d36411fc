"""Coverage of intervals, confusion of the selection and uniformity of the goodness of fit, from the rows of simulate_spectra.

validate_coverage.py FILE...: each holds simulations of one model fitted with several (see scripts/validate-spectra -c). Prints the tables of
docs/validation.md. --by-flag FILE...: instead, the coverage of two-component models by what the fit's flags say (-t).
"""
import collections
import csv
import math
import sys

NOT_REFINED = 4096  # fit_not_refined
SEVERAL_MINIMA = 8192  # fit_several_minima
# not converged; nH, a parameter or a norm unconstrained; nH or a parameter at a limit; singular; degenerate
OPEN = 1 | 2 | 4 | 8 | 16 | 32 | 128 | 512
RISE = 2.706  # of the statistic, where a 90% interval ends


def share(hits, n):
    if not n:
        return "-"
    p = hits / n
    return f"{100 * p:.1f} ± {100 * math.sqrt(max(p * (1 - p), 0.25 / n) / n):.1f}%"


def short(model):
    return model.removeprefix("tbabs*").strip("()")


def distance(probabilities):
    """The largest one of their distribution from a uniform one."""
    n = len(probabilities)
    return max(max((i + 1) / n - p, p - i / n) for i, p in enumerate(sorted(probabilities)))


def uniformity(probabilities):
    n = len(probabilities)
    deciles = [sum(0.1 * k <= p < 0.1 * (k + 1) for p in probabilities) for k in range(10)]
    return (f"{n} values of GOF_PROB; in ten equal classes: {', '.join(map(str, deciles))}; largest distance from uniform "
            f"{distance(probabilities):.3f} (a chance of 1% exceeds {1.63 / math.sqrt(n):.3f})")


def goodness_table(found):
    """found: by counts and model, pairs of GOF_SIGMA and GOF_PROB"""
    print("\n| source counts | model | fits | mean | standard deviation | distance of GOF_PROB | below 0.05 | below 0.01 |\n|" + "---|" * 8)
    for (counts, model), pairs in sorted(found.items()):
        sigma, p = zip(*pairs)
        n = len(p)
        mean = sum(sigma) / n
        print(f"| {counts} | {model} | {n} | {mean:+.2f} | {math.sqrt(sum((s - mean) ** 2 for s in sigma) / n):.2f} | {distance(p):.3f} | "
              + " | ".join(f"{100 * sum(x < limit for x in p) / n:.1f}%" for limit in (0.05, 0.01)) + " |")


def alike(model):
    """two components of one kind: which is first is not told by the fit"""
    return model == "tbabs*(apec+apec)"


def intervals(row):
    """name, truth, value, lo, hi of what the true model has"""
    first, second = ("parameter", "lo", "hi"), ("second", "second_lo", "second_hi")
    norms = ("norm", "norm_lo", "norm_hi"), ("norm2", "norm2_lo", "norm2_hi")
    truths = float(row["true_parameter"]), float(row["true_second"])
    true_norms = float(row["true_norm"]), float(row["true_norm2"])
    two = math.isfinite(true_norms[1])
    if two and alike(row["true_model"]) and float(row["parameter"]) > float(row["second"]):
        truths, true_norms = truths[::-1], true_norms[::-1]
    yield "nH", float(row["true_nh"]), "nh", "nh_lo", "nh_hi"
    yield "shape", truths[0], *first
    yield "norm", true_norms[0], *norms[0]
    if two:
        yield "second shape", truths[1], *second
        yield "second norm", true_norms[1], *norms[1]


def by_flag(paths):
    groups = "no flag", "several minima", "open, at a limit or degenerate"
    tallies = collections.defaultdict(lambda: [0, 0, 0])
    lower = total = 0
    for path in paths:
        with open(path) as file:
            for row in csv.DictReader(file):
                flags = int(row["flags"])
                group = groups[2] if flags & OPEN else groups[1] if flags & SEVERAL_MINIMA else groups[0]
                rises = []
                for name, truth, value, lo, hi in intervals(row):
                    rises.append(float(row[value + "_rise"]))
                    for of in (short(row["true_model"]), "all models"):
                        tally = tallies[of, int(float(row["true_counts"])), group, name]
                        tally[0] += float(row[lo]) <= truth <= float(row[hi])
                        tally[1] += rises[-1] <= RISE
                        tally[2] += 1
                total += 1
                lower += min(rises) < -0.01
    names = "nH", "shape", "norm", "second shape", "second norm"
    print("| model | counts | flags | fits | " + " | ".join(names) + " |\n|" + "---|" * 9)
    for of, counts, group in sorted({key[:3] for key in tallies}, key=lambda key: (key[0] == "all models", key[0], key[1], groups.index(key[2]))):
        cells = [tallies[of, counts, group, name] for name in names]
        error = 100 * math.sqrt(0.09 / cells[0][2])
        print(f"| {of} | {counts} | {group} | {cells[0][2]} (±{error:.1f}%) | "
              + " | ".join(f"{100 * h / n:.0f}%, {100 * s / n:.0f}%" for h, s, n in cells) + " |")
    print(f"\nA descent from the truth found a minimum lower by more than 0.01 in {lower} of {total} simulations.")


def main():
    if sys.argv[1] == "--by-flag":
        return by_flag(sys.argv[2:])
    inside = collections.defaultdict(lambda: [0, 0])
    offered = collections.defaultdict(lambda: [0, 0])
    refined = collections.defaultdict(lambda: [0, 0])
    selected = collections.defaultdict(collections.Counter)
    goodness = collections.defaultdict(list)
    by_model = collections.defaultdict(list)
    for path in sys.argv[1:]:
        chosen = {}
        with open(path) as file:
            for row in csv.DictReader(file):
                model, counts = row["true_model"], int(float(row["true_counts"]))
                chosen.setdefault(row["index"], "none")
                if row["selected"] == "1":
                    chosen[row["index"]] = short(row["model"])
                if row["model"] != model:
                    continue
                kind = "one component" if math.isnan(float(row["true_norm2"])) else "two components"
                for name, truth, value, lo, hi in intervals(row):
                    hit = float(row[lo]) <= truth <= float(row[hi])
                    tallies = [inside[kind, counts, name]]
                    if not int(row["flags"]) & NOT_REFINED:
                        tallies.append(refined[kind, counts, name])
                    if row["selected"] == "1":
                        tallies.append(offered[kind, counts, name])
                    for tally in tallies:
                        tally[0] += hit
                        tally[1] += 1
                probability = float(row["gof_probability"])
                if math.isfinite(probability):
                    goodness[kind].append(probability)
                    by_model[counts, short(model)].append((float(row["gof_sigma"]), probability))
        selected[short(model), counts].update(chosen.values())

    names = {"one component": ("nH", "shape", "norm"), "two components": ("nH", "shape", "norm", "second shape", "second norm")}
    sizes = sorted({counts for _, counts, _ in inside})
    for kind, columns in names.items():
        for title, tally in (("of the true model", inside), ("of the true model, profiled", refined), ("of the true model, offered", offered)):
            if not any(tally[kind, c, "nH"][1] for c in sizes):
                continue
            print(f"90% intervals {title} that hold the truth, {kind}:\n\n| counts | fits | " + " | ".join(columns) + " |\n" + "|---" * (len(columns) + 2) + "|")
            for counts in sizes:
                print(f"| {counts} | {tally[kind, counts, 'nH'][1]} | " + " | ".join(share(*tally[kind, counts, name]) for name in columns) + " |")
            total = {name: [sum(tally[kind, c, name][k] for c in sizes) for k in (0, 1)] for name in columns}
            print(f"| all | {total['nH'][1]} | " + " | ".join(share(*total[name]) for name in columns) + " |\n")

    columns = sorted({name for tally in selected.values() for name in tally})
    print("Model selected, by simulated model and counts:\n\n| simulated | counts | " + " | ".join(columns) + " |\n" + "|---" * (len(columns) + 2) + "|")
    for (model, counts), tally in sorted(selected.items()):
        print(f"| {model} | {counts} | " + " | ".join(str(tally[name]) for name in columns) + " |")
    rates = {counts: [sum(t[m] for (m, c), t in selected.items() if c == counts), sum(sum(t.values()) for (m, c), t in selected.items() if c == counts)]
             for counts in sizes}
    print("\nSelected is the simulated one: " + ", ".join(f"{share(*rates[c])} of {c} counts" for c in sizes) + ".")
    for kind, probabilities in goodness.items():
        print(f"\nGoodness of fit, {kind}: {uniformity(probabilities)}.")
    goodness_table(by_model)


main()
