"""A stopped run can be resumed, and gives the bytes of an undisturbed one."""

import random
import signal
import subprocess
import time
import unittest

from xsift_case import XSIFT, XsiftCase


class Interruption(XsiftCase):
    def start(self, survey, catalogue, *arguments):
        return subprocess.Popen([XSIFT, "run", str(survey), "-o", str(catalogue), "--batch-memory", "60K", *arguments],
                                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)

    @staticmethod
    def wait_for_headway(process, journal, size):
        """Waits until the run has journalled something new, or has ended."""
        started = time.time()
        while process.poll() is None and time.time() - started < 60:
            if journal.exists() and journal.stat().st_size > size + 500:
                break
            time.sleep(0.002)

    def test_stop_and_kill_then_resume(self):
        survey = self.simulated(150)
        whole = self.folder / "whole.fits"
        self.xsift("run", survey, "-o", whole)
        catalogue = self.folder / "c.fits"
        journal = self.folder / "c.fits.journal"
        chance = random.Random(3)
        interrupted = killed = 0
        for attempt in range(200):
            process = self.start(survey, catalogue, *(["--resume"] if attempt else []))
            size = journal.stat().st_size if journal.exists() else 0
            self.wait_for_headway(process, journal, size)
            process.send_signal(signal.SIGTERM if chance.random() < 0.5 else signal.SIGKILL)
            message = process.communicate()[1]
            if process.returncode == 0:
                break
            self.assertIn(process.returncode, (75, -signal.SIGKILL), message)
            interrupted += process.returncode == 75
            killed += process.returncode == -signal.SIGKILL
            self.assertFalse(catalogue.exists())
        self.assertEqual(process.returncode, 0)
        self.assertGreater(interrupted + killed, 0)
        self.assertEqual(catalogue.read_bytes(), whole.read_bytes())
        self.assertFalse(journal.exists())

    def test_resume_of_another_configuration_is_refused(self):
        survey = self.simulated(150)
        catalogue = self.folder / "c.fits"
        process = self.start(survey, catalogue)
        self.wait_for_headway(process, self.folder / "c.fits.journal", 0)
        process.terminate()
        message = process.communicate()[1]
        self.assertEqual(process.returncode, 75, message)
        done = self.xsift("run", survey, "-o", catalogue, "--resume", "--oversampling", 3, exit_code=2)
        self.assertIn("RESUME_MISMATCH", done.stderr)


if __name__ == "__main__":
    unittest.main()
