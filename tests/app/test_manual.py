"""Man pages and completions say what the program says about itself."""

import pathlib
import re
import subprocess
import unittest

from xsift_case import XSIFT, XsiftCase

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "scripts" / "make-manual"


class Manual(XsiftCase):
    def setUp(self):
        super().setUp()
        subprocess.run([SCRIPT, XSIFT, self.folder], check=True)
        overview = self.xsift("--help").stdout.split("Subcommands:")[1]
        self.commands = re.findall(r"^  ([\w-]+)", overview, re.M)

    def test_every_option_of_every_command_is_there(self):
        self.assertIn("run", self.commands)
        texts = {name: (self.folder / "completions" / name).read_text() for name in ("_xsift", "xsift.bash", "xsift.fish")}
        for command in self.commands:
            page = (self.folder / "man" / f"xsift-{command}.1").read_text().replace("\\-", "-")
            flags = re.findall(r"^  (?:-\w,)?--([\w-]+)", self.xsift(command, "--help").stdout, re.M)
            self.assertIn("help", flags)
            for flag in flags:
                self.assertIn(f"--{flag}", page)
                self.assertIn(f"--{flag}", texts["xsift.bash"])
                self.assertIn(f"--{flag}[", texts["_xsift"])
                self.assertRegex(texts["xsift.fish"], rf"{command}.* -l {flag}\b")
            self.assertIn("EXIT STATUS", page)

    def complete(self, *words):
        """What bash offers for the last of the words."""
        script = (f'source {self.folder}/completions/xsift.bash; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _xsift; '
                  'printf "%s\\n" "${COMPREPLY[@]}"')
        return subprocess.run(["bash", "-c", script, "bash", *words], check=True, capture_output=True, text=True).stdout.split()

    def test_bash_completes(self):
        self.assertEqual(self.complete("xsift", "mer"), ["merge"])
        self.assertEqual(self.complete("xsift", "run", "--resu"), ["--resume"])
        self.assertEqual(self.complete("xsift", "run", "--backend", "c"), ["cpu", "cuda"])
        self.assertEqual(self.complete("xsift", "-q", "run", "--resu"), ["--resume"])


if __name__ == "__main__":
    unittest.main()
