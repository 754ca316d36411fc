"""The catalogue's bytes depend on the survey and the configuration alone."""

import json
import subprocess
import unittest

from astropy.io import fits

from xsift_case import DATA, RX_J0146, XsiftCase, needs_memory_of_its_own, rows, text


class CatalogueBytes(XsiftCase):
    def run_catalogue(self, survey, name, *arguments, exit_code=(0, 3)):
        path = self.folder / name
        self.xsift("run", survey, "-o", path, *arguments, exit_code=exit_code)
        return path

    def test_shards_threads_and_batches_do_not_matter(self):
        survey = self.simulated(40, "--with-spectra")
        whole = self.run_catalogue(survey, "whole.fits").read_bytes()
        self.assertEqual(self.run_catalogue(survey, "again.fits").read_bytes(), whole)
        self.assertEqual(self.run_catalogue(survey, "one.fits", "--threads", 1).read_bytes(), whole)
        self.assertEqual(self.run_catalogue(survey, "small.fits", "--batch-memory", "100K").read_bytes(), whole)
        shards = [self.run_catalogue(survey, f"s{k}.fits", "--shard", f"{k}/3", "--threads", k) for k in (1, 2, 3)]
        merged = self.folder / "merged.fits"
        self.xsift("merge", shards[2], shards[0], shards[1], "-o", merged)
        self.assertEqual(merged.read_bytes(), whole)
        self.xsift("verify", merged)
        record = json.loads((self.folder / "whole.run.json").read_text())
        self.assertEqual(record["sources"], 40)
        self.assertGreater(record["peak_memory"], 0)

    def test_how_photons_are_searched_does_not_matter(self):
        survey = self.simulated(40)
        costs = self.folder / "costs.json"
        self.xsift("bench", "--calibrate", costs, "--scale", 0.05, "--repeats", 1)
        record = json.loads(costs.read_text())
        catalogues = [self.run_catalogue(survey, "measured.fits", "--search-costs", costs, "--backend", "cpu").read_bytes()]
        for name in ("matrix_trial_ns", "nufft_trial_ns"):  # either way for all sources
            changed = json.loads(json.dumps(record))
            changed["search_costs"][name] = 1e12
            costs.write_text(json.dumps(changed))
            catalogues.append(self.run_catalogue(survey, f"{name}.fits", "--search-costs", costs, "--backend", "cpu").read_bytes())
        self.assertEqual(catalogues[1], catalogues[0])
        self.assertEqual(catalogues[2], catalogues[0])
        costs.write_text("{}")
        done = self.xsift("run", survey, "-o", self.folder / "c.fits", "--search-costs", costs, exit_code=2)
        self.assertIn("BAD_SETTING", done.stderr)

    def test_a_run_says_what_bounds_it(self):
        survey = self.simulated(30, "--with-spectra")
        trace = self.folder / "trace.json"
        whole = self.run_catalogue(survey, "whole.fits").read_bytes()
        path = self.folder / "traced.fits"
        done = self.xsift("run", survey, "-o", path, "--threads", 2, "--batch-memory", "300K", "--trace", trace)
        self.assertEqual(path.read_bytes(), whole)
        record = json.loads((self.folder / "traced.run.json").read_text())
        stages = set(record["seconds"]) - {"total"}
        self.assertLessEqual({"read", "search", "polish", "variability", "grid", "fit", "journal", "catalogue", "wait"},
                             stages)
        for stage in stages:
            self.assertIn(stage, done.stderr)
        spent = record["processor_seconds"]
        self.assertLessEqual(sum(spent[stage] for stage in stages), 1.02 * spent["total"] + 0.05)
        self.assertAlmostEqual(record["core_utilisation"], spent["total"] / record["seconds"]["total"] / 2)
        events = json.loads(trace.read_text())["traceEvents"]
        batches = {event["args"]["batch"] for event in events if event.get("name") == "fit"}
        self.assertGreater(len(batches), 1)
        self.assertEqual(batches, set(range(len(batches))))
        for event in events:
            self.assertIn(event["ph"], "XM")
            if event["ph"] == "X":
                self.assertGreaterEqual(event["dur"], 0)

    @needs_memory_of_its_own
    def test_memory_does_not_grow_with_the_survey(self):
        """Reading, journal and catalogue hold a batch; per source only its predicted cost is kept (8 bytes)."""
        peaks = {}
        for sources in (2000, 40000):
            survey = self.simulated(sources, "--counts", 10)
            self.run_catalogue(survey, f"{sources}.fits", "--search", "false", "--variability", "false")
            peaks[sources] = json.loads((self.folder / f"{sources}.run.json").read_text())["peak_memory"]
        # Buffers fill up once, by a few MB; 0.25 kB a source would already fail.
        self.assertLess(peaks[40000], peaks[2000] + 9e6, peaks)

    @needs_memory_of_its_own
    def test_memory_of_results_and_photons_is_that_of_the_batches(self):
        """With everything computed, too: a longer survey of the same sources takes no more."""
        peaks = {}
        for sources in (600, 3000):
            self.run_catalogue(self.simulated(sources), f"{sources}.fits", "--fmax", 0.002, "--max-candidates", 1,
                               "--batch-memory", "1M")
            peaks[sources] = json.loads((self.folder / f"{sources}.run.json").read_text())["peak_memory"]
        self.assertLess(peaks[3000], 1.2 * peaks[600], peaks)

    def test_merge_refuses_what_does_not_fit(self):
        survey = self.simulated(12)
        one, two, three = (self.run_catalogue(survey, f"s{k}.fits", "--shard", f"{k}/3") for k in (1, 2, 3))
        other = self.run_catalogue(survey, "other.fits", "--shard", "2/3", "--oversampling", 2)
        selection = self.run_catalogue(survey, "selection.fits", "--sources", text(rows(two, "SOURCES")[0]["SRCID"]).strip())
        merged = self.folder / "merged.fits"
        for shards, code in (([one, three], "MERGE_GAP"), ([one, two], "MERGE_GAP"), ([two, three], "MERGE_GAP"),
                             ([one, two, two, three], "MERGE_OVERLAP"), ([one, other, three], "MERGE_CONFIGURATION"),
                             ([one, selection, three], "MERGE_")):
            done = self.xsift("merge", *shards, "-o", merged, exit_code=2)
            self.assertIn(code, done.stderr)
            self.assertFalse(merged.exists())

    def test_other_readers_find_no_fault(self):
        survey = self.folder / "survey.h5"
        self.xsift("ingest", RX_J0146, "-o", survey)
        catalogue = self.run_catalogue(survey, "catalogue.fits")
        done = subprocess.run(["fitsverify", "-q", str(catalogue)], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        with fits.open(catalogue, checksum=True) as hdus:
            names = [hdu.name for hdu in hdus]
            self.assertEqual(names[1:], ["SOURCES", "PERIODS", "PF_LIMITS", "PROFILES", "SPECTRAL_FITS", "PARAMETERS",
                                         "FLUXES", "VARIABILITY", "FLARES", "COUNTERPARTS",
                                         "CLASSES", "QUARANTINE", "PROVENANCE", "CONFIG"])
            self.assertEqual(hdus["SOURCES"].columns["PERIOD"].unit, "s")
            configuration = "\n".join(text(row[0]) for row in hdus["CONFIG"].data)
        self.assertIn("oversampling = ", configuration)

    def test_the_printed_configuration_reproduces_the_run(self):
        survey = self.simulated(6)
        settings = ["--oversampling", 2, "--harmonics", "1,2", "--max-candidates", 3]
        printed = self.xsift("run", "--print-config", *settings).stdout
        (self.folder / "run.toml").write_text(printed)
        by_flags = self.run_catalogue(survey, "flags.fits", *settings).read_bytes()
        by_file = self.run_catalogue(survey, "file.fits", "-c", self.folder / "run.toml").read_bytes()
        self.assertEqual(by_file, by_flags)
        self.assertEqual(self.xsift("run", "--print-config", "-c", self.folder / "run.toml").stdout, printed)

    def test_the_shipped_configurations_are_understood(self):
        configurations = sorted((DATA.parent.parent / "configs").glob("*.toml"))
        self.assertGreaterEqual(len(configurations), 3)
        for configuration in configurations:
            printed = self.xsift("run", "--print-config", "-c", configuration).stdout
            given = [line for line in configuration.read_text().splitlines() if line and not line.startswith("#")]
            for line in given:
                if "=" in line:
                    key, value = (part.strip() for part in line.split("=", 1))
                    self.assertIn(f"{key} = {value}\n", printed, configuration)
            if configuration.name == "default.toml":
                self.assertEqual(printed, self.xsift("run", "--print-config").stdout)


if __name__ == "__main__":
    unittest.main()
