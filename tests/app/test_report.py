"""Dossiers: what they say is what the catalogue says; selections, formats, names of files."""
import json
import pathlib
import re
import unittest
import xml.etree.ElementTree as ElementTree

from xsift_case import DATA, RESPONSES, RX_J0146, XsiftCase, event_file, rows, text


class Report(XsiftCase):
    def catalogue_of(self, *inputs, settings=()):
        survey, catalogue = self.folder / "survey.h5", self.folder / "catalogue.fits"
        self.xsift("ingest", *inputs, "-o", survey, *RESPONSES, exit_code=(0, 3))
        self.xsift("run", survey, "-o", catalogue, *settings, exit_code=(0, 3))
        return survey, catalogue

    def report(self, catalogue, survey, *arguments, **options):
        return self.xsift("report", catalogue, "--survey", survey, *arguments, **options)

    @staticmethod
    def part(parts, key):
        return next(one for one in parts if one["key"] == key)

    def test_the_page_of_the_pulsar_and_its_plots_agree_with_the_catalogue(self):
        survey, catalogue = self.catalogue_of(RX_J0146)
        out, plots = self.folder / "json", self.folder / "plots"
        self.report(catalogue, survey, "-o", out, "--format", "json", "--plots", plots)
        page = json.loads((out / "xmm_pn_rxj0146.json").read_text())
        source, periods = rows(catalogue, "SOURCES")[0], rows(catalogue, "PERIODS")
        facts = {fact["key"]: fact["value"] for fact in page["facts"]}
        self.assertEqual(facts["period"], {"value": float(source["PERIOD"]), "error": float(source["PERIOD_ERR"])})
        self.assertEqual(facts["log10_fap"], float(source["LOG10_FAP"]))
        self.assertEqual(len(page["verdict"]), 2)
        self.assertIn("1396.5", " ".join(page["verdict"]))
        timing = self.part(page["sections"], "timing")
        table = self.part(timing["tables"], "periods")["rows"]
        self.assertEqual([row["statistic"] for row in table], [float(row["STATISTIC"]) for row in periods])
        # The periodogram keeps its maximum: the screened statistic at the nearest trial.
        best = next(row for row in table if row["chosen"])
        curve = self.part(timing["figures"], "periodogram-1")["panels"][0]["series"][0]
        peak = max(zip(curve["y"], curve["x"]))
        self.assertGreater(peak[0], 0.9 * best["statistic"])
        self.assertLessEqual(peak[0], 1.001 * best["statistic"])
        self.assertAlmostEqual(peak[1] * 40000, best["frequency"]["value"] * 40000, delta=0.3)
        # The light curve holds all photons of the good time, the profile their mean.
        points = self.part(timing["figures"], "light-curve-1")["panels"][0]["series"][-1]
        rate = rows(catalogue, "VARIABILITY")[0]["RATE"]
        self.assertAlmostEqual(sum(points["y"]) / len(points["y"]) / rate, 1.0, delta=0.02)
        profile = self.part(timing["figures"], "profile")["panels"][0]["series"][0]["y"]
        self.assertEqual(profile[:32], [float(v) for v in rows(catalogue, "PROFILES")[0]["RATE"]])
        drawn = sorted(path.name for path in (plots / "xmm_pn_rxj0146").iterdir())
        self.assertEqual(drawn, ["classes.svg", "light-curve-1.svg", "periodogram-1.svg", "profile.svg"])
        for path in (plots / "xmm_pn_rxj0146").iterdir():
            ElementTree.parse(path)  # well formed

    def test_the_page_of_a_spectrum_shows_all_models_and_the_reason_of_the_choice(self):
        names = [f"P0760940101PNS003{kind}0007.FTZ" for kind in ("SRSPEC", "BGSPEC", "SRCARF")]
        survey, catalogue = self.catalogue_of(*[DATA / "xmm-pps" / name for name in names])
        out = self.folder / "out"
        self.report(catalogue, survey, "--all", "-o", out, "--format", "json")
        self.report(catalogue, survey, "--all", "-o", out)
        page = json.loads((out / "0760940101_0007.json").read_text())
        fits_of = rows(catalogue, "SPECTRAL_FITS")
        spectrum = self.part(page["sections"], "spectrum")
        table = self.part(spectrum["tables"], "fits")["rows"]
        self.assertEqual([row["model"] for row in table], [text(row["MODEL"]).strip() for row in fits_of])
        self.assertEqual([row["stat"] for row in table], [float(row["STAT"]) for row in fits_of])
        self.assertEqual([row["chosen"] for row in table], [row["SELECTED"] == ord("T") for row in fits_of])
        self.assertTrue(all(row["choice"] for row in table))
        # The drawn data are all counts; the residuals of the preferred model scatter as they should.
        panels = self.part(spectrum["figures"], "spectrum-1")["panels"]
        residuals = panels[1]["series"][0]["y"]
        self.assertLess(sum(r * r for r in residuals) / len(residuals), 3.0)
        self.assertGreater(sum(r * r for r in residuals) / len(residuals), 0.3)
        models = [series["label"] for series in panels[0]["series"][1:]]
        self.assertEqual(models[0], next(row["model"] for row in table if row["chosen"]))
        self.assertEqual(len(models), 3)
        contours = self.part(spectrum["figures"], "contours")["panels"][0]
        self.assertIn("90 %", [series["label"] for series in contours["series"]])
        html = (out / "0760940101_0007.html").read_text()
        self.assertLess(len(html), 1000000)
        self.assertNotIn("<script", html)
        self.assertFalse(re.search(r"(src|href)=\"(?!#)", html))

    def test_a_model_of_one_norm_has_contours_of_its_posterior(self):
        survey, catalogue = self.catalogue_of(*[DATA / "xmm-pps" / f"P0760940101PNS003{kind}0007.FTZ" for kind in ("SRSPEC", "BGSPEC", "SRCARF")],
                                              settings=("--models", "tbabs*powerlaw"))
        out = self.folder / "out"
        self.report(catalogue, survey, "--all", "-o", out, "--format", "json")
        spectrum = self.part(json.loads((out / "0760940101_0007.json").read_text())["sections"], "spectrum")
        posterior = self.part(spectrum["figures"], "posterior")["panels"][0]
        inner, outer = ([s for s in posterior["series"] if s["label"] == label][0] for label in ("68 %", "90 %"))
        for axis in ("x", "y"):  # one region lies in the other
            self.assertGreater(min(v for v in inner[axis] if v is not None), 0.99 * min(v for v in outer[axis] if v is not None))
            self.assertLess(max(v for v in inner[axis] if v is not None), max(v for v in outer[axis] if v is not None))

    def test_hostile_names_neither_leave_the_folder_nor_become_markup(self):
        target = "<script>alert(1)</script>"
        files = [event_file(self.folder / name, [10.0 * k for k in range(30)],
                            header={"OBJECT": target, "INSTRUME": "<b>"})
                 for name in ("..__a<b>.fits", "..__a(b).fits", "INDEX.fits")]
        survey, catalogue = self.catalogue_of(*files)
        out = self.folder / "out" / "pages"
        done = self.report(catalogue, survey, "--all", "-o", out)
        written = sorted(path.name for path in out.iterdir())
        self.assertEqual(len({name.lower() for name in written}), 4)
        self.assertEqual([path.name for path in (self.folder / "out").iterdir()], ["pages"])
        self.assertEqual(len(done.stdout.splitlines()), 4)
        for name in written:
            html = (out / name).read_text()
            self.assertNotIn(target, html)
            self.assertNotIn("<b>", html)
        index = (out / "index.html").read_text()
        for link in re.findall(r"href=\"([^\"]*)\"", index):
            self.assertTrue((out / link).is_file(), link)
        self.assertEqual(index.count("<tr>"), 4)

    def test_selections(self):
        survey = self.simulated(40)
        catalogue = self.folder / "catalogue.fits"
        self.xsift("run", survey, "-o", catalogue)
        sources = rows(catalogue, "SOURCES")
        ids = [text(row["SRCID"]).strip() for row in sources]
        with_period = {name for name, row in zip(ids, sources) if row["PERIOD"] == row["PERIOD"]}
        self.assertTrue(0 < len(with_period) < 40)

        def pages(*arguments):
            out = self.folder / f"out{len(list(self.folder.iterdir()))}"
            done = self.report(catalogue, survey, "-o", out, "--format", "json", *arguments)
            return [json.loads(pathlib.Path(line).read_text())["id"] for line in done.stdout.splitlines()]

        self.assertEqual(set(pages("--with-period")), with_period)
        self.assertEqual(pages("--all"), ids)
        self.assertEqual(len(pages("--top", "2")), 2)
        self.assertEqual(pages("--source", ids[5], "--source", f"{ids[2]},{ids[7]}"), [ids[5], ids[2], ids[7]])
        (self.folder / "list").write_text(f"{ids[3]}\n{ids[1]}\n")
        self.assertEqual(pages("--source", f"@{self.folder}/list"), [ids[3], ids[1]])
        refused = self.report(catalogue, survey, "-o", self.folder / "x", "--source", "nobody", exit_code=2)
        self.assertIn("nobody", refused.stderr)
        self.assertIn("NO_OUTPUT", self.report(catalogue, survey, "--all", exit_code=2).stderr)
        self.report(catalogue, survey, "-o", self.folder / "x", "--source", ids[0], "--top", "2", exit_code=2)
        # The pages do not depend on the number of threads.
        for threads in ("1", "2"):
            self.report(catalogue, survey, "-o", self.folder / f"threads{threads}", "--all", "-j", threads)
        for path in (self.folder / "threads1").iterdir():
            self.assertEqual(path.read_bytes(), (self.folder / "threads2" / path.name).read_bytes())

    def test_counterparts_and_history_come_with_the_table_that_the_run_used(self):
        survey = self.simulated(3, "--with-spectra")
        sources = {}
        catalogue = self.folder / "catalogue.fits"
        self.xsift("run", survey, "-o", catalogue, "--search", "false", exit_code=(0, 3))
        for row in rows(catalogue, "SOURCES"):
            sources[text(row["SRCID"]).strip()] = (float(row["RA"]), float(row["DEC"]))
        name, (ra, dec) = next(iter(sources.items()))
        (self.folder / "stars.csv").write_text(
            f"source_id,ra,dec,error,gmag\nA,{ra},{dec + 0.5 / 3600},0.1,17\nB,{ra},{dec - 3 / 3600},0.1,19\n")
        history = self.folder / "history.csv"
        history.write_text(f"srcid,mission,mjd,flux,flux_lo,flux_hi\n{name},XMM,51000,2e-13,1e-13,3e-13\n")
        self.xsift("run", survey, "-o", catalogue, "--search", "false", "--counterparts",
                   f"{self.folder}/stars.csv;name=stars;area=1;col.error=error", "--history", history, exit_code=(0, 3))
        page = lambda: json.loads((self.folder / "out" / f"{name}.json").read_text())
        arguments = ("-o", self.folder / "out", "--format", "json", "--source", name)
        self.report(catalogue, survey, *arguments)
        chart = self.part(self.part(page()["sections"], "sky")["figures"], "finding-chart")["panels"][0]["series"][-1]
        self.assertAlmostEqual(chart["y"][0], 0.5, places=5)
        self.assertAlmostEqual(chart["y"][1], -3.0, places=5)
        nature = self.part(page()["sections"], "nature")
        self.assertEqual(self.part(nature["figures"], "history")["panels"][0]["series"][0]["y"], [2e-13])
        moved = self.folder / "moved.csv"
        history.rename(moved)
        self.report(catalogue, survey, *arguments)
        self.assertIn("--history names it anew", json.dumps(self.part(page()["sections"], "nature")["missing"]))
        self.report(catalogue, survey, *arguments, "--history", moved)
        self.assertNotIn("No flux history", json.dumps(page()))
        moved.write_text(moved.read_text().replace("2e-13", "9e-13"))
        self.assertIn("WRONG_HISTORY", self.report(catalogue, survey, *arguments, "--history", moved, exit_code=2).stderr)


if __name__ == "__main__":
    unittest.main()
