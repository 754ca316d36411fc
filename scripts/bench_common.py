"""What the comparisons of period searches with other programs share: data, exact values, taking turns."""
import importlib.metadata
import time

import numpy as np

SPAN, FMAX = 30000.0, 6.8
CURVE_SPAN, CURVE_POINTS, CURVE_TRIALS, CURVES = 1e5, 1000, 100_000, 100


def synthetic_photons(number=0, count=300):
    return np.sort(np.random.default_rng(1 + number).uniform(0.0, SPAN, count))


def synthetic_curves():
    random = np.random.default_rng(2)
    curves = []
    for _ in range(CURVES):
        t = np.sort(random.uniform(0.0, CURVE_SPAN, CURVE_POINTS))
        error = random.uniform(0.05, 0.15, CURVE_POINTS)
        curves.append((t, 1 + 0.1 * np.sin(2 * np.pi * 0.01 * t) + error * random.standard_normal(CURVE_POINTS), error))
    return curves


def unit_phases(product):
    return 2 * np.pi * (product - np.rint(product))


def exact_z2(t, f, n):
    phase = (t - 0.5 * (t[0] + t[-1])).astype(np.longdouble) * np.longdouble(f)
    phase = (2 * np.pi * (phase - np.rint(phase))).astype(float)
    return 2 / len(t) * sum(np.cos(k * phase).sum() ** 2 + np.sin(k * phase).sum() ** 2 for k in range(1, n + 1))


def exact_gls(t, y, dy, f):
    w = dy ** -2.0
    x = 2 * np.pi * f * (t - t.mean())
    design = np.stack([np.ones_like(t), np.cos(x), np.sin(x)])
    solution = np.linalg.solve((design * w) @ design.T, (design * w) @ y)
    reference = (w * (y - np.average(y, weights=w)) ** 2).sum()
    return 1 - (w * (y - solution @ design) ** 2).sum() / reference


def timed(search):
    wall, cpu = time.perf_counter(), time.process_time()
    result = search()
    return time.perf_counter() - wall, time.process_time() - cpu, result


def version_of(package):
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "?"


class Contest:
    """Calls contenders in turns and keeps their fastest times."""

    def __init__(self):
        self.wall, self.cpu, self.last = {}, {}, {}

    def turn(self, name, search, per=1):
        wall, cpu, result = timed(search)
        scale = getattr(search, "scale", 1.0) / per
        self.keep(name, wall * scale, cpu * scale, result)

    def keep(self, name, wall, cpu, result):
        self.wall.setdefault(name, []).append(wall)
        self.cpu.setdefault(name, []).append(cpu)
        self.last[name] = result

    def rows(self):
        return {name: {"seconds": min(self.wall[name]), "median": float(np.median(self.wall[name])),
                       "cpu_seconds": min(self.cpu[name]), "calls": len(self.wall[name])} for name in self.wall}
