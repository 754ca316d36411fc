#!/usr/bin/env python3
"""Period searches of xsift and of other programs on the same GPU, in one run.

Every contender gets the data from the host's memory and gives each source's best trial back to it; the spectra stay on the device where
the program allows it. Imports, compilation and plans are made before. Contenders take turns and the fastest call counts. xsift is
`xsift bench --backend cuda`: its seconds are those of the whole search, copies and host work included.

The best trial that each names is recomputed in double on the host and has to be the best one of all (of the same statistic to 0.1%).

--dry-run takes numpy for CuPy, finufft for cufinufft and xsift's CPU engine, on small problems: it shows that the script runs, and no figure
of it is one of a GPU.
"""
import argparse
import datetime
import json
import os
import pathlib
import platform
import subprocess
import sys
import tempfile

import numpy as np

from bench_common import (CURVE_SPAN, CURVE_TRIALS, FMAX, SPAN, Contest, exact_gls, exact_z2, synthetic_curves, synthetic_photons,
                          unit_phases, version_of)

ROOT = pathlib.Path(__file__).resolve().parents[1]
parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--xsift", default=ROOT / "build/cuda-sm90/src/app/xsift", type=pathlib.Path, help="built with CUDA")
parser.add_argument("--sources", type=int, default=200, help="event lists of 300 photons")
parser.add_argument("--rounds", type=int, default=5)
parser.add_argument("--dry-run", action="store_true")
parser.add_argument("--note", default="", help="a sentence about the state of the machine for the record")
parser.add_argument("--out", type=pathlib.Path, help="path without suffix; default docs/benchmarks/timing-gpu-HOST")
args = parser.parse_args()
if args.dry_run:
    args.sources, args.rounds, CURVE_TRIALS = 2, 1, 2000

if args.dry_run:
    xp, asnumpy = np, np.asarray
else:
    import cupy as xp
    asnumpy = xp.asnumpy


def nufft_plan(block, at_once, single):
    """A planned transform of `at_once` strengths to `block` frequencies each."""
    kind = "complex64" if single else "complex128"
    if args.dry_run:
        import finufft
        return finufft.Plan(1, (block,), n_trans=at_once, eps=1e-5, isign=1, dtype=kind)
    import cufinufft
    return cufinufft.Plan(1, (block,), n_trans=at_once, eps=1e-5 if single else 1e-6, isign=1, dtype=kind)


def cufinufft_photons(lists, df, trials, n, block, single):
    """cufinufft, planned once for all sources, blocks of frequencies twiddled by hand and transformed together; maxima on the device"""
    blocks = -(-(trials + 1) // block)
    plan = nufft_plan(block, blocks, single)
    real = np.float32 if single else np.float64
    index = xp.arange(blocks * block)
    inside = (index >= 1) & (index <= trials)

    def search():
        best = []
        for t in lists:
            middle = xp.asarray(t - 0.5 * (t[0] + t[-1]))
            z = 0.0
            for k in range(1, n + 1):
                plan.setpts((2 * np.pi * k * df * middle).astype(real))
                product = xp.outer((xp.arange(blocks) * block + block // 2) * (k * df), middle)
                phase = (2 * np.pi * (product - xp.rint(product))).astype(real)
                strength = (xp.cos(phase) + 1j * xp.sin(phase)).astype("complex64" if single else "complex128")
                s = plan.execute(strength if blocks > 1 else strength[0])
                z = z + s.real ** 2 + s.imag ** 2
            best.append(xp.argmax(xp.where(inside, z.ravel(), 0.0)))
        return [int(i) for i in asnumpy(xp.stack(best) if not args.dry_run else np.array(best))]
    return search


def best_block(lists, df, trials, n, single):
    """The fastest of several block sizes on this device; a block may not need more memory than there is."""
    fastest, chosen = np.inf, None
    for block in (8192, 32768, 131072, 1 << 20):
        if block > 4 * trials:
            continue
        try:
            search = cufinufft_photons(lists[:4], df, trials, n, block, single)
            search()
            contest = Contest()
            contest.turn("", search)
        except Exception as error:  # a peer that cannot is left out, with its reason
            print(f"  cufinufft, blocks of {block}: {error}", file=sys.stderr)
            continue
        if contest.wall[""][0] < fastest:
            fastest, chosen = contest.wall[""][0], block
    return cufinufft_photons(lists, df, trials, n, chosen, single)


DIRECT = r"""
extern "C" __global__ void direct(const double* t, int photons, double df, long long trials, int harmonics, float* z) {
    const long long m = blockIdx.x * (long long)blockDim.x + threadIdx.x + 1;
    if (m > trials) return;
    float total = 0.0f;
    for (int k = 1; k <= harmonics; ++k) {
        float re = 0.0f, im = 0.0f;
        for (int j = 0; j < photons; ++j) {
            const double turns = k * (m * df) * t[j];
            float s, c;
            sincospif(2.0f * (float)(turns - rint(turns)), &s, &c);
            re += c;
            im += s;
        }
        total += re * re + im * im;
    }
    z[m] = total;
}
"""


def cupy_photons(lists, df, trials, n):
    """A direct sum, a thread a trial, compiled by CuPy: what a plain kernel gives"""
    def host(t):
        f = df * np.arange(1, trials + 1)
        x = unit_phases(np.outer(f, t - t[0]))
        return np.concatenate([[0.0], sum(np.cos(k * x).sum(1) ** 2 + np.sin(k * x).sum(1) ** 2 for k in range(1, n + 1))])

    kernel = None if args.dry_run else xp.RawKernel(DIRECT, "direct")

    def search():
        best = []
        for t in lists:
            if kernel is None:
                best.append(np.argmax(host(t)))
                continue
            z = xp.zeros(trials + 1, np.float32)
            kernel((-(-trials // 256),), (256,), (xp.asarray(t - t[0]), np.int32(len(t)), np.float64(df), np.int64(trials), np.int32(n), z))
            best.append(xp.argmax(z))
        return [int(i) for i in asnumpy(xp.stack(best) if kernel is not None else np.array(best))]
    return search


def nifty_curves(curves, common):
    """nifty-ls, cufinufft backend; curves of the same times in one call"""
    import nifty_ls
    df = 1 / (5 * CURVE_SPAN)
    options = {"fmin": df, "fmax": df * CURVE_TRIALS, "Nf": CURVE_TRIALS, "backend": "finufft" if args.dry_run else "cufinufft"}
    if common:
        y, dy = np.array([c[1] for c in curves]), np.array([c[2] for c in curves])
        return lambda: [int(np.argmax(p)) for p in nifty_ls.lombscargle(curves[0][0], y, dy, **options).power]
    return lambda: [int(np.argmax(nifty_ls.lombscargle(*c, **options).power)) for c in curves]


def cuperiod_curves(curves, common):
    """cuPeriod's Lomb-Scargle of one curve, cufinufft backend, in a loop; tolerance 1e-6"""
    from cuperiod.methods.gls import lombscargle_power
    del common  # it has no interface for that
    df = 1 / (5 * CURVE_SPAN)
    backend = "finufft" if args.dry_run else "cufinufft"
    return lambda: [int(np.argmax(lombscargle_power(*c, df, df, CURVE_TRIALS, backend=backend, eps=1e-6))) for c in curves]


def run_xsift(options, folder, repeats):
    path = pathlib.Path(folder) / "bench.json"
    backend = "cpu" if args.dry_run else "cuda"
    command = [str(args.xsift), "bench", *map(str, options), "--backend", backend, "--repeats", str(repeats), "--json", str(path)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return json.loads(path.read_text())


def contend(name, peers, xsift_options, folder, exact, frequency, left_out):
    """Takes turns; exact(source, frequency) is the statistic in double, frequency(index) that of a trial."""
    searches = {}
    for peer, make in peers.items():
        try:
            searches[peer] = make()
            searches[peer]()
        except Exception as error:  # not installed, too little memory, ...: said in the record, never silently missing
            left_out[f"{name}: {peer}"] = f"{type(error).__name__}: {error}".splitlines()[0][:200]
    contest = Contest()
    for _ in range(args.rounds):
        for peer, search in searches.items():
            contest.turn(peer, search)
        record = run_xsift(xsift_options, folder, 2)
        for wall, cpu in zip(record["seconds"], record["cpu_seconds"]):
            contest.keep("xsift", wall, cpu, [b["frequency"] for b in record["best"]])
    rows = contest.rows()
    found = {peer: ([frequency(i) for i in best] if peer != "xsift" else best) for peer, best in contest.last.items()}
    sources = min(len(best) for best in found.values())
    value = {peer: [exact(i, best[i]) for i in range(sources)] for peer, best in found.items()}
    for peer, values in value.items():
        rows[peer]["right"] = bool(all(v > 0.999 * max(value[p][i] for p in value) for i, v in enumerate(values)))
    print(f"  {name}: " + ", ".join(f"{peer} {row['seconds']:.4g} s" for peer, row in rows.items()), file=sys.stderr)
    return {"workload": name, "rows": rows, "device": record.get("backend")}


def photon_workload(name, lists, n, df, trials, folder, left_out):
    paths = []
    for i, t in enumerate(lists):
        paths.append(pathlib.Path(folder) / f"{name}_{i:04d}.f64".replace(" ", "_"))
        t.tofile(paths[-1])
    options = ["--search", *paths, "--df", repr(df), "--fmin", repr(df), "--fmax", repr(df * trials), "--z2", n]
    peers = {"cufinufft, single": lambda: best_block(lists, df, trials, n, True),
             "cufinufft, double": lambda: best_block(lists, df, trials, n, False),
             "direct kernel by CuPy": lambda: cupy_photons(lists, df, trials, n)}
    work = contend(name, peers, options, folder, lambda i, f: exact_z2(lists[i], f, n), lambda m: m * df, left_out)
    pairs = sum(len(t) for t in lists) * trials
    for row in work["rows"].values():
        row["pairs_per_s"] = pairs / row["seconds"]
    return work


def curve_workload(name, curves, common, folder, left_out):
    df = 1 / (5 * CURVE_SPAN)
    if common:
        curves = [(curves[0][0], *c[1:]) for c in curves]
    paths = []
    for i, curve in enumerate(curves):
        paths.append(pathlib.Path(folder) / f"{name}_{i:03d}.f64".replace(" ", "_"))
        np.concatenate(curve).tofile(paths[-1])
    options = ["--curves", *paths, "--df", repr(df), "--fmax", repr(df * CURVE_TRIALS)]
    peers = {"nifty-ls": lambda: nifty_curves(curves, common), "cuPeriod": lambda: cuperiod_curves(curves, common)}
    return contend(name, peers, options, folder, lambda i, f: exact_gls(*curves[i], f), lambda m: (m + 1) * df, left_out)


def markdown(record):
    lines = [f"# Period search beside its peers on a GPU: {record['device']}", ""]
    if record["dry_run"]:
        lines += ["**Dry run: host stand-ins on small problems. No figure here is one of a GPU.**", ""]
    lines += [f"{record['date']}, commit {record['commit']}. {record['note']}".strip(), "",
              "`scripts/bench-peers --gpu`: from times in the host's memory to the best trial of each source there; contenders in turns, the fastest call of each.", "",
              "Versions: " + ", ".join(f"{name} {version}" for name, version in record["versions"].items()) + ".", ""]
    for work in record["workloads"]:
        lines += [f"## {work['workload']}", "", "| program | seconds | median | photon x trial pairs/s | times xsift | right |", "|---|---|---|---|---|---|"]
        own = work["rows"]["xsift"]["seconds"]
        for name, row in sorted(work["rows"].items(), key=lambda item: item[1]["seconds"]):
            rate = f"{row['pairs_per_s']:.3g}" if "pairs_per_s" in row else ""
            lines.append(f"| {name} | {row['seconds']:.4g} | {row['median']:.4g} | {rate} | {row['seconds'] / own:.3g} | {'yes' if row['right'] else 'no'} |")
        lines.append("")
    if record["left_out"]:
        lines += ["Left out:", ""] + [f"- {name}: {why}" for name, why in record["left_out"].items()] + [""]
    return "\n".join(lines)


def main():
    device = platform.node() if args.dry_run else xp.cuda.runtime.getDeviceProperties(0)["name"].decode()
    commit = subprocess.run(["git", "-C", ROOT, "describe", "--always", "--dirty"], capture_output=True, text=True).stdout.strip()
    record = {"date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"), "device": device, "commit": commit,
              "note": args.note, "dry_run": args.dry_run, "left_out": {}, "workloads": [],
              "versions": {p: version_of(p) for p in ("cupy-cuda12x", "cufinufft", "nifty-ls", "cuperiod")}}
    df = 1 / (4 * SPAN)
    trials = 3000 if args.dry_run else int(FMAX / df)
    lists = [synthetic_photons(i) for i in range(args.sources)]
    curves = synthetic_curves()[:3 if args.dry_run else 100]
    with tempfile.TemporaryDirectory() as folder:
        for n in (1, 2):
            record["workloads"].append(photon_workload(f"{args.sources} sources of 300 photons, {trials:,} trials, Z2_{n}", lists, n, df,
                                                       trials, folder, record["left_out"]))
        long_list = [synthetic_photons(7, 3000 if args.dry_run else 33_712)]
        record["workloads"].append(photon_workload(f"one source of {len(long_list[0]):,} photons, {trials:,} trials, Z2_1", long_list, 1,
                                                   df, trials, folder, record["left_out"]))
        for name, common in (("different times", False), ("common times", True)):
            record["workloads"].append(curve_workload(f"{len(curves)} light curves of 1,000 points, {CURVE_TRIALS:,} trials, {name}", curves,
                                                      common, folder, record["left_out"]))
    text = markdown(record)
    print(text)
    if args.dry_run:
        return
    out = args.out or ROOT / "docs/benchmarks" / f"timing-gpu-{platform.node()}"
    out.parent.mkdir(parents=True, exist_ok=True)
    out.with_suffix(".json").write_text(json.dumps(record, indent=1) + "\n")
    out.with_suffix(".md").write_text(text + "\n")


main()
