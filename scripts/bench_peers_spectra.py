#!/usr/bin/env python3
"""Spectral fits of xsift and of Sherpa with XSPEC's own model functions, on the same spectra, in one run, on one core.

Both fit each spectrum ungrouped in 0.5-10 keV by W-stat with tbabs (wilm) times powerlaw, bbody, bremss and apec, and find the 90% interval of every
parameter where the statistic has risen by 2.706. Sherpa 4.19 (Nelder-Mead from two or three starting points, then its conf); XSPEC 12.15's functions come as
a shared library in the package xspectrampoline; apec is the table that xsift ships, interpolated linearly by numpy. Timed is processor time: of Sherpa, fit and conf; of xsift, the stages grid and fit of a run on one thread over the
same spectra and models (arranging the response, fluxes and goodness included, posteriors not). Reading is not timed. A statistic that is higher than
the other's by more than 0.01 is reported: a minimum that was missed. Ends of intervals are compared where both have one and the minima agree.

Needs sherpa, astropy, numpy and xspectrampoline (scripts/bench-peers --spectra makes an environment). One fit with errors takes Sherpa a minute or more:
the record is written anew after each, so that what was measured until then stays.
"""
import argparse
import ctypes
import datetime
import json
import logging
import os
import pathlib
import platform
import subprocess
import tempfile
import time
import warnings

ROOT = pathlib.Path(__file__).resolve().parents[1]
parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--xsift", default=ROOT / "build/release/src/app/xsift", type=pathlib.Path)
parser.add_argument("--spectra", default="0088,0079,0001", help="source numbers of tests/data/xmm-pps")
parser.add_argument("--models", default="powerlaw,bbody,bremss,apec")
parser.add_argument("--no-errors", action="store_true", help="without Sherpa's conf, which takes longest")
parser.add_argument("--core", type=int, default=max(os.sched_getaffinity(0)))
parser.add_argument("--note", default="", help="a sentence about the state of the machine for the record")
parser.add_argument("--resume", action="store_true", help="keep Sherpa's fits of an earlier run's record; only what it lacks is measured")
parser.add_argument("--out", type=pathlib.Path, help="path without suffix; default docs/benchmarks/spectra-HOST")
args = parser.parse_args()
OUT = args.out or ROOT / f"docs/benchmarks/spectra-{platform.node()}"
os.sched_setaffinity(0, {args.core})
for name in ("OMP", "OPENBLAS", "MKL"):
    os.environ[name + "_NUM_THREADS"] = "1"
warnings.simplefilter("ignore")

import numpy as np  # noqa: E402
import xspectrampoline  # noqa: E402
from astropy.io import fits  # noqa: E402
from sherpa.astro import ui  # noqa: E402
from sherpa.models import ArithmeticModel, Parameter  # noqa: E402

logging.getLogger("sherpa").setLevel(logging.ERROR)  # importing it sets its own

DATA = ROOT / "tests/data"
RESPONSE = DATA / "responses/epn_e3_ef20_sdY6_v19.0.rmf.gz"
SIGMA90 = 1.6448536
# the first starting values are those of an observer, the others guard against a local minimum
MODELS = {"powerlaw": ("PhoIndex", (1.7, 4.0), -3.0, 10.0), "bbody": ("kT", (0.2, 0.8), 0.01, 100.0), "bremss": ("kT", (0.5, 5.0), 0.03, 100.0),
          "apec": ("kT", (0.5, 1.5, 5.0), 0.0343, 27.25)}

library = xspectrampoline.lib_XSFunctions
doubles, floats, integer = ctypes.POINTER(ctypes.c_double), ctypes.POINTER(ctypes.c_float), ctypes.POINTER(ctypes.c_int)


def in_double(symbol):
    function = getattr(library, symbol)
    function.argtypes = [doubles, ctypes.c_int, doubles, ctypes.c_int, doubles, doubles, ctypes.c_char_p]
    function.restype = None

    def call(edges, parameter):
        edges, parameter = np.ascontiguousarray(edges, float), np.array([parameter], float)
        out, error = np.zeros(len(edges) - 1), np.zeros(len(edges) - 1)
        function(edges.ctypes.data_as(doubles), len(out), parameter.ctypes.data_as(doubles), 1, out.ctypes.data_as(doubles),
                 error.ctypes.data_as(doubles), b"")
        return out
    return call


def in_single(symbol):
    function = getattr(library, symbol)
    function.argtypes = [floats, integer, floats, integer, floats, floats]
    function.restype = None

    def call(edges, parameter):
        edges, parameter = np.ascontiguousarray(edges, np.float32), np.array([parameter], np.float32)
        out, error = np.zeros(len(edges) - 1, np.float32), np.zeros(len(edges) - 1, np.float32)
        function(edges.ctypes.data_as(floats), ctypes.byref(ctypes.c_int(len(out))), parameter.ctypes.data_as(floats),
                 ctypes.byref(ctypes.c_int(1)), out.ctypes.data_as(floats), error.ctypes.data_as(floats))
        return out.astype(float)
    return call


def plasma_table():
    """apec from the table that scripts/make-apec-table.py describes, at abundance 1: linear in kT, photons spread evenly over each bin of the table."""
    content = (ROOT / "src/spectral/resources/apec.bin").read_bytes()
    n_kt, n_abundances, n_edges, n_origin = np.frombuffer(content, "<u4", 4, 8)
    numbers = np.frombuffer(content, "<f8", n_kt + n_abundances + n_edges, 24 + n_origin)
    kt, abundances, edges_of = np.split(numbers, [n_kt, n_kt + n_abundances])
    spectra = np.frombuffer(content, "<f4", -1, 24 + n_origin + numbers.nbytes).reshape(n_kt, n_abundances, -1).astype(float)
    share = (1.0 - abundances[0]) / (abundances[1] - abundances[0])
    solar = (1.0 - share) * spectra[:, 0] + share * spectra[:, 1]
    below = np.concatenate([np.zeros((n_kt, 1)), np.cumsum(solar, axis=1)], axis=1)

    def call(edges, parameter):
        i = int(np.clip(np.searchsorted(kt, parameter) - 1, 0, n_kt - 2))
        u = (parameter - kt[i]) / (kt[i + 1] - kt[i])
        return np.diff(np.interp(edges, edges_of, (1.0 - u) * below[i] + u * below[i + 1]))
    return call


tbabs = in_double("C_tbabs")
EMISSION = {"powerlaw": in_double("C_powerLaw"), "bbody": in_single("xsblbd_"), "bremss": in_single("xsbrms_"), "apec": plasma_table()}


def use_wilm():
    library.FPSOLR.argtypes = [ctypes.c_char_p, integer]
    status = ctypes.c_int(0)
    library.FPSOLR(b"wilm", ctypes.byref(status))
    if status.value:
        raise SystemExit("XSPEC's library does not know the abundances wilm")


class Absorbed(ArithmeticModel):
    """tbabs * one emission model, by XSPEC's functions."""

    def __init__(self, name):
        shape, starts, lo, hi = MODELS[name]
        self.emission = EMISSION[name]
        self.nH = Parameter(name, "nH", 0.1, 0, 50, 0, 50)
        self.shape = Parameter(name, shape, starts[0], lo, hi, lo, hi)
        self.norm = Parameter(name, "norm", 1e-5, 1e-12, 1, 1e-12, 1)
        ArithmeticModel.__init__(self, name, (self.nH, self.shape, self.norm))

    def calc(self, parameters, lo, hi=None, *_, **__):
        edges = np.append(lo, hi[-1])
        return tbabs(edges, parameters[0]) * self.emission(edges, parameters[1]) * parameters[2]


def load(number):
    ui.clean()
    ui.set_stat("wstat")
    ui.set_method("neldermead")
    path = str(DATA / f"xmm-pps/P0760940101PNS003SRSPEC{number}.FTZ")
    ui.load_pha(1, path)
    ui.load_arf(1, path.replace("SRSPEC", "SRCARF"))
    ui.load_rmf(1, str(RESPONSE))
    if ui.get_bkg(1) is None:
        ui.load_bkg(1, path.replace("SRSPEC", "BGSPEC"))
    ui.ungroup(1)
    ui.notice()
    ui.notice_id(1, 0.5, 10.0)
    background = ui.get_bkg(1)
    if background.grouped:
        background.ungroup()
    background.notice(0.5, 10.0)
    return ui.get_data(1)


def fit_with_sherpa(data, name):
    begin = time.process_time()
    best = None
    for start in MODELS[name][1]:
        model = Absorbed(name)
        model.shape.val = start
        ui.set_source(1, model)
        predicted = data.eval_model(ui.get_model(1))[data.mask].sum()
        model.norm.val = min(max(model.norm.val * data.get_dep(True).sum() / max(predicted, 1e-300), 1e-11), 0.5)
        ui.fit(1)
        result = ui.get_fit_results()
        if best is None or result.statval < best[0]:
            best = result.statval, list(result.parvals)
    model.nH.val, model.shape.val, model.norm.val = best[1]
    ui.fit(1)
    result, fitted = ui.get_fit_results(), time.process_time()
    out = {"statistic": result.statval, "values": list(result.parvals), "fit_s": fitted - begin, "errors_s": 0.0}
    if args.no_errors:
        return out
    ui.set_conf_opt("sigma", SIGMA90)
    ui.set_conf_opt("numcores", 1)  # processes of its own would not be on our clock
    ui.conf(1)
    conf = ui.get_conf_results()
    out["errors_s"] = time.process_time() - fitted
    for end, offsets in (("lo", conf.parmins), ("hi", conf.parmaxes)):  # None where conf finds no end
        out[end] = [None if o is None or not np.isfinite(o) else v + o for v, o in zip(conf.parvals, offsets)]
    return out


def fit_with_xsift(numbers, names):
    """Statistics, values and ends of intervals by spectrum and model, and the processor seconds of all of them."""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        files = [DATA / f"xmm-pps/P0760940101PNS003SRSPEC{n}.FTZ" for n in numbers]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        subprocess.run([args.xsift, "ingest", *files, "-o", folder / "s.h5", "--response-path", DATA / "responses", "--response-substitute",
                        "epn_e3_ef20_sd*.rmf=epn_e3_ef20_sdY6_v19.0.rmf"], check=True, **quiet)
        subprocess.run([args.xsift, "run", folder / "s.h5", "-o", folder / "c.fits", "--threads", "1", "--search", "false", "--variability", "false",
                        "--models", ",".join(f"tbabs*{n}" for n in names), "--binning", "none", "--energy", "0.5:10", "--refine", "all", "--posterior",
                        "false", "--joint-spectra", "none"], check=True, **quiet)
        record = json.loads((folder / "c.run.json").read_text())
        found = {}
        with fits.open(folder / "c.fits") as hdus:
            def key(row):
                return str(row["SPECTRA"]).strip()[-8:-4], str(row["MODEL"]).strip().removeprefix("tbabs*")
            for row in hdus["SPECTRAL_FITS"].data:
                found[key(row)] = {"statistic": float(row["STAT"]), "values": [], "lo": [], "hi": []}
            for row in hdus["PARAMETERS"].data[hdus["PARAMETERS"].data["FLAGS"] & 1 == 0]:  # none that is frozen
                for part, column in (("values", "VALUE"), ("lo", "VALUE_LO"), ("hi", "VALUE_HI")):
                    found[key(row)][part].append(float(row[column]))
    return found, record["processor_seconds"]["grid"] + record["processor_seconds"]["fit"]


def compare_ends(rows):
    """Largest difference of the ends that both have at the same minimum, over the interval's width, and where; how many ends."""
    worst, where, n = 0.0, "", 0
    for row in rows:
        ours = row["xsift"]
        if abs(ours["statistic"] - row["statistic"]) > 0.01 or "lo" not in row:
            continue
        for i, name in enumerate(("nH", MODELS[row["model"]][0], "norm")):
            for end in ("lo", "hi"):
                if row[end][i] is None:
                    continue
                n += 1
                apart = abs(row[end][i] - ours[end][i]) / (ours["hi"][i] - ours["lo"][i])
                if apart > worst:
                    worst, where = apart, f"{name} of {row['spectrum']}, {row['model']}"
    return worst, where, n


def write(rows, planned, seconds):
    """The record of what was measured until now; seconds: of xsift, for all that are planned."""
    sherpa = sum(r["fit_s"] + r["errors_s"] for r in rows)
    each = seconds / planned
    record = {"date": datetime.date.today().isoformat(), "machine": platform.processor() or platform.machine(), "note": args.note, "rows": rows,
              "planned": planned, "xsift_s_each": each, "sherpa_s_each": sherpa / len(rows), "ratio": sherpa / len(rows) / each}
    OUT.with_suffix(".json").write_text(json.dumps(record, indent=1) + "\n")
    what = "fits" if args.no_errors else "fits with 90% errors"
    lines = [f"# Spectral fits beside Sherpa with XSPEC's model functions\n\n{record['date']}, one core. {args.note}\n\n`scripts/bench-peers --spectra` "
             f"(tests/data, 0.5-10 keV, W-stat, no binning, wilm): {len(rows)} {what}. Processor seconds.\n",
             "| spectrum | model | Sherpa: fit | Sherpa: errors | statistic, Sherpa | statistic, xsift |\n|---|---|---|---|---|---|"]
    lines += [f"| {r['spectrum']} | {r['model']} | {r['fit_s']:.1f} | {r['errors_s']:.1f} | {r['statistic']:.4f} | {r['xsift']['statistic']:.4f} |" for r in rows]
    lines.append(f"\nEach: Sherpa {sherpa / len(rows):.1f} s, xsift {1e3 * each:.1f} ms (mean of {planned} in one run): a factor of {record['ratio']:.0f}.")
    for name, missed in (("xsift", [r for r in rows if r["xsift"]["statistic"] > r["statistic"] + 0.01]),
                         ("Sherpa", [r for r in rows if r["statistic"] > r["xsift"]["statistic"] + 0.01])):
        where = ", ".join(f"{r['spectrum']} {r['model']} (by {abs(r['statistic'] - r['xsift']['statistic']):.2f})" for r in missed)
        lines.append(f"- {name} missed the minimum of {where}." if missed else f"- {name} missed no minimum that the other found.")
    worst, where, n = compare_ends(rows)
    if n:
        lines.append(f"- Of {n} ends of intervals that both have at the same minimum the furthest apart are {100 * worst:.1f}% of the interval's width ({where}).")
    OUT.with_suffix(".md").write_text("\n".join(lines) + "\n")
    return "\n".join(lines)


def main():
    numbers, names = args.spectra.split(","), args.models.split(",")
    use_wilm()
    ours, seconds = fit_with_xsift(numbers, names)
    rows = []
    if args.resume and OUT.with_suffix(".json").exists():
        rows = [r for r in json.loads(OUT.with_suffix(".json").read_text())["rows"] if (r["spectrum"], r["model"]) in ours]
        for row in rows:
            row["xsift"] = ours[row["spectrum"], row["model"]]
    done = {(r["spectrum"], r["model"]) for r in rows}
    for number in numbers:
        data = load(number)
        for name in names:
            if (number, name) in done:
                continue
            rows.append({"spectrum": number, "model": name, "xsift": ours[number, name], **fit_with_sherpa(data, name)})
            print(rows[-1], flush=True)
            seconds = min(seconds, fit_with_xsift(numbers, names)[1])  # in turns: a busy machine disturbs both
            write(rows, len(numbers) * len(names), seconds)
    print(write(rows, len(numbers) * len(names), seconds))


main()
