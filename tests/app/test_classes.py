"""Classes: train, classify, and the table CLASSES of a run."""
import csv
import os
import pathlib
import sys
import unittest

import numpy
from astropy.io import fits

from xsift_case import DATA, XSIFT, XsiftCase

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent.parent / "scripts"))
import validate_classes as validate  # noqa: E402


class Classes(XsiftCase):
    def test_a_model_judges_sources_that_it_has_not_seen(self):
        # One fold of five; the whole validation is scripts/validate-classes.
        table = validate.read(validate.CHANDRA)
        labels = validate.labels_of(table)
        fold = validate.folds_of(labels, 5)
        names, found = validate.cross_validate(XSIFT, table, fold, take=[0])
        judged = fold == 0
        for kind, least in (("searched", 0.7), ("plain", 0.6)):
            probability = found[kind][judged]
            self.assertTrue(numpy.isfinite(probability[:, 0]).mean() > 0.99)
            score = validate.scores(names, probability, labels[judged])
            self.assertGreater(score["balanced"], least)
            self.assertGreater(score["accuracy"], 0.88)
            self.assertLess(score["ece"], 0.05)
        self.assertLess(validate.as_neutron_stars(names, found["alone"][judged], labels[judged]), 0.04)

    def test_a_depth_makes_limits_and_nothing_else(self):
        source, output = self.folder / "sources.csv", self.folder / "out.csv"
        source.write_text("name,flux,gmag,w1mag,e_w1mag\na,1e-12,,,\nb,1e-12,19.0,,\nc,1e-12,,12.0,\n")

        def rows(*options):
            self.xsift("classify", source, "-o", output, *options)
            with open(output, newline="") as text:
                return [row | {"all": row["REASONS_FOR"] + row["REASONS_AGAINST"]} for row in csv.DictReader(text)]
        a, b, c = rows()
        self.assertEqual((a["CLASS"], c["CLASS"]), ("", ""))
        self.assertNotIn("ABOVE", b["all"])
        a, b, c = rows("--depth", "G=20.7", "--depth", "W1=17")
        self.assertIn("FX_G_ABOVE=1.274", a["all"])
        self.assertIn("FX_W1_ABOVE=-5.2", a["all"])
        self.assertNotIn("FX_G_ABOVE", b["all"])
        self.assertIn("FX_W1_ABOVE=-7.2", c["all"])  # the catalogue's own upper limit is brighter
        for bad in ("G", "G=", "G=x", "X=20", "G=99"):
            wrong = self.xsift("classify", source, "-o", output, "--depth", bad, exit_code=2)
            self.assertIn("BAD_SETTING", wrong.stderr)

    def test_xmm_sources_by_the_embedded_model(self):
        table = validate.read(validate.XMM)
        labels = validate.labels_of(table)
        names, probability, rows = validate.classify(XSIFT, table, self.folder)
        for name, least in (("AGN", 0.9), ("LM-STAR", 0.8)):
            given = names[numpy.nan_to_num(probability[labels == name]).argmax(axis=1)]
            self.assertGreater((given == name).mean(), least)
        for row, values in zip(rows, probability):
            if not row["CLASS"]:
                self.assertEqual(row["P_CLASS"], "")
                continue
            self.assertAlmostEqual(values.sum(), 1.0, delta=1e-4)
            self.assertAlmostEqual(float(row["P_CLASS"]), values.max(), delta=1e-5)
            self.assertEqual(names[values.argmax()], row["CLASS"])

    def test_columns_are_mapped_and_upper_limits_are_none(self):
        source = self.folder / "sources.csv"
        source.write_text("who,mag,w1mag,e_w1mag,fx\na,17.6,12.0,,1e-14\nb,17.6,12.0,0.02,1e-14\nc,,,,\n")
        output = self.folder / "out.csv"
        self.xsift("classify", source, "-o", output, "--column", "name=who", "--column", "G=mag", "--column", "flux=fx")
        with open(output, newline="") as text:
            a, b, c = list(csv.DictReader(text))
        self.assertEqual((a["NAME"], a["N_PROPERTIES"], b["N_PROPERTIES"]), ("a", "1", "3"))
        self.assertIn("FX_G=", a["REASONS_FOR"] + a["REASONS_AGAINST"])
        self.assertEqual((c["CLASS"], c["P_CLASS"], c["N_PROPERTIES"]), ("", "", "0"))
        wrong = self.xsift("classify", source, "-o", output, "--column", "G=nothing", exit_code=2)
        self.assertIn("BAD_CLASS_TABLE", wrong.stderr)
        wrong = self.xsift("classify", source, "-o", output, "--column", "colour=mag", exit_code=2)
        self.assertIn("BAD_CLASS_TABLE", wrong.stderr)
        wrong = self.xsift("train", source, "-o", output, exit_code=2)
        self.assertIn("BAD_LABELS", wrong.stderr)
        wrong = self.xsift("classify", source, "-o", output, "--class-priors", "QUASAR=1", exit_code=2)
        self.assertIn("BAD_SETTING", wrong.stderr)
        (self.folder / "bad.txt").write_bytes(os.urandom(5000))
        wrong = self.xsift("classify", source, "-o", output, "--class-model", self.folder / "bad.txt", exit_code=4)
        self.assertIn("BAD_CLASS_MODEL", wrong.stderr)

    def test_a_run_fills_the_table_and_says_why(self):
        survey, output = self.simulated(4, "--with-spectra"), self.folder / "c.fits"
        plain = self.folder / "plain.fits"
        self.xsift("run", survey, "-o", plain, "--search", "false", exit_code=(0, 3))
        with fits.open(plain) as hdus:
            sources = hdus["SOURCES"].data
            lines = ["source_id,ra,dec,error,gmag,bpmag,rpmag,w1mag,parallax,parallax_error"]
            for row in sources:
                lines.append(f"{row['SRCID'].strip()},{row['RA']},{row['DEC']},0.01,12.0,12.6,11.3,10.0,8.0,0.05")
        (self.folder / "stars.csv").write_text("\n".join(lines) + "\n")
        self.xsift("run", survey, "-o", output, "--search", "false", "--counterparts",
                   f"{self.folder}/stars.csv;name=stars;area=1.0;col.error=error", exit_code=(0, 3))
        self.xsift("verify", output)
        with fits.open(output) as hdus:
            sources, classes = hdus["SOURCES"].data, hdus["CLASSES"].data
            self.assertTrue(any("class model" in row["KEY"] for row in hdus["PROVENANCE"].data))
        for source in sources:
            mine = classes[[c["SRCID"] == source["SRCID"] for c in classes]]
            self.assertEqual(len(mine), 8)
            self.assertAlmostEqual(mine["PROBABILITY"].sum(), 1.0, delta=1e-6)
            self.assertEqual(mine["CLASS"][0], source["CLASS"])
            self.assertEqual(mine["PROBABILITY"][0], source["P_CLASS"])
            self.assertEqual(mine["RIVAL"][0], mine["CLASS"][1])
            agn = mine[[c.strip() == "AGN" for c in mine["CLASS"]]][0]
            self.assertLess(agn["PROBABILITY"], 0.05)
            self.assertIn("PARALLAX_SN", agn["REASONS_AGAINST"])
        again = self.folder / "again.fits"
        self.xsift("run", survey, "-o", again, "--search", "false", "--class-priors", "NS=1", exit_code=(0, 3))
        with fits.open(again) as hdus:
            given = {c.strip() for c in hdus["SOURCES"].data["CLASS"]}
        self.assertLessEqual(given, {"NS", ""})

    def test_a_run_takes_limits_where_the_catalogue_looked(self):
        survey, output = self.simulated(2, "--with-spectra"), self.folder / "c.fits"
        plain = self.folder / "plain.fits"
        self.xsift("run", survey, "-o", plain, "--search", "false", exit_code=(0, 3))
        with fits.open(plain) as hdus:
            ra, dec = (float(hdus["SOURCES"].data[name][0]) for name in ("RA", "DEC"))
            names = [row["SRCID"].strip() for row in hdus["SOURCES"].data]
        (self.folder / "stars.csv").write_text(f"source_id,ra,dec,error,gmag\n1,{ra},{dec + 20 / 3600},0.01,12.0\n")
        catalogue = f"{self.folder}/stars.csv;name=stars;area=1.0;radius=5"

        def reasons(setting):
            self.xsift("run", survey, "-o", output, "--search", "false", "--counterparts", setting, exit_code=(0, 3))
            with fits.open(output) as hdus:
                rows = hdus["CLASSES"].data
                return [" ".join(r["REASONS_FOR"] + r["REASONS_AGAINST"] for r in rows if r["SRCID"].strip() == name)
                        for name in names]
        self.assertNotIn("ABOVE", "".join(reasons(catalogue)))
        first, second = reasons(catalogue + ";depth.G=20.7")
        self.assertIn("FX_G_ABOVE=", first)
        self.assertNotIn("ABOVE", second)
        wrong = self.xsift("run", survey, "-o", output, "--counterparts", catalogue + ";depth.V=20", exit_code=2)
        self.assertIn("BAD_SETTING", wrong.stderr)

    def test_earlier_fluxes_say_whether_a_source_varies(self):
        survey, output = self.simulated(2, "--with-spectra"), self.folder / "c.fits"
        self.xsift("run", survey, "-o", output, "--search", "false", exit_code=(0, 3))
        with fits.open(output) as hdus:
            row = max(hdus["SOURCES"].data, key=lambda r: r["FLUX"] if r["FLUX"] > 0 else 0)
            name, flux = row["SRCID"].strip(), float(row["FLUX"])
        history = self.folder / "history.csv"

        def p_inter(factor):
            history.write_text("srcid,mission,mjd,flux,flux_lo,flux_hi\n"
                               f"{name},XMM,51000,,{0.9 * factor * flux},{1.1 * factor * flux}\n")
            self.xsift("run", survey, "-o", output, "--search", "false", "--history", history, exit_code=(0, 3))
            with fits.open(output) as hdus:
                text = " ".join(r["REASONS_FOR"] + "; " + r["REASONS_AGAINST"] for r in hdus["CLASSES"].data
                                if r["SRCID"].strip() == name)
            return [float(word.split("=")[1]) for word in text.replace(";", " ").split() if word.startswith("P_INTER=")]
        steady, changed = p_inter(1.0), p_inter(20.0)
        self.assertTrue(steady and max(steady) < 0.7, steady)
        self.assertTrue(changed and min(changed) > 0.99, changed)

    def test_nothing_known_gives_no_class(self):
        survey, output = self.simulated(3), self.folder / "c.fits"
        self.xsift("run", survey, "-o", output, "--variability", "false", "--search", "false", exit_code=(0, 3))
        with fits.open(output) as hdus:
            sources = hdus["SOURCES"].data
            self.assertEqual(len(hdus["CLASSES"].data), 0)
            for row in sources:
                self.assertEqual(row["CLASS"].strip(), "")
                self.assertNotEqual(row["P_CLASS"], row["P_CLASS"])
                self.assertEqual(row["CHAR_FLAGS"] & 4096, 4096)


if __name__ == "__main__":
    unittest.main()
