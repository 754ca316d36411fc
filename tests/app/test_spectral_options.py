"""Spectra of one source fitted at once, further flux bands, simulated goodness: from files to catalogue."""

import unittest

import numpy

from xsift_case import DATA, RESPONSES, XsiftCase, rows, text

SPECTRA = ("P0760940101PNS003SRSPEC0001.FTZ", "P0760940101PNS003SRSPEC0007.FTZ")


class SpectralOptions(XsiftCase):
    def survey(self):
        """Two real pn spectra of one observation, given to one source."""
        table = self.folder / "association.csv"
        table.write_text("file,source_id\n" + "".join(f"{name},star\n" for name in SPECTRA))
        survey = self.folder / "survey.h5"
        self.xsift("ingest", *(DATA / "xmm-pps" / name for name in SPECTRA), "-o", survey, "--association", table, *RESPONSES)
        return survey

    def fits(self, survey, name, *arguments):
        path = self.folder / name
        self.xsift("run", survey, "-o", path, "--models", "tbabs*powerlaw", *arguments, exit_code=(0, 3))
        self.xsift("verify", path)
        return path, rows(path, "SPECTRAL_FITS")

    def test_spectra_of_an_observation_are_fitted_at_once(self):
        survey = self.survey()
        path, fits = self.fits(survey, "joint.fits")
        self.assertEqual(sorted(fits["N_SPECTRA"]), [1, 1, 2])
        joint = fits[fits["N_SPECTRA"] == 2][0]
        singles = fits[fits["N_SPECTRA"] == 1]
        self.assertEqual(set(text(joint["SPECTRA"]).strip().split("+")), set(SPECTRA))
        self.assertEqual(joint["N_BINS"], singles["N_BINS"].sum())
        # one model for both is never better than a model for each
        self.assertGreaterEqual(joint["STAT"], singles["STAT"].sum() - 1e-3)
        self.assertEqual(joint["SELECTED"], ord("T"))
        self.assertEqual(rows(path, "SOURCES")["FLUX"][0], joint["FLUX"])
        parameters = rows(path, "PARAMETERS")
        factor = parameters[[text(name).strip() == "constant2" for name in parameters["COMPONENT"]]]
        self.assertEqual(len(factor), 1)
        self.assertLess(factor["VALUE_LO"][0], factor["VALUE"][0])
        self.assertGreater(factor["VALUE_HI"][0], factor["VALUE"][0])
        self.assertTrue(numpy.isfinite(factor["POST_MEAN"][0]))

        self.assertEqual(list(self.fits(survey, "none.fits", "--joint-spectra", "none")[1]["N_SPECTRA"]), [1, 1])
        _, only = self.fits(survey, "only.fits", "--single-spectra=false")
        self.assertEqual(list(only["N_SPECTRA"]), [2])
        self.assertEqual(only["STAT"][0], joint["STAT"])

    def test_flux_bands_and_simulated_goodness(self):
        survey = self.survey()
        options = ("--flux-bands", "0.5:2,2:10", "--goodness", "montecarlo:19", "--bootstrap", "29", "--joint-spectra", "none")
        path, fits = self.fits(survey, "one.fits", *options, "--threads", 1)
        other, _ = self.fits(survey, "two.fits", *options, "--threads", 2)
        self.assertEqual(path.read_bytes(), other.read_bytes())
        fluxes = rows(path, "FLUXES")
        self.assertEqual(list(zip(fluxes["BAND_LO"], fluxes["BAND_HI"])), [(0.2, 12), (0.5, 2), (2, 10)] * 2)
        self.assertTrue((fluxes["FLUX_LO"] < fluxes["FLUX"]).all() and (fluxes["FLUX"] < fluxes["FLUX_HI"]).all())
        self.assertEqual(list(fluxes["FLUX"][::3]), list(fits["FLUX"]))
        selected = fits["SELECTED"] == ord("T")
        self.assertEqual(selected.sum(), 1)
        self.assertTrue(0 < fits["GOF_PVALUE"][selected][0] <= 1)
        self.assertTrue(numpy.isnan(fits["GOF_PVALUE"][~selected]).all())
        self.assertTrue(((0 < fits["GOF_PROB"]) & (fits["GOF_PROB"] < 1)).all())
        parameters = rows(path, "PARAMETERS")
        offered = [text(name) == text(fits["SPECTRA"][selected][0]) for name in parameters["SPECTRA"]]
        refitted = numpy.isfinite(parameters["BOOT_MEDIAN"])
        self.assertEqual(list(refitted), offered)  # one model a spectrum, all of its parameters free
        some = parameters[refitted]
        self.assertTrue((some["BOOT_LO"] <= some["BOOT_MEDIAN"]).all() and (some["BOOT_MEDIAN"] <= some["BOOT_HI"]).all())
        self.assertTrue((some["BOOT_LO"] < some["BOOT_HI"]).all())
        unbiased = parameters["UNBIASED"]  # near the best fit of a bright source
        self.assertTrue((abs(unbiased - parameters["VALUE"]) < parameters["ERROR"]).all())
        self.assertTrue((unbiased != parameters["VALUE"]).any())
        self.assertTrue(numpy.isfinite(fits["LOG_EVIDENCE"]).all())
        self.assertTrue((fits["MODEL_PROB"] == 1).all())  # one model a spectrum

    def test_simulations_of_joint_fits(self):
        """A joint fit is simulated as one: its factors have bootstrap intervals as well."""
        survey = self.survey()
        options = ("--goodness", "montecarlo:39", "--bootstrap", "59", "--models", "tbabs*powerlaw,tbabs*apec")
        path, fits = self.fits(survey, "one.fits", *options, "--threads", 1)
        other, _ = self.fits(survey, "two.fits", *options, "--threads", 2)
        self.assertEqual(path.read_bytes(), other.read_bytes())
        selected = fits[fits["SELECTED"] == ord("T")]
        self.assertEqual(list(selected["N_SPECTRA"]), [2])
        self.assertTrue(0 < selected["GOF_PVALUE"][0] <= 1)
        parameters = rows(path, "PARAMETERS")
        simulated = parameters[numpy.isfinite(parameters["BOOT_MEDIAN"])]
        self.assertIn("constant2", [text(name).strip() for name in simulated["COMPONENT"]])
        for parameter in simulated:
            self.assertTrue(parameter["BOOT_LO"] < parameter["BOOT_MEDIAN"] < parameter["BOOT_HI"])
            # bright sources: draws scatter as far as the profile says
            width, profile = (parameter[f"{of}_HI"] - parameter[f"{of}_LO"] for of in ("BOOT", "VALUE"))
            self.assertTrue(0.6 < width / profile < 1.6, (parameter["PARAMETER"], width, profile))

    def test_intervals_from_posteriors(self):
        """Joint fits have them too; of bright sources they are near the profiles; the page of a source says what they are."""
        survey = self.survey()
        _, profiled = self.fits(survey, "profile.fits", "--errors", "profile")
        path, fits = self.fits(survey, "posterior.fits", "--errors", "posterior")
        credible = 1 << 14
        self.assertTrue((fits["FLAGS"] & credible != 0).all())
        self.assertTrue((profiled["FLAGS"] & credible == 0).all())
        self.assertEqual(list(fits["STAT"]), list(profiled["STAT"]))
        for column in ("GAMMA", "NORM", "FLUX", "FLUX_UNABS"):
            width = profiled[f"{column}_HI"] - profiled[f"{column}_LO"]
            for end in ("LO", "HI"):
                apart = abs(fits[f"{column}_{end}"] - profiled[f"{column}_{end}"])
                self.assertTrue((apart < 0.15 * width).all(), (column, end, apart / width))
        parameters = rows(path, "PARAMETERS")
        self.assertTrue(numpy.allclose(parameters["VALUE_HI"], parameters["POST_HI"], rtol=1e-3))
        self.assertTrue((parameters["FLAGS"] & (1 << 9) != 0).all())
        self.xsift("report", path, "--survey", survey, "--all", "-o", self.folder / "pages")
        self.assertIn("credible intervals of the same probability", (self.folder / "pages" / "star.html").read_text())
        self.xsift("run", survey, "-o", self.folder / "bad.fits", "--errors", "bootstrap", exit_code=2)

    def test_models_that_are_ruled_out_are_not_refined(self):
        """The models offered are the same; the catalogue says which intervals are those of the covariance."""
        survey = self.survey()
        models = ("--models", "tbabs*powerlaw,tbabs*bbody,tbabs*apec,tbabs*(bbody+powerlaw)", "--joint-spectra", "none")
        not_refined = 1 << 12
        found = {}
        for refine in ("auto", "all"):
            path = self.folder / f"{refine}.fits"
            self.xsift("run", survey, "-o", path, *models, "--refine", refine, exit_code=(0, 3))
            found[refine] = rows(path, "SPECTRAL_FITS")
            parameters = rows(path, "PARAMETERS")
            # PARAMETERS and SPECTRAL_FITS tell the same: free parameters of a fit not refined are not profiled
            keys = {(text(f["SPECTRA"]), text(f["MODEL"])): int(f["FLAGS"]) for f in found[refine]}
            for row in parameters:
                if not row["FLAGS"] & 3 and keys[text(row["SPECTRA"]), text(row["MODEL"])] & not_refined:
                    self.assertTrue(row["FLAGS"] & 128)
        some, every = found["auto"], found["all"]
        self.assertTrue(((every["FLAGS"] & not_refined) == 0).all())
        left = (some["FLAGS"] & not_refined) != 0
        self.assertTrue(0 < left.sum() < len(some))
        self.assertEqual(list(some["SELECTED"]), list(every["SELECTED"]))
        self.assertFalse((some["SELECTED"][left] == ord("T")).any())
        self.assertEqual(list(some["NH_HI"][~left]), list(every["NH_HI"][~left]))
        self.assertTrue(numpy.allclose(some["STAT"], every["STAT"], atol=1e-3))

    def test_options_that_are_not_usable(self):
        for arguments in (("--joint-spectra", "some"), ("--flux-bands", "2:1"), ("--goodness", "montecarlo:0"),
                          ("--nh-prior", "wide"), ("--refine", "none"), ("--select-by", "ftest"), ("--statistic", "chi2")):
            done = self.xsift("run", "--print-config", *arguments, exit_code=2)
            self.assertIn("BAD_SETTING", done.stderr)


if __name__ == "__main__":
    unittest.main()
