"""Runs with the steps of the characterisation: columns, counterparts, distances, history."""
import unittest

from astropy.io import fits

from xsift_case import XsiftCase


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


if __name__ == "__main__":
    unittest.main()
