#!/usr/bin/env python3
"""Checks that what is compiled for newer processors stays where it is asked for.

    check_instruction_sets.py BUILD

Prints one line a finding and exits 1 when there is any: a function of an object compiled for AVX2 or AVX-512 that the linker may
take for the whole program's (an inline function or a template that was not inlined), which would end on an older processor as an
illegal instruction; or no such object at all where the processor is an x86-64.
"""
import platform
import subprocess
import sys
from pathlib import Path

from findings import report

SHARED = "WVu"  # weak functions and objects, unique globals


def shared_symbols(listing):
    """Names of defined symbols that several objects may have, from the output of nm -C."""
    for line in listing.splitlines():
        words = line.split(maxsplit=2)  # address, kind, name; undefined ones have no address
        if len(words) == 3 and words[1] in SHARED:
            yield words[2]


def check(build):
    objects = sorted(path for pattern in ("*_avx2.cpp.o", "*_avx512.cpp.o") for path in Path(build).rglob(pattern))
    if not objects and platform.machine().lower() in ("x86_64", "amd64"):
        return [f"{build}: no object compiled for AVX2 or AVX-512"]
    findings = []
    for path in objects:
        listing = subprocess.run(["nm", "-C", path], check=True, capture_output=True, text=True).stdout
        findings += [f"{path.name}: {name} could become the whole program's" for name in shared_symbols(listing)]
    return findings


def main():
    return report("instruction sets", "nothing to complain about", check(sys.argv[1] if len(sys.argv) > 1 else "build/release"))


if __name__ == "__main__":
    sys.exit(main())
