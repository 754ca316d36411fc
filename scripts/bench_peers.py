#!/usr/bin/env python3
"""Period searches of xsift and of other programs on the same data, in one run, on one core.

Every contender searches the same photons (or points) at the same trial frequencies m/(4T), m = 1 .. M. Timed is the way from the
sorted times in memory to the statistic of all trials (peers) or its peaks and mean (xsift); reading, imports, compilation and the
planning of transforms are not. Contenders take turns: each round calls each of them, and the fastest call counts, so that a busy machine disturbs all of them alike. xsift
is `xsift bench --search`, pinned to the same core. Then the whole command is timed, from the event file to the catalogue.

Answers are checked: the best trial of every contender is recomputed in double with numpy, its frequency must be the best one of
all (or of the same statistic to 0.1%), and the statistic that xsift screened must be right to 0.01 or 1e-4 of itself.
"""
import argparse
import datetime
import json
import os
import pathlib
import platform
import shutil
import subprocess
import sys
import tempfile
import time
import warnings

ROOT = pathlib.Path(__file__).resolve().parents[1]
parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--xsift", default=ROOT / "build/release/src/app/xsift", type=pathlib.Path)
parser.add_argument("--events", default=ROOT / "tests/data/events/xmm_pn_rxj0146.fits.gz", type=pathlib.Path)
parser.add_argument("--rounds", type=int, default=9)
parser.add_argument("--core", type=int, default=max(os.sched_getaffinity(0)))
parser.add_argument("--only", nargs="*", help="workloads to measure, by name")
parser.add_argument("--with-hendrics", action="store_true", help="also HENreadevents and HENzsearch, once (minutes)")
parser.add_argument("--note", default="", help="a sentence about the state of the machine for the record")
parser.add_argument("--out", type=pathlib.Path, help="path without suffix; default docs/benchmarks/timing-HOST")
args = parser.parse_args()
ALL_CORES = os.sched_getaffinity(0)
os.sched_setaffinity(0, {args.core})
for name in ("OMP", "OPENBLAS", "MKL", "NUMBA"):
    os.environ[name + "_NUM_THREADS"] = "1"
warnings.simplefilter("ignore")

import numpy as np  # noqa: E402
from astropy.io import fits  # noqa: E402

from bench_common import (CURVE_POINTS, CURVE_SPAN, CURVE_TRIALS, FMAX, SPAN, Contest, exact_gls, exact_z2,  # noqa: E402
                          synthetic_curves, synthetic_photons, timed, unit_phases, version_of)


def real_photons():
    with fits.open(args.events) as hdus:
        time = np.sort(np.asarray(hdus["EVENTS"].data["TIME"], float))
    return time - time[0]


# ---- contenders for photons: make(t, df, trials, n) -> search() -> Z2_n at m df for m = 0 .. trials (index m)

def finufft_simple(t, df, trials, n):
    """finufft.nufft1d1 as its manual shows it, tolerance 1e-6"""
    import finufft
    size, middle = trials + 1, t - 0.5 * (t[0] + t[-1])

    def search():
        z = 0.0
        for k in range(1, n + 1):
            x = 2 * np.pi * k * df * middle
            s = finufft.nufft1d1(x, np.exp(1j * (size // 2) * x), size, eps=1e-6, isign=1, nthreads=1)
            z = z + s.real ** 2 + s.imag ** 2
        return z * (2 / len(t))
    return search


def finufft_blocked(t, df, trials, n, block, single, memory=1 << 22):
    """finufft with a plan, many blocks of frequencies a call, twiddled by hand, upsampling 1.25"""
    import finufft
    size = trials + 1
    block = min(block or size, size)
    blocks = -(-size // block)
    at_once = min(blocks, max(1, memory // len(t)))
    real, kind = (np.float32, "complex64") if single else (np.float64, "complex128")
    plan = finufft.Plan(1, (block,), n_trans=at_once, eps=1e-5 if single else 1e-6, isign=1, dtype=kind, upsampfac=1.25,
                        nthreads=1, fftw=0 if block < size else 64)
    out = np.empty((at_once, block), kind)
    z = np.empty((-(-blocks // at_once) * at_once, block), real)
    scratch = np.empty((at_once, block), real)
    middle = t - 0.5 * (t[0] + t[-1])

    def search():
        for k in range(1, n + 1):
            plan.setpts((2 * np.pi * k * df * middle).astype(real))
            for first in range(0, blocks, at_once):
                centre = (np.arange(first, first + at_once) * block + block // 2) * (k * df)
                phase = unit_phases(np.outer(centre, middle))
                strength = np.empty(phase.shape, kind)
                strength.real, strength.imag = np.cos(phase), np.sin(phase)
                plan.execute(strength if at_once > 1 else strength[0], out=out if at_once > 1 else out[0])
                part = z[first:first + at_once]
                if k == 1:
                    np.multiply(out.real, out.real, out=part)
                else:
                    np.multiply(out.real, out.real, out=scratch)
                    part += scratch
                np.multiply(out.imag, out.imag, out=scratch)
                part += scratch
        np.multiply(z, 2 / len(t), out=z)
        return z.ravel()[:size]
    return search


def finufft_tuned(single):
    """The fastest of several block sizes on this machine."""
    def make(t, df, trials, n):
        best, chosen = np.inf, None
        for block in (4096, 8192, 16384, 32768, 65536, None):
            if len(t) > 3000 and block is not None and block < 32768:
                continue
            search = finufft_blocked(t, df, trials, n, block, single)
            search()
            seconds = min(timed(search)[0] for _ in range(3))
            if seconds < best:
                best, chosen = seconds, search
        return chosen
    make.__doc__ = f"finufft, planned, in the best of several block sizes, {'single' if single else 'double'} precision"
    return make


def matrix_product(t, df, trials, n, half=512, centres=64, slice_size=4096):
    """numpy and OpenBLAS in single precision: exponentials factorised into block centres and offsets"""
    size, middle = trials + 1, t - 0.5 * (t[0] + t[-1])
    blocks = -(-size // (2 * half))
    slices = [middle[i:i + slice_size] for i in range(0, len(t), slice_size)]
    z = np.empty((blocks, 2 * half), np.float32)

    def waves(product):
        phase = unit_phases(product).astype(np.float32)
        return np.cos(phase), np.sin(phase)

    def search():
        for k in range(1, n + 1):
            step = k * df
            offsets = [np.concatenate(waves(np.outer(part, (np.arange(half) + 0.5) * step)), 1) for part in slices]
            for first in range(0, blocks, centres):
                index = np.arange(first, min(first + centres, blocks))
                centre = (index * 2 * half + half - 0.5) * step
                product = 0.0
                for part, offset in zip(slices, offsets):
                    product = product + np.concatenate(waves(np.outer(centre, part))) @ offset
                m = len(index)
                cc, cs, sc, ss = product[:m, :half], product[:m, half:], product[m:, :half], product[m:, half:]
                above = (cc - ss) ** 2 + (sc + cs) ** 2
                below = ((cc + ss) ** 2 + (sc - cs) ** 2)[:, ::-1]
                if k == 1:
                    z[index, half:], z[index, :half] = above, below
                else:
                    z[index, half:] += above
                    z[index, :half] += below
        return z.ravel()[:size] * np.float32(2 / len(t))
    return search


def astropy_photons(t, df, trials, n):
    """astropy LombScargle of ones, no mean, method fast (its psd power is Z2 / 2)"""
    from astropy.timeseries import LombScargle
    periodogram = LombScargle(t - 0.5 * (t[0] + t[-1]), np.ones(len(t)), fit_mean=False, center_data=False)

    def search():
        z = sum(periodogram.power(k * df * np.arange(1, trials + 1), method="fast", normalization="psd",
                                  assume_regular_frequency=True) for k in range(1, n + 1))
        return np.concatenate([[0.0], 2 * z])
    return search


def stingray_photons(t, df, trials, n):
    """stingray z_n_search, default binning; measured on a part of the grid and scaled"""
    from stingray.pulse.search import z_n_search
    part = min(trials, max(2000, int(6e6 / len(t))))

    def search():
        return np.concatenate([[0.0], z_n_search(t, df * np.arange(1, part + 1), nharm=n)[1]])
    search.scale = trials / part
    return search


PHOTON_PEERS = {"finufft": finufft_simple, "finufft tuned, double": finufft_tuned(False),
                "finufft tuned, single": finufft_tuned(True), "numpy + OpenBLAS": matrix_product, "astropy": astropy_photons,
                "stingray": stingray_photons}


# ---- contenders for light curves: make(curves, common) -> search() -> power of the last curve at m df, m = 1 .. trials

def nifty_curves(curves, common):
    """nifty-ls, finufft backend, double precision"""
    import nifty_ls
    df = 1 / (5 * CURVE_SPAN)
    options = {"fmin": df, "fmax": df * CURVE_TRIALS, "Nf": CURVE_TRIALS, "backend": "finufft", "nthreads": 1}
    if common:
        y, dy = np.array([c[1] for c in curves]), np.array([c[2] for c in curves])
        return lambda: nifty_ls.lombscargle(curves[0][0], y, dy, **options).power
    return lambda: [nifty_ls.lombscargle(*c, **options).power for c in curves]


def astropy_curves(curves, common):
    """astropy LombScargle, method fast"""
    from astropy.timeseries import LombScargle
    f = np.arange(1, CURVE_TRIALS + 1) / (5 * CURVE_SPAN)
    del common  # it has no interface for that
    return lambda: [LombScargle(*c).power(f, method="fast", assume_regular_frequency=True) for c in curves]


def run_xsift(options, folder, repeats, cores=None):
    """xsift bench on the given cores (default: the one of the peers): its record."""
    path = pathlib.Path(folder) / "bench.json"
    command = [str(args.xsift), "bench", *map(str, options), "--repeats", str(repeats), "--json", str(path)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL,
                   preexec_fn=lambda: os.sched_setaffinity(0, cores or {args.core}))
    return json.loads(path.read_text()), command


def photon_workload(name, t, n, df, trials, folder, ignore):
    path = pathlib.Path(folder) / f"{name}.f64"
    t.tofile(path)
    # Below `ignore` Hz (160 trials) the observation itself shows; xsift leaves them out, the others' are not looked at.
    options = ["--search", path, "--df", repr(float(df)), "--fmin", repr(float(ignore)), "--fmax", repr(float(df * trials)), "--z2", n, "-j", 1]
    searches = {}
    for peer, make in PHOTON_PEERS.items():
        searches[peer] = make(t, df, trials, n)
        searches[peer]()
        print(f"  {peer} ready", file=sys.stderr)
    contest = Contest()
    for i in range(args.rounds):
        for peer, search in searches.items():
            if i == 0 or not getattr(search, "scale", 0) or i < 3:
                contest.turn(peer, search)
        record, command = run_xsift(options, folder, 5)
        for wall, cpu in zip(record["seconds"], record["cpu_seconds"]):
            contest.keep("xsift", wall, cpu, record["best"][0])
    rows = contest.rows()
    whole = contest.last["finufft tuned, double"]
    low = max(1, int(ignore / df))
    truth = low + int(np.argmax(whole[low:]))
    best = exact_z2(t, truth * df, n)
    for peer, z in contest.last.items():
        if peer == "xsift":
            f, value = z["frequency"], z["value"]
            exact = exact_z2(t, f, n)
            rows[peer]["agrees"] = bool(abs(value - exact) < max(0.01, 1e-4 * exact) and abs(exact - best) < 1e-3 * best)
        else:
            z = np.asarray(z, float)
            reach = np.arange(len(z)) >= low
            if len(z) <= truth:
                rows[peer]["agrees"] = None
                continue
            i = int(np.argmax(np.where(reach, z, 0)))
            f, value = i * df, float(z[i])
            exact = exact_z2(t, f, n)
            rows[peer]["agrees"] = bool(abs(exact - best) < 1e-3 * best)
        rows[peer].update(frequency=f, value=value, exact=float(exact))
    print(f"  done: {rows['xsift']['seconds']:.5f} s", file=sys.stderr)
    return {"workload": name, "photons": len(t), "trials": trials, "harmonics": n, "rows": rows,
            "evaluator": record.get("evaluator"), "command": " ".join(map(str, command))}


def curve_workload(name, curves, common, folder):
    df, paths = 1 / (5 * CURVE_SPAN), []
    if common:
        curves = [(curves[0][0], *c[1:]) for c in curves]
    for i, curve in enumerate(curves):
        paths.append(pathlib.Path(folder) / f"{name}_{i:03d}.f64")
        np.concatenate(curve).tofile(paths[-1])
    options = ["--curves", *paths, "--df", repr(df), "--fmax", repr(df * CURVE_TRIALS), "-j", 1]
    searches = {"nifty-ls": nifty_curves(curves, common), "astropy": astropy_curves(curves[:4], common)}
    per = {"nifty-ls": len(curves), "astropy": min(4, len(curves))}
    contest = Contest()
    for search in searches.values():
        search()
    for i in range(args.rounds if len(curves) == 1 else max(3, args.rounds // 3)):
        for peer, search in searches.items():
            if peer != "astropy" or i < 3:
                contest.turn(peer, search, per[peer])
        record, command = run_xsift(options, folder, 5 if len(curves) == 1 else 2)
        for wall, cpu in zip(record["seconds"], record["cpu_seconds"]):
            contest.keep("xsift", wall / len(curves), cpu / len(curves), record["best"])
    rows = contest.rows()
    for peer, result in contest.last.items():
        if peer == "xsift":
            i, f, value = len(curves) - 1, result[-1]["frequency"], result[-1]["value"]
        else:
            power = np.atleast_2d(result)[-1]
            i, m = per[peer] - 1, int(np.argmax(power))
            f, value = (m + 1) * df, float(power[m])
        exact = float(exact_gls(*curves[i], f))
        rows[peer].update(frequency=f, value=value, exact=exact, agrees=bool(abs(value - exact) < 1e-4))
    print(f"  done: {rows['xsift']['seconds']:.5f} s", file=sys.stderr)
    shown = [part if str(part) not in map(str, paths[1:]) else "" for part in command]
    return {"workload": name, "points": CURVE_POINTS, "trials": CURVE_TRIALS, "curves": len(curves), "rows": rows,
            "evaluator": record.get("evaluator"), "command": " ".join(filter(None, map(str, shown)))}


def whole_command(folder):
    """Event file to candidates, 0.0001 to 6.8 Hz: ingest and run, two processes, one core."""
    folder = pathlib.Path(folder)
    survey, catalogue = folder / "survey.h5", folder / "catalogue.fits"
    pin = {"check": True, "capture_output": True, "preexec_fn": lambda: os.sched_setaffinity(0, {args.core})}
    contest = Contest()
    for _ in range(max(3, args.rounds // 2)):
        start = time.perf_counter()
        subprocess.run([args.xsift, "ingest", args.events, "-o", survey, "-j", "1"], **pin)
        middle = time.perf_counter()
        subprocess.run([args.xsift, "run", survey, "-o", catalogue, "--backend", "cpu", "-j", "1", "--fmin", "0.0001",
                        "--fmax", "6.8"], **pin)
        stop = time.perf_counter()
        with fits.open(catalogue) as hdus:
            period = float(hdus["SOURCES"].data["PERIOD"][0])
        contest.keep("xsift", stop - start, stop - start, period)
        contest.keep("xsift, of which ingest", middle - start, middle - start, period)
        survey.unlink()
        catalogue.unlink()
    rows = contest.rows()
    for row in rows.values():
        row.update(period=contest.last["xsift"], agrees=bool(abs(contest.last["xsift"] - 1396.55) < 0.9))
    if args.with_hendrics:
        bin_folder = pathlib.Path(sys.executable).parent
        # HENDRICS writes its list beside the file that it reads.
        copied = shutil.copy(args.events, folder)
        for label, extra in (("HENDRICS", []), ("HENDRICS --fast", ["--fast"])):
            start = time.perf_counter()
            subprocess.run([bin_folder / "HENreadevents", copied], cwd=folder, **pin)
            events = next(folder.glob("*_ev.*"))
            subprocess.run([bin_folder / "HENzsearch", events, "-f", "0.0001", "-F", "6.8", "-N", "1", *extra], cwd=folder, **pin)
            seconds = time.perf_counter() - start
            rows[label] = {"seconds": seconds, "median": seconds, "cpu_seconds": seconds, "calls": 1, "agrees": None}
            print(f"  {label}: {seconds:.1f} s", file=sys.stderr)
    return {"workload": "RX J0146, file to candidates", "rows": rows,
            "command": "xsift ingest EVENTS -o survey.h5 -j 1; xsift run survey.h5 -o catalogue.fits -j 1 --fmin 0.0001 --fmax 6.8"}


def two_cores(folder):
    """How much faster two cores are than one: a batch of 64 sources of 300 photons, and one source of 1e6 photons."""
    if len(ALL_CORES) < 2:
        return []
    folder, pair = pathlib.Path(folder), {args.core, *sorted(ALL_CORES - {args.core})[:1]}
    paths = []
    for i in range(64):
        paths.append(folder / f"batch_{i:02d}.f64")
        synthetic_photons(i).tofile(paths[-1])
    big = folder / "big.f64"
    synthetic_photons(99, 1_000_000).tofile(big)
    results = []
    for name, files in (("64 sources of 300 photons", paths), ("one source of 1,000,000 photons", [big])):
        options = ["--search", *files, "--df", repr(1 / (4 * SPAN)), "--fmax", FMAX, "--z2", "1,2"]
        one, two = [], []
        for _ in range(max(3, args.rounds // 2)):
            one += run_xsift([*options, "-j", 1], folder, 3, pair)[0]["seconds"]
            two += run_xsift([*options, "-j", 2], folder, 3, pair)[0]["seconds"]
        results.append({"workload": name, "one": min(one), "two": min(two), "ratio": min(one) / min(two)})
        print(f"  {name}: {min(one) / min(two):.2f}", file=sys.stderr)
    return results


def markdown(record):
    lines = [f"# Period search beside its peers: {record['device']}", "",
             f"{record['date']}, xsift {record['xsift']}, commit {record['commit']}. {record['note']}".strip(), "",
             f"`scripts/bench-peers`: all contenders in one run, in turns, pinned to one core; the fastest call of each counts. Load average "
             f"at the start {record['load'][0]:.1f}, at the end {record['load_end'][0]:.1f}, on {record['cores']} cores; where it is above 1, other work "
             "shared the machine.", "",
             "Versions: " + ", ".join(f"{name} {version}" for name, version in record["versions"].items()) + ".", "",
             "Ratio: processor seconds of the contender divided by those of xsift (waiting for a core does not count). Right: the best trial it names, recomputed in double, is the best.", ""]
    for work in record["workloads"]:
        size = ""
        if "photons" in work:
            size = f": {work['photons']:,} photons, {work['trials']:,} trials, Z²_{work['harmonics']}"
        elif "points" in work:
            size = f": {work['points']:,} points, {work['trials']:,} trials, {work['curves']} curve(s), seconds a curve"
        lines += [f"## {work['workload']}{size}", "", "| program | seconds | median | processor seconds | ratio | right |", "|---|---|---|---|---|---|"]
        own = work["rows"]["xsift"]["cpu_seconds"]
        for name, row in sorted(work["rows"].items(), key=lambda item: item[1]["seconds"]):
            right = {True: "yes", False: "no", None: "not checked"}[row.get("agrees")]
            lines.append(f"| {name} | {row['seconds']:.5g} | {row['median']:.5g} | {row['cpu_seconds']:.5g} | {row['cpu_seconds'] / own:.3g} | {right} |")
        lines += ["", f"`{work['command']}`", ""]
    if record["two_cores"]:
        lines += ["## Two cores against one", "", "| workload | one, s | two, s | ratio |", "|---|---|---|---|"]
        lines += [f"| {r['workload']} | {r['one']:.4g} | {r['two']:.4g} | {r['ratio']:.2f} |" for r in record["two_cores"]] + [""]
    return "\n".join(lines)


def write(record, folder):
    """Writes what is measured so far, so that a run cut short leaves its results."""
    out = args.out or ROOT / "docs/benchmarks" / f"timing-{platform.node()}"
    out.parent.mkdir(parents=True, exist_ok=True)
    record["load_end"] = os.getloadavg()
    text = json.dumps(record, indent=1).replace(str(folder), "DATA").replace(str(ROOT) + "/", "")
    out.with_suffix(".json").write_text(text + "\n")
    out.with_suffix(".md").write_text(markdown(json.loads(text)) + "\n")


def main():
    device = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), platform.processor())
    flags = next((line for line in open("/proc/cpuinfo") if line.startswith("flags")), "")
    device += " (AVX-512)" if "avx512f" in flags else " (AVX2)" if "avx2" in flags else ""
    commit = subprocess.run(["git", "-C", ROOT, "describe", "--always", "--dirty"], capture_output=True, text=True).stdout.strip()
    shown = subprocess.run([args.xsift, "--version"], capture_output=True, text=True, check=True).stdout.split()[-1]
    record = {"date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"), "device": device,
              "cores": os.cpu_count(), "load": os.getloadavg(), "note": args.note, "xsift": shown, "commit": commit,
              "versions": {p: version_of(p) for p in ("numpy", "scipy", "astropy", "stingray", "hendrics", "finufft", "nifty-ls", "numba")},
              "arguments": sys.argv[1:], "workloads": [], "two_cores": []}
    df = 1 / (4 * SPAN)
    photons, curves = synthetic_photons(), synthetic_curves()
    with tempfile.TemporaryDirectory() as folder:
        real = real_photons()
        real_df = 1 / (4 * (real[-1] - real[0]))
        real_trials = int(np.ceil(FMAX / real_df - 1e-6))
        work = {
            "W1": lambda: photon_workload("W1", photons, 1, df, 816_000, folder, 20 / SPAN),
            "W1, two harmonics": lambda: photon_workload("W1, two harmonics", photons, 2, df, 816_000, folder, 20 / SPAN),
            "W2": lambda: photon_workload("W2", real, 1, real_df, real_trials, folder, 20 / real[-1]),
            "W3": lambda: curve_workload("W3", curves[:1], False, folder),
            "W3, different times": lambda: curve_workload("W3, different times", curves, False, folder),
            "W3, common times": lambda: curve_workload("W3, common times", curves, True, folder),
            "whole": lambda: whole_command(folder),
        }
        for name, measure in work.items():
            if args.only is None or name in args.only:
                print(name, file=sys.stderr)
                record["workloads"].append(measure())
                write(record, folder)
        if args.only is None or "cores" in args.only:
            print("two cores", file=sys.stderr)
            record["two_cores"] = two_cores(folder)
        write(record, folder)
    print(markdown(record))


main()
