#!/usr/bin/env python3
"""Make the absorption tables that the spectral room embeds: src/spectral/resources/tbabs_*.bin.

The cross-sections are those of XSPEC's own tbabs (Wilms, Allen & McCray 2000; version 2.3), sampled through its C
function `C_tbvabs` as the Python package xspectrampoline offers it (`pip install numpy xspectrampoline`).

What XSPEC does, found from its answers: the transmission of a bin is exp(-nH (gas + H(dust))), where gas and dust are
the means of the values at the two edges of the bin, dust is the unshielded cross-section of what is locked in grains,
and H is the self-shielding of grains with radii 0.025 to 0.25 um distributed as a^-3.5. So two curves an abundance
table and one constant hold the model exactly.

Layout (little-endian): 8 bytes "XSIFTABS", uint64 n, double k (optical depth of a grain = k x radius in um x dust),
then n doubles ln energy/keV, n float32 ln gas and n float32 ln dust (1e-22 cm2 per H). Energies are chosen so that linear
interpolation between the logarithms is within TOLERANCE; edges are pairs of energies EDGE_WIDTH apart.
"""
import ctypes
import os
import struct
import sys

import numpy as np
import xspectrampoline

TOLERANCE = 6e-6
EDGE_WIDTH = 1e-7  # relative
ENERGY_LO, ENERGY_HI = 0.03, 25.0
GRAIN_LO, GRAIN_HI = 0.025, 0.25  # um, XSPEC's defaults
# Fraction of each element in the gas: He C N O Ne Na Mg Al Si S Cl Ar Ca Cr Fe Co Ni (Wilms et al. 2000, table 2).
IN_GAS = np.array([1, 0.5, 1, 0.6, 1, 0.25, 0.2, 0.02, 0.1, 0.6, 0.5, 1, 0.003, 0.03, 0.3, 0.05, 0.04])
NH = 0.01  # 1e22 cm^-2: low enough not to underflow at 0.03 keV, high enough to keep 11 digits at 25 keV

_double = ctypes.POINTER(ctypes.c_double)
_tbvabs = xspectrampoline.lib_XSFunctions.C_tbvabs
_tbvabs.argtypes = [_double, ctypes.c_int, _double, ctypes.c_int, _double, _double, ctypes.c_char_p]
_tbvabs.restype = None


def cross_section(energy, abundance, in_gas):
    """Cross-section (1e-22 cm2 per H) at each energy: XSPEC's value of a vanishingly narrow bin."""
    edges = np.ravel(np.column_stack([energy, energy * (1 + 1e-12)]))
    transmission, error = np.zeros(len(edges) - 1), np.zeros(len(edges) - 1)
    parameters = np.concatenate([[NH], abundance, [0.2, 1.0, GRAIN_LO, GRAIN_HI, 3.5, 1.0], in_gas, [0.0]])
    pointer = lambda a: a.ctypes.data_as(_double)
    _tbvabs(pointer(edges), len(transmission), pointer(parameters), 1, pointer(transmission), pointer(error), b"")
    return -np.log(transmission[::2]) / NH


def curves(energy):
    """ln gas and ln dust at each energy, shape (2, n)."""
    ones = np.ones_like(IN_GAS)
    gas = cross_section(energy, IN_GAS, ones)
    return np.log([gas, cross_section(energy, ones, ones) - gas])


def adaptive_grid():
    energy = np.geomspace(ENERGY_LO, ENERGY_HI, 1025)
    value = curves(energy)
    open_intervals = np.ones(len(energy) - 1, bool)
    while open_intervals.any():
        left = np.flatnonzero(open_intervals)
        middle = np.sqrt(energy[left] * energy[left + 1])
        middle_value = curves(middle)
        error = 0.0
        for t in (0.5, 0.29, 0.83):  # several places: XSPEC's own steps are uneven, and one may agree by chance
            linear = (1 - t) * value[:, left] + t * value[:, left + 1]
            at = energy[left] ** (1 - t) * energy[left + 1] ** t
            error = np.maximum(error, np.abs(curves(at) - linear).max(axis=0))
        wide = energy[left + 1] / energy[left] - 1 > 2 * EDGE_WIDTH
        split = (error > TOLERANCE) & wide
        state = open_intervals.copy()
        state[left] = split
        energy = np.insert(energy, left[split] + 1, middle[split])
        value = np.insert(value, left[split] + 1, middle_value[:, split], axis=1)
        open_intervals = np.insert(state, left[split] + 1, True)
    return energy, value


def shielding_constant(energy, value):
    """k such that the default tbabs equals gas + H(dust), by bisection at the energy of the deepest shielding."""
    full = cross_section(energy, np.ones_like(IN_GAS), IN_GAS)
    gas, dust = np.exp(value)
    radius = np.geomspace(GRAIN_LO, GRAIN_HI, 20001)
    i = int(np.argmin((full - gas) / dust))

    def shielded(k):
        absorbed = np.trapezoid(radius**-1.5 * -np.expm1(-k * dust[i] * radius), radius)
        return dust[i] * absorbed / (k * dust[i] * np.trapezoid(radius**-0.5, radius))

    lo, hi = 1e-3, 1e2
    for _ in range(200):
        k = np.sqrt(lo * hi)
        lo, hi = (k, hi) if shielded(k) > full[i] - gas[i] else (lo, k)
    return k


def main():
    folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../src/spectral/resources")
    for name in ("wilm", "angr", "aspl"):
        status = ctypes.c_int(0)
        xspectrampoline.lib_XSFunctions.FPSOLR(name.encode(), ctypes.byref(status))
        assert status.value == 0, status.value
        energy, value = adaptive_grid()
        k = shielding_constant(energy, value)
        with open(os.path.join(folder, f"tbabs_{name}.bin"), "wb") as out:
            out.write(b"XSIFTABS" + struct.pack("<Qd", len(energy), k))
            out.write(np.log(energy).astype("<f8").tobytes())
            out.write(value.astype("<f4").tobytes())
        print(f"{name}: {len(energy)} energies, k {k:.8g}", file=sys.stderr)


if __name__ == "__main__":
    main()
