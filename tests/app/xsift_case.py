"""What the command tests share: running xsift in a temporary folder, reading catalogues, making small FITS files."""

import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

import numpy
from astropy.io import fits

XSIFT = os.environ["XSIFT"]
DATA = pathlib.Path(os.environ["XSIFT_TEST_DATA"])
SUBSTITUTE = "epn_e3_ef20_sd*.rmf=epn_e3_ef20_sdY6_v19.0.rmf"
RESPONSES = ["--response-path", str(DATA / "responses"), "--response-substitute", SUBSTITUTE]
RX_J0146 = DATA / "events" / "xmm_pn_rxj0146.fits.gz"
NICER = DATA / "events" / "nicer_1e2259.fits.gz"

#: For a case that limits or measures memory.
needs_memory_of_its_own = unittest.skipIf("XSIFT_SANITIZED" in os.environ,
                                          "a sanitizer takes address space for itself and keeps what is freed")


def rows(path, extension):
    """A table of a catalogue as a numpy record array."""
    with fits.open(path) as hdus:
        return numpy.array(hdus[extension].data)


def text(value):
    return value.decode() if isinstance(value, bytes) else str(value)


def event_file(path, times, gti=None, header=None, columns=None, extension="EVENTS"):
    """A small barycentred XMM-like event list."""
    times = numpy.asarray(times, dtype=float)
    columns = columns if columns is not None else [
        fits.Column("TIME", "D", unit="s", array=times),
        fits.Column("PI", "I", unit="eV", array=numpy.full(len(times), 1000))]
    events = fits.BinTableHDU.from_columns(columns, name=extension)
    gti = [(0.0, 10000.0)] if gti is None else gti
    intervals = fits.BinTableHDU.from_columns([
        fits.Column("START", "D", unit="s", array=[start for start, _ in gti]),
        fits.Column("STOP", "D", unit="s", array=[stop for _, stop in gti])], name="GTI")
    keys = {"TELESCOP": "XMM", "INSTRUME": "EPN", "MJDREF": 50814.0, "TIMESYS": "TDB", "TIMEREF": "SOLARSYSTEM",
            "TIMEZERO": 0.0, "FRMTIME": 73, "SUBMODE": "PrimeFullWindow", "HDUCLASS": "OGIP", "HDUCLAS1": "EVENTS"}
    keys.update(header or {})
    for key, value in keys.items():
        events.header[key] = value
    intervals.header["HDUCLASS"], intervals.header["HDUCLAS1"] = "OGIP", "GTI"
    fits.HDUList([fits.PrimaryHDU(), events, intervals]).writeto(path, overwrite=True)
    return path


class XsiftCase(unittest.TestCase):
    """A test case with a temporary folder and the command at hand."""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="xsift-test-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def xsift(self, *arguments, exit_code=0, **options):
        """Runs xsift, checks the exit code, returns the finished process."""
        done = subprocess.run([XSIFT, *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=600, check=False, **options)
        expected = exit_code if isinstance(exit_code, tuple) else (exit_code,)
        self.assertIn(done.returncode, expected, f"{arguments}\n{done.stdout}\n{done.stderr}")
        return done

    def simulated(self, sources=40, *arguments):
        survey = self.folder / f"simulated{sources}.h5"
        self.xsift("simulate", "-o", survey, "--sources", sources, "--seed", 7, *arguments)
        return survey
