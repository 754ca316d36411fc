"""Bad input: a clear message, a quarantine row, the right exit code, and the neighbours unharmed."""

import gzip
import resource
import shutil
import unittest

import numpy
from astropy.io import fits

from xsift_case import DATA, RESPONSES, RX_J0146, XsiftCase, event_file, rows, text

GOOD_TIMES = numpy.sort(numpy.random.default_rng(5).uniform(10.0, 9990.0, 300))


class BadInput(XsiftCase):
    def check(self, bad, code, *ingest, words=(), stage="ingest", run=()):
        """Ingests a bad file between two good neighbours and runs; expects one quarantine row with the code, from a stage."""
        good = [event_file(self.folder / name, GOOD_TIMES) for name in ("a_good.fits", "z_good.fits")]
        survey, catalogue = self.folder / "s.h5", self.folder / "c.fits"
        at_once = stage == "ingest"
        done = self.xsift("ingest", good[0], bad, good[1], "-o", survey, *ingest, exit_code=3 if at_once else 0)
        self.assertEqual(code in done.stdout + done.stderr, at_once)
        self.xsift("run", survey, "-o", catalogue, *run, exit_code=3)
        quarantine = [row for row in rows(catalogue, "QUARANTINE")]
        matching = [row for row in quarantine if text(row["CODE"]).strip() == code]
        self.assertEqual(len(matching), 1, quarantine)
        self.assertIn(str(bad).rsplit("/", 1)[-1], text(matching[0]["INPUT"]))
        self.assertEqual(text(matching[0]["STAGE"]).strip(), stage)
        for word in words:
            self.assertIn(word, text(matching[0]["MESSAGE"]))
        sources = {text(row["SRCID"]).strip(): row for row in rows(catalogue, "SOURCES")}
        for name in ("a_good", "z_good"):
            self.assertEqual(text(sources[name]["STATUS"]).strip(), "ok")
        self.xsift("verify", catalogue)

    def test_empty_file(self):
        bad = self.folder / "empty.fits"
        bad.touch()
        self.check(bad, "EMPTY_FILE")

    def test_text_file(self):
        bad = self.folder / "text.fits"
        bad.write_text("This is not FITS.\n" * 500)
        self.check(bad, "NOT_FITS")

    def test_truncated(self):
        whole = event_file(self.folder / "whole", GOOD_TIMES).read_bytes()
        bad = self.folder / "truncated.fits"
        bad.write_bytes(whole[:2880 * 4 + 100])
        self.check(bad, "TRUNCATED")

    def test_truncated_gzip(self):
        bad = self.folder / "truncated.fits.gz"
        content = RX_J0146.read_bytes()
        bad.write_bytes(content[:len(content) // 2])
        self.check(bad, "TRUNCATED")

    def test_no_events(self):
        self.check(event_file(self.folder / "table.fits", GOOD_TIMES, extension="OTHER",
                              header={"HDUCLAS1": "OTHER"}), "NO_EVENTS_EXTENSION")

    def test_nan_times(self):
        times = GOOD_TIMES.copy()
        times[17] = numpy.nan
        bad = event_file(self.folder / "nan.fits", times)
        self.check(bad, "NAN_TIMES")
        self.mended(bad)

    def test_unsorted_times(self):
        bad = event_file(self.folder / "unsorted.fits", GOOD_TIMES[::-1])
        self.check(bad, "UNSORTED_TIMES")
        self.mended(bad)

    def mended(self, bad):
        """On request the same file is mended, used and flagged."""
        survey, catalogue = self.folder / "mended.h5", self.folder / "mended.fits"
        self.xsift("ingest", bad, "-o", survey, "--repair")
        self.xsift("run", survey, "-o", catalogue)
        self.assertEqual(text(rows(catalogue, "SOURCES")[0]["STATUS"]).strip(), "ok")

    def test_zero_events(self):
        self.check(event_file(self.folder / "zero.fits", []), "NO_EVENTS")

    def test_one_event(self):
        self.check(event_file(self.folder / "one.fits", [5000.0]), "TOO_FEW_EVENTS")

    def test_gti_overlap(self):
        self.check(event_file(self.folder / "gti.fits", GOOD_TIMES, gti=[(0, 6000), (5000, 10000)]), "GTI_OVERLAP")

    def test_gti_reversed(self):
        self.check(event_file(self.folder / "gti.fits", GOOD_TIMES, gti=[(0, 6000), (10000, 7000)]), "GTI_REVERSED")

    def test_gti_excludes_all(self):
        self.check(event_file(self.folder / "gti.fits", GOOD_TIMES, gti=[(20000, 30000)]), "GTI_EXCLUDES_ALL")

    def test_names_with_extended_syntax_are_literal(self):
        good = event_file(self.folder / "x.fits", GOOD_TIMES)
        for name in (f"{good}[1][col TIME=TIME*2]", f"{good}+1", f"{good}[EVENTS]", "http://localhost/x.fits",
                     "shmem://h1", f"{good}.gz"):
            survey = self.folder / "s.h5"
            done = self.xsift("ingest", good, name, "-o", survey, exit_code=3)
            self.assertIn("NO_SUCH_FILE", done.stdout + done.stderr)
        literal = self.folder / "y.fits[1]"
        shutil.copy(good, literal)
        self.xsift("ingest", literal, "-o", self.folder / "literal.h5")

    def test_names_with_tildes_and_blanks_are_literal(self):
        # cfitsio would read and write $HOME/x.fits, and x.fits without the blanks.
        good = event_file(self.folder / "good.fits", GOOD_TIMES)
        (self.folder / "~").mkdir()
        names = [" x.fits", "~/x.fits", "~root"]
        for name in names:
            shutil.copy(good, self.folder / name)
        for name in names:
            self.xsift("ingest", name, "-o", "s.h5", cwd=self.folder)
            self.xsift("run", "s.h5", "-o", f"{name}.out", "--fmax", "0.01", cwd=self.folder)
            self.xsift("verify", f"{name}.out", cwd=self.folder)

    def test_a_packed_file_is_known_by_its_start(self):
        # 64 GiB of nothing in a file of 4 MB: the memory for it is not taken.
        bomb = self.folder / "bomb.fits.gz"
        bomb.write_bytes(gzip.compress(bytes(1 << 26), mtime=0) * 1024)
        survey = self.folder / "s.h5"
        done = self.xsift("ingest", event_file(self.folder / "good.fits", GOOD_TIMES), bomb, "-o", survey, exit_code=3)
        self.assertIn("NOT_FITS", done.stdout + done.stderr)
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
        self.assertLess(peak, 1 << 20, "KiB")

    def spectrum(self, name, change):
        """A real spectrum in a folder of its own, changed."""
        folder = self.folder / name
        folder.mkdir()
        source = sorted((DATA / "xmm-pps").rglob("*PNS003SRSPEC*"))[0]
        stem = source.name
        for kind in ("SRSPEC", "BGSPEC", "SRCARF"):
            for file in source.parent.glob(stem.replace("SRSPEC", kind)):
                with gzip.open(file) if file.read_bytes()[:2] == b"\x1f\x8b" else open(file, "rb") as stream:
                    (folder / file.name).write_bytes(stream.read())
        with fits.open(folder / stem, mode="update") as hdus:
            change(folder, hdus["SPECTRUM"])
        return folder / stem

    def check_spectrum(self, code, change, **expected):
        bad = self.spectrum(code.lower(), change)
        self.check(bad, code, *RESPONSES, "--response-path", bad.parent, **expected)

    def test_negative_counts(self):
        def change(_, spectrum):
            spectrum.data["COUNTS"][100] = -3
        self.check_spectrum("NEGATIVE_COUNTS", change)

    def test_zero_exposure(self):
        def change(_, spectrum):
            spectrum.header["EXPOSURE"] = 0.0
        self.check_spectrum("ZERO_EXPOSURE", change)

    def test_missing_background(self):
        def change(folder, spectrum):
            spectrum.header["BACKFILE"] = "not_there.fits"
            for file in folder.glob("*BGSPEC*"):
                file.unlink()
        self.check_spectrum("NO_BACKGROUND", change)

    def test_no_response(self):
        def change(_, spectrum):
            spectrum.header["RESPFILE"] = "nowhere.rmf"
        self.check_spectrum("NO_RESPONSE", change)

    def test_response_of_another_channel_count(self):
        def change(folder, spectrum):
            spectrum.data = spectrum.data[:2048]
            spectrum.header["DETCHANS"] = 2048
            background = next(folder.glob("*BGSPEC*"))
            with fits.open(background, mode="update") as hdus:
                hdus["SPECTRUM"].data = hdus["SPECTRUM"].data[:2048]
                hdus["SPECTRUM"].header["DETCHANS"] = 2048
        self.check_spectrum("CHANNEL_MISMATCH", change)

    def test_counts_that_are_not_whole(self):
        def change(_, spectrum):
            counts = spectrum.data["COUNTS"].astype(float)
            counts[700] += 0.5
            columns = [fits.Column("CHANNEL", "J", array=spectrum.data["CHANNEL"]), fits.Column("COUNTS", "E", array=counts)]
            spectrum.data = fits.BinTableHDU.from_columns(columns).data
        self.check_spectrum("NON_INTEGER_COUNTS", change)

    def test_background_without_backscal(self):
        def change(folder, _):
            with fits.open(next(folder.glob("*BGSPEC*")), mode="update") as hdus:
                del hdus["SPECTRUM"].header["BACKSCAL"]
        self.check_spectrum("NO_BACKSCAL", change)

    def test_area_on_other_energies_than_the_response(self):
        def change(folder, _):
            with fits.open(next(folder.glob("*SRCARF*")), mode="update") as hdus:
                area = hdus["SPECRESP"].data
                inner = (area["ENERG_HI"] < 5.0).sum()  # edges between the first bins; the ends stay
                area["ENERG_LO"][1:inner + 1] *= 1.002
                area["ENERG_HI"][:inner] *= 1.002
        self.check_spectrum("ARF_MISMATCH", change, words=("--repair",))

    def test_all_channels_bad(self):
        def change(_, spectrum):
            spectrum.data["QUALITY"][:] = 5
        self.check_spectrum("NO_GOOD_CHANNELS", change, stage="fit")

    def small_spectrum(self, groups):
        """A spectrum of six channels of 1 keV with two counts each, and its response: the same groups (channel, number) in each energy."""
        energies = numpy.arange(1.0, 7.0)
        spectrum = fits.BinTableHDU.from_columns([
            fits.Column("CHANNEL", "I", array=numpy.arange(6)), fits.Column("COUNTS", "J", array=numpy.full(6, 2))], name="SPECTRUM")
        for key, value in {"HDUCLASS": "OGIP", "HDUCLAS1": "SPECTRUM", "EXPOSURE": 100.0, "DETCHANS": 6, "TLMIN1": 0, "BACKFILE": "none",
                           "ANCRFILE": "none", "RESPFILE": "small.rsp"}.items():
            spectrum.header[key] = value
        total = sum(number for _, number in groups)
        matrix = fits.BinTableHDU.from_columns([
            fits.Column("ENERG_LO", "E", unit="keV", array=energies), fits.Column("ENERG_HI", "E", unit="keV", array=energies + 1.0),
            fits.Column("N_GRP", "I", array=numpy.full(6, len(groups))),
            fits.Column("F_CHAN", f"{len(groups)}I", array=numpy.tile([first for first, _ in groups], (6, 1))),
            fits.Column("N_CHAN", f"{len(groups)}I", array=numpy.tile([number for _, number in groups], (6, 1))),
            fits.Column("MATRIX", f"{total}E", array=numpy.full((6, total), 100.0 / total))], name="SPECRESP MATRIX")
        bounds = fits.BinTableHDU.from_columns([
            fits.Column("CHANNEL", "I", array=numpy.arange(6)), fits.Column("E_MIN", "E", unit="keV", array=energies),
            fits.Column("E_MAX", "E", unit="keV", array=energies + 1.0)], name="EBOUNDS")
        for key, value in {"HDUCLASS": "OGIP", "HDUCLAS1": "RESPONSE", "HDUCLAS2": "RSP_MATRIX", "HDUCLAS3": "FULL", "TLMIN4": 0,
                           "DETCHANS": 6}.items():
            matrix.header[key] = value
        folder = self.folder / "small"
        folder.mkdir()
        fits.HDUList([fits.PrimaryHDU(), spectrum]).writeto(folder / "small.pha")
        fits.HDUList([fits.PrimaryHDU(), matrix, bounds]).writeto(folder / "small.rsp")
        return folder / "small.pha"

    def check_small(self, groups, code, **expected):
        bad = self.small_spectrum(groups)
        self.check(bad, code, "--response-path", bad.parent, **expected)

    def test_response_with_overlapping_groups(self):
        self.check_small([(0, 4), (3, 3)], "OVERLAPPING_GROUPS", words=("small.rsp",))

    def test_counts_where_nothing_is_expected(self):
        self.check_small([(0, 2), (4, 2)], "ZERO_AREA", stage="fit", run=("--binning", "none"))


if __name__ == "__main__":
    unittest.main()
