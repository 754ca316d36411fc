"""`xsift info` explains every file that xsift wrote."""

import json
import unittest

from xsift_case import DATA, XsiftCase

# What the program holds of it is what `xsift train` wrote.
EMBEDDED_MODEL = DATA.parent.parent / "src" / "characterise" / "resources" / "class_model.txt"
QUICK = ("--fmax", "0.05", "--models", "tbabs*powerlaw", "-j", "1")


class Info(XsiftCase):
    def info(self, path, **options):
        return self.xsift("info", path, **options).stdout

    def test_what_a_run_writes(self):
        survey, catalogue, trace = self.simulated(6), self.folder / "c.fits", self.folder / "trace.json"
        self.xsift("run", survey, "-o", catalogue, *QUICK, "--trace", trace)
        self.assertIn("sources", self.info(survey))
        self.assertIn("catalogue of 6 of 6 sources", self.info(catalogue))
        told, record = self.info(self.folder / "c.run.json"), json.loads((self.folder / "c.run.json").read_text())
        for text in (f"record of the run that wrote {catalogue}", f"survey {survey}", "sources 6 (resumed 0)",
                     f"candidates {record['candidates']}", f"on {record['host']}", "times the prediction"):
            self.assertIn(text, told)
        stages = {line.split()[0] for line in told.splitlines() if line}
        self.assertLessEqual(set(record["seconds"]), stages)
        told = self.info(trace)
        self.assertIn("timeline of a run", told)
        self.assertIn("polish", told)

    def test_dossier(self):
        survey, catalogue = self.simulated(3), self.folder / "c.fits"
        self.xsift("run", survey, "-o", catalogue, *QUICK)
        self.xsift("report", catalogue, "--survey", survey, "--all", "--format", "json", "-o", self.folder / "pages")
        page = next(path for path in sorted((self.folder / "pages").glob("*.json"))
                    if json.loads(path.read_text()).get("format") == "xsift-dossier")
        self.assertIn("dossier of source " + json.loads(page.read_text())["id"], self.info(page))

    def test_class_model(self):
        model = self.folder / "model.txt"
        model.write_bytes(EMBEDDED_MODEL.read_bytes())
        told = self.info(model)
        self.assertIn("class model", told)
        self.assertIn("LABELLED SOURCES", told)
        lines = model.read_text().splitlines()
        model.write_text("\n".join(lines[: len(lines) // 2]))
        self.assertIn("BAD_CLASS_MODEL", self.xsift("info", model, exit_code=4).stderr)

    def test_files_of_others(self):
        for name, content in (("empty", ""), ("text", "hello\n"), ("json", '{"a": 1}'), ("torn", '{"catalogue": ')):
            path = self.folder / name
            path.write_text(content)
            self.assertIn("CORRUPT_CATALOGUE", self.xsift("info", path, exit_code=4).stderr)


if __name__ == "__main__":
    unittest.main()
