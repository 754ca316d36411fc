"""Surveys in parts and catalogues in shards: joined, planned, split again, and proved complete."""

import unittest

from xsift_case import DATA, NICER, RESPONSES, RX_J0146, XsiftCase, rows, text

FMAX = ("--fmax", 0.5)


class Join(XsiftCase):
    def test_parts_equal_one_ingest(self):
        for part, inputs in (("a", [RX_J0146]), ("b", [NICER]), ("c", [DATA / "xmm-pps"])):
            self.xsift("ingest", *inputs, "-o", self.folder / f"{part}.h5", *RESPONSES, exit_code=(0, 3))
        self.xsift("join", *(self.folder / f"{part}.h5" for part in "abc"), "-o", self.folder / "joined.h5")
        self.xsift("ingest", RX_J0146, NICER, DATA / "xmm-pps", "-o", self.folder / "whole.h5", *RESPONSES, exit_code=(0, 3))
        tables = {}
        for name in ("joined", "whole"):
            self.xsift("run", self.folder / f"{name}.h5", "-o", self.folder / f"{name}.fits", *FMAX, exit_code=(0, 3))
            catalogue = self.folder / f"{name}.fits"
            tables[name] = {text(row["SRCID"]).strip(): row["STATUS"] for row in rows(catalogue, "SOURCES")}, sorted(
                (text(row["SRCID"]), text(row["MODEL"]), float(row["STAT"])) for row in rows(catalogue, "SPECTRAL_FITS")), sorted(
                text(row["INPUT"]) for row in rows(catalogue, "QUARANTINE"))
        self.assertEqual(tables["joined"], tables["whole"])

    def test_source_in_two_parts_gets_the_data_of_both(self):
        table = self.folder / "files.csv"
        table.write_text(f"file,source_id\n{RX_J0146.name},one\n{NICER.name},one\n")
        for part, event_list in (("a", RX_J0146), ("b", NICER)):
            self.xsift("ingest", event_list, "-o", self.folder / f"{part}.h5", "--association", table)
        done = self.xsift("join", self.folder / "a.h5", self.folder / "b.h5", "-o", self.folder / "both.h5")
        self.assertIn("1 sources from 2 parts, 1 of them with data of several", done.stdout)
        self.assertIn("event lists 2", self.xsift("info", self.folder / "both.h5").stdout)

    def test_list_of_parts_and_its_absence(self):
        survey = self.simulated(5)
        parts = self.folder / "parts"
        parts.write_text(f"{survey}\n")
        self.xsift("join", f"@{parts}", "-o", self.folder / "joined.h5")
        self.xsift("verify", self.folder / "joined.h5")
        done = self.xsift("join", f"@{self.folder}/none", "-o", self.folder / "no.h5", exit_code=2)
        self.assertIn("BAD_LIST", done.stderr)


class Shards(XsiftCase):
    def test_a_straggler_split_again_merges_to_the_same_bytes(self):
        survey = self.simulated(60)
        self.xsift("run", survey, "-o", self.folder / "whole.fits", *FMAX)
        shards = []
        for number, arguments in enumerate((["1/3"], ["2/3", "--part", "1/2"], ["2/3", "--part", "2/2"], ["3/3"])):
            shards.append(self.folder / f"s{number}.fits")
            self.xsift("run", survey, "-o", shards[-1], *FMAX, "--shard", *arguments)
        listed = self.folder / "shards"
        listed.write_text("".join(f"{shard}\n" for shard in reversed(shards)))
        self.xsift("merge", f"@{listed}", "-o", self.folder / "merged.fits")
        self.assertEqual((self.folder / "merged.fits").read_bytes(), (self.folder / "whole.fits").read_bytes())

    def test_plan_covers_the_survey(self):
        survey = self.simulated(60)
        lines = self.xsift("plan", survey, "--shards", 4).stdout.splitlines()
        self.assertIn("60 sources", lines[0])
        self.assertEqual(sum(int(line.split()[1]) for line in lines if "/4" in line), 60)
        self.assertEqual(self.xsift("plan", survey, "--number", "--shard-minutes", 1000).stdout, "1\n")

    def test_completeness_against_the_survey(self):
        survey, other = self.simulated(20), self.simulated(21)
        whole, part = self.folder / "whole.fits", self.folder / "part.fits"
        self.xsift("run", survey, "-o", whole, *FMAX)
        self.xsift("run", survey, "-o", part, *FMAX, "--shard", "1/2")
        self.xsift("verify", whole, "--survey", survey)
        self.assertIn("of the 20 sources", self.xsift("verify", part, "--survey", survey, exit_code=4).stdout)
        self.assertIn("was made from survey", self.xsift("verify", whole, "--survey", other, exit_code=4).stdout)


if __name__ == "__main__":
    unittest.main()
