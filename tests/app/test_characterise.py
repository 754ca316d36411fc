"""Runs with the steps of the characterisation: columns, counterparts, distances, history."""
import csv
import unittest

import numpy
from astropy.io import fits

from xsift_case import DATA, RESPONSES, RX_J0146, XsiftCase, rows, text


class Characterise(XsiftCase):
    def setUp(self):
        super().setUp()
        self.survey = self.simulated(5, "--with-spectra")
        catalogue = self.xsift_catalogue("plain.fits")
        self.assertNotIn("DIST", catalogue["SOURCES"].columns.names)
        self.sources = [(str(row["SRCID"]).strip(), float(row["RA"]), float(row["DEC"]), float(row["FLUX"]))
                        for row in catalogue["SOURCES"].data]
        self.index = max(range(5), key=lambda i: self.sources[i][3] if self.sources[i][3] > 0 else 0)

    def xsift_catalogue(self, name, *settings):
        path = self.folder / name
        self.xsift("run", self.survey, "-o", path, "--search", "false", *settings, exit_code=(0, 3))
        self.xsift("verify", path)
        return fits.open(path)

    def test_the_galactic_column_is_there_by_default(self):
        table = self.xsift_catalogue("nh.fits")["SOURCES"].data
        self.assertTrue(all(1e-3 < value < 10.0 for value in table["NH_GAL"]))
        self.assertTrue(all("HI4PI" in value for value in table["NH_GAL_FROM"]))
        without = self.xsift_catalogue("without.fits", "--galactic-column", "false", "--classes", "false")["SOURCES"]
        self.assertNotIn("NH_GAL", without.columns.names)
        self.assertNotIn("CHAR_FLAGS", without.columns.names)

    def test_counterparts_lend_distance_and_flux_ratio(self):
        lines = ["source_id,ra,dec,error,gmag,parallax,parallax_error,pmra,pmdec"]
        for i, (_, ra, dec, _) in enumerate(self.sources[:3]):
            lines.append(f"{i},{ra},{dec + 0.1 / 3600},0.01,17.6,1.9836,0.09,0,0")
        (self.folder / "stars.csv").write_text("\n".join(lines) + "\n")
        setting = f"{self.folder}/stars.csv;name=stars;area=1.0;col.error=error"
        whole = self.xsift_catalogue("whole.fits", "--counterparts", setting)
        table, found = whole["SOURCES"].data, whole["COUNTERPARTS"].data
        self.assertEqual(len(found), 3)
        for row, (_, ra, dec, _) in zip(found, self.sources):
            self.assertAlmostEqual(row["RA"], ra, places=10)
            self.assertAlmostEqual(row["DEC"], dec + 0.1 / 3600, places=10)
            self.assertAlmostEqual(row["POS_ERR"], 0.01)
        self.assertTrue(all(row["P_ANY"] > 0.99 and row["P_I"] == 1.0 for row in found))
        for row in table[:3]:
            self.assertAlmostEqual(row["DIST"], 504.13, delta=0.01)
            self.assertAlmostEqual(row["GAIA_G"], 17.6)
            if row["FLUX"] > 0:
                self.assertAlmostEqual(row["LUM"] / (row["FLUX"] * 3.0409e43), 1.0, delta=1e-3)
        for row in table[3:]:
            self.assertEqual(row["CHAR_FLAGS"] & 256, 256)
            self.assertNotEqual(row["DIST"], row["DIST"])
        refused = self.xsift("run", self.survey, "-o", self.folder / "x.fits", "--counterparts",
                             f"{self.folder}/stars.csv", exit_code=(2,))
        self.assertIn("area", refused.stderr)

    def test_several_catalogues_however_they_are_given(self):
        settings = []
        for name, offset in (("near", 0.1), ("far", 2.0)):
            path = self.folder / f"{name}.csv"
            lines = [f"{i},{ra},{dec + offset / 3600},0.01,17.6" for i, (_, ra, dec, _) in enumerate(self.sources)]
            path.write_text("source_id,ra,dec,error,gmag\n" + "\n".join(lines) + "\n")
            settings.append(f"{path};area=1.0;col.error=error")
        toml = self.folder / "run.toml"
        toml.write_text("[characterise]\ncounterparts = [" + ", ".join(f'"{one}"' for one in settings) + "]\n")
        ways = {"commas": ("--counterparts", ",".join(settings)), "file": ("-c", toml),
                "repeated": ("--counterparts", settings[0], "--counterparts", settings[1])}
        for way, arguments in ways.items():
            found = self.xsift_catalogue(f"{way}.fits", *arguments)["COUNTERPARTS"].data
            self.assertEqual({str(name).strip() for name in found["CATALOGUE"]}, {"near", "far"}, way)
            self.assertEqual(len(found), 2 * len(self.sources))
        self.assertEqual((self.folder / "commas.fits").read_bytes(), (self.folder / "repeated.fits").read_bytes())
        self.assertEqual((self.folder / "commas.fits").read_bytes(), (self.folder / "file.fits").read_bytes())
        refused = self.xsift("run", self.survey, "-o", self.folder / "x.fits", "--counterparts", *settings, exit_code=2)
        self.assertIn("far.csv", refused.stderr)
        self.assertIn("commas", refused.stderr)
        refused = self.xsift("run", self.survey, "-o", self.folder / "x.fits", "--counterparts",
                             f"{settings[0]},{settings[1]};name=near", exit_code=2)
        self.assertIn("another catalogue is called 'near'", refused.stderr)
        self.assertFalse((self.folder / "x.fits").exists())

    def test_a_magnitude_prior_that_is_none_is_refused(self):
        stars, prior = self.folder / "stars.csv", self.folder / "prior.csv"
        stars.write_text("ra,dec,error,gmag\n10,20,0.1,17\n")
        for text in ("lo,hi,selected,others\n10,twelve,0.1,0.2\n", "lo,hi,selected,others\n10,12,0.1,0\n",
                     "lo,hi,selected,others\n10,12,0.1,0.2\n13,14,0.1,0.2\n", "lo,hi,selected\n10,12,0.1\n",
                     "lo,hi,selected,others\n"):
            prior.write_text(text)
            refused = self.xsift("run", self.survey, "-o", self.folder / "x.fits", "--counterparts",
                                 f"{stars};area=1.0;prior={prior}", exit_code=2)
            self.assertIn("magnitude prior", refused.stderr)
        prior.write_text("lo,hi,selected,others\n10,12,0.1,0.2\n12,18,0.3,0.2\n")
        self.xsift_catalogue("prior.fits", "--counterparts", f"{stars};area=1.0;prior={prior}")

    def test_history_raises_alerts(self):
        name, _, _, flux = self.sources[self.index]
        (self.folder / "history.csv").write_text(
            f"srcid,mission,mjd,kind,flux,flux_lo,flux_hi\n{name},XMM,51000,upper_limit,,,{flux / 100}\n")
        table = self.xsift_catalogue("history.fits", "--history", self.folder / "history.csv")["SOURCES"].data
        self.assertEqual(table["ALERT"][self.index].strip(), "first detection")
        self.assertGreater(table["LT_RATIO"][self.index], 5.0)
        other = 0 if self.index else 1
        self.assertNotEqual(table["LT_RATIO"][other], table["LT_RATIO"][other])
        self.assertEqual(table["CHAR_FLAGS"][other] & 1024, 1024)


class Columns(XsiftCase):
    def ingested(self, lines, spectra=()):
        """A survey of a source list, with pn spectra of ObsID 0760940101."""
        (self.folder / "list.csv").write_text("\n".join(lines) + "\n")
        inputs = [DATA / "xmm-pps" / f"P0760940101PNS003{kind}{number}.FTZ" for number in spectra
                  for kind in ("SRSPEC", "BGSPEC", "SRCARF")]
        survey = self.folder / "survey.h5"
        self.xsift("ingest", *(inputs or [RX_J0146]), "--source-list", self.folder / "list.csv", "-o", survey, *RESPONSES)
        return survey

    def test_the_column_of_any_map_in_all_reference_directions(self):
        with open(DATA / "nh" / "nh_reference.csv", newline="") as lines:
            reference = list(csv.DictReader(lines))
        survey = self.ingested(["id,ra,dec"] + [f"d{i},{row['ra_deg']},{row['dec_deg']}" for i, row in enumerate(reference)])
        lab = DATA / "nh" / "h1_nh_LAB_healpix_lowres.fits.gz"
        for column, origin, options in (("hi4pi_bilinear", "HI4PI", ()), ("lab_bilinear", "LAB", ("--column-map", lab))):
            self.xsift("run", survey, "-o", self.folder / "c.fits", "--search", "false", *options, exit_code=(0, 3))
            found = {text(row["SRCID"]).strip(): row for row in rows(self.folder / "c.fits", "SOURCES")}
            for i, row in enumerate(reference):
                self.assertAlmostEqual(found[f"d{i}"]["NH_GAL"] * 1e22 / float(row[column]), 1.0, delta=1e-3)
                self.assertIn(origin, text(found[f"d{i}"]["NH_GAL_FROM"]))

    def test_the_visual_magnitude_of_a_counterpart(self):
        survey = self.ingested(["id,ra,dec,pos_err", "0760940101:0001,359.7,-60.6,1.0"], ["0001"])
        stars = self.folder / "stars.csv"
        stars.write_text("source_id,ra,dec,error,gmag,bpmag,rpmag\n1,359.7,-60.6,0.1,10.0,10.3,9.48\n")
        self.xsift("run", survey, "-o", self.folder / "c.fits", "--search", "false", "--models", "tbabs*powerlaw",
                   "--counterparts", f"{stars};area=0.001", exit_code=(0, 3))
        source = rows(self.folder / "c.fits", "SOURCES")[0]
        # log10 Fx + V/2.5 + 5.37 with V = 10.15 of such a colour
        self.assertAlmostEqual(source["FX_FV"], numpy.log10(source["FLUX"]) + 10.15 / 2.5 + 5.37, delta=0.005)

    def test_what_the_source_list_knows_goes_before_maps_and_catalogues(self):
        # The Gaia entry of a published source report beside another source's spectrum.
        survey = self.ingested(["id,ra,dec,pos_err,nh_dust,plx,e_plx,gmag,nh_thick",
                                "0760940101:0001,359.7,-60.6,1.0,0.02,1.9836,0.09,17.598,5.0"], ["0001"])
        options = ("--search", "false", "--models", "tbabs*powerlaw", "--parallax-column", "plx",
                   "--parallax-error-column", "e_plx", "--g-column", "gmag", "--optical-zero", "1.05e-5")

        def run(*more):
            self.xsift("run", survey, "-o", self.folder / "c.fits", *options, *more, exit_code=(0, 3))
            return rows(self.folder / "c.fits", "SOURCES")[0], rows(self.folder / "c.fits", "SPECTRAL_FITS")[0]
        source, fit = run("--nh-column", "nh_dust")
        self.assertAlmostEqual(source["DIST"], 504.13, delta=0.01)
        self.assertEqual(source["FOPT_ZERO"], 1.05e-5)
        self.assertAlmostEqual(10 ** source["FX_FOPT"], source["FLUX"] / 9.59e-13, delta=2e-4)
        self.assertTrue(numpy.isnan(source["FX_FV"]))  # nothing tells its colour
        self.assertAlmostEqual(source["LUM"] / source["FLUX"] * 3.06e-14, 9.31e29, delta=0.01e29)
        self.assertAlmostEqual(source["NH_GAL"], 0.02)
        self.assertEqual(text(source["NH_GAL_FROM"]).strip(), "source list nh_dust")
        self.assertTrue(0.02 < fit["NH_LO"] and fit["NH_HI"] < 5.0)
        self.assertEqual(source["CHAR_FLAGS"] & 14, 8 + 4)
        source, _ = run("--nh-column", "nh_thick")
        self.assertEqual(source["CHAR_FLAGS"] & 14, 8 + 2)
        source, _ = run()
        self.assertIn("HI4PI", text(source["NH_GAL_FROM"]))
        self.assertEqual(source["CHAR_FLAGS"] & 8, 0)


    def test_error_ellipses_and_proper_motions_of_sources_and_catalogues(self):
        # Stars 2 arcsec north of one source and east of the other; only errors that are long to the north allow both.
        survey = self.ingested(["id,ra,dec,pos_err,major,minor,angle", "north,10,0,0.2,2.0,0.2,0", "east,20,0,0.2,2.0,0.2,0"])
        stars, step = self.folder / "stars.csv", 2 / 3600

        def p_any(columns, values, setting, *options):
            stars.write_text(f"source_id,ra,dec,{columns}\nN,10,{step},{values}\nE,{20 + step},0,{values}\n")
            self.xsift("run", survey, "-o", self.folder / "c.fits", "--search", "false", "--counterparts",
                       f"{stars};area=1;radius=5;{setting}", *options, exit_code=(0, 3))
            found = {text(row["ID"]).strip(): float(row["P_ANY"]) for row in rows(self.folder / "c.fits", "COUNTERPARTS")}
            return found.get("N", 0.0), found.get("E", 0.0)
        ellipse = ("--position-major-column", "major", "--position-minor-column", "minor", "--position-angle-column", "angle")
        self.assertLess(max(p_any("error", "0.1", "col.error=error")), 1e-3)
        north, east = p_any("error", "0.1", "col.error=error", *ellipse)
        self.assertTrue(north > 0.99 and east < 1e-3, (north, east))
        north, east = p_any("a,b,pa", "2.0,0.2,90", "col.error=a;col.error-minor=b;col.error-angle=pa")
        self.assertTrue(north < 1e-3 and east > 0.99, (north, east))
        # 200 mas/yr to the south for ten years brings the star in the north back, and takes the other away.
        north, east = p_any("error,pmra,pmdec", "0.1,0,-200", "col.error=error;epoch=2010", "--xray-epoch", "2020")
        self.assertTrue(north > 0.99 and east < 1e-3, (north, east))


if __name__ == "__main__":
    unittest.main()
