"""Reads a catalogue of the tests with astropy: checksums, units, UCDs, displays, nulls. Exit status 0 when sound."""
import sys
import warnings

import numpy as np
from astropy import units
from astropy.io import fits
from astropy.io.votable.ucd import check_ucd
from astropy.table import Table

path = sys.argv[1]
warnings.simplefilter("error")  # a checksum that does not match, a unit that is not standard

with fits.open(path, checksum=True) as hdus:
    names = ["PRIMARY", "SOURCES", "PERIODS", "PF_LIMITS", "PROFILES", "SPECTRAL_FITS", "PARAMETERS", "FLUXES", "VARIABILITY",
             "FLARES", "COUNTERPARTS", "CLASSES",
             "QUARANTINE", "PROVENANCE", "CONFIG"]
    assert [hdu.name for hdu in hdus] == names, [hdu.name for hdu in hdus]
    for hdu in hdus:
        assert "CHECKSUM" in hdu.header and "DATASUM" in hdu.header, hdu.name
        hdu.verify("exception")
    for hdu in hdus[1:]:
        header = hdu.header
        for i, column in enumerate(hdu.columns, 1):
            where = f"{hdu.name}.{column.name}"
            if column.unit:
                units.Unit(column.unit, format="fits")
            extra = header[f"TCOMM{i}"] == "from the source list"
            assert extra or check_ucd(header[f"TUCD{i}"], check_controlled_vocabulary=True), where
            assert f"TDISP{i}" in header and header.comments[f"TTYPE{i}"] == header[f"TCOMM{i}"], where
            data = hdu.data[column.name]
            if data.dtype.kind == "f":
                assert not np.isinf(data).any(), where
    expected = {"RA": "deg", "POS_ERR": "arcsec", "PERIOD": "s", "FLUX": "erg cm**-2 s**-1"}
    for name, unit in expected.items():
        assert hdus["SOURCES"].columns[name].unit == unit, name
    assert hdus["SPECTRAL_FITS"].columns["NH"].unit == "10**22 cm**-2"
    assert units.Unit("10**22 cm**-2", format="fits") == units.Unit(1e22 / units.cm**2)

profiles = Table.read(path, hdu="PROFILES")
assert profiles["COUNTS"].shape == (len(profiles), 32) and profiles["COUNTS"][0][31] == 31.0
assert np.isnan(np.ma.filled(profiles["RATE"], np.nan)[0]).nonzero()[0].tolist() == [3]

for name in names[1:]:
    assert len(Table.read(path, hdu=name)) > 0, name
sources = Table.read(path, hdu="SOURCES")
assert list(sources["N_OBS"].mask) == [i % 4 == 1 for i in range(12)]
assert list(np.isnan(sources["PERIOD"].filled(np.nan))) == [i % 3 == 0 for i in range(12)]
assert list(np.isnan(np.ma.filled(sources["ra_LIST"], np.nan))) == [i % 4 == 0 for i in range(12)]
