"""Campaigns on a real SLURM cluster of two nodes: the catalogue is that of one process, whatever happens on the way."""

import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from cluster import Cluster  # noqa: E402

XSIFT = os.environ["XSIFT"]
DATA = pathlib.Path(os.environ["XSIFT_TEST_DATA"])
FAULT_SHIM = os.environ["XSIFT_FAULT_SHIM"]
SLURM = pathlib.Path(os.environ["XSIFT_SLURM_SCRIPTS"])
# Quick, and the same work in every test.
CONFIGURATION = '[search]\nfmax = 1.0\n'


class Campaign(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster()

    @classmethod
    def tearDownClass(cls):
        cls.cluster.stop()

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="xsift-slurm-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.addCleanup(self.cluster.command, "scancel", "--full", "-u", str(os.getuid()), check=False)
        self.configuration = self.folder / "run.toml"
        self.configuration.write_text(CONFIGURATION)
        self.campaign = self.folder / "campaign"

    def xsift(self, *arguments, codes=(0, 3)):
        done = subprocess.run([XSIFT, *map(str, arguments)], capture_output=True, text=True, check=False)
        self.assertIn(done.returncode, codes, done.stderr)
        return done.stdout

    def simulated(self, sources):
        survey = self.folder / "survey.h5"
        self.xsift("simulate", "-o", survey, "--sources", sources, "--seed", 5)
        return survey

    def submit(self, *arguments):
        return self.cluster.command(SLURM / "submit", *arguments)

    def start(self, survey, shards, *options):
        self.submit(survey, self.configuration, "-o", self.campaign, "--shards", shards, "--xsift", XSIFT,
                    "--backend", "cpu", *options)

    def status(self):
        return self.cluster.command(SLURM / "status", self.campaign, check=False)

    def logs(self):
        return "\n".join(f"--- {p.name}\n{p.read_text()}" for p in sorted((self.campaign / "logs").glob("*")))

    def check_complete(self, survey):
        """Merged, verified, and byte for byte what one process writes."""
        self.assertTrue((self.campaign / "catalogue.verified").exists(), self.logs() + self.status())
        whole = self.folder / "whole.fits"
        self.xsift("run", survey, "-c", self.configuration, "-o", whole, "--backend", "cpu")
        self.assertEqual((self.campaign / "catalogue.fits").read_bytes(), whole.read_bytes())
        self.assertEqual(list((self.campaign / "shards").glob("*.journal")), [])

    def test_ingest_array_to_verified_catalogue(self):
        lists = self.folder / "lists"
        responses = "--response-path {0}/responses --response-substitute epn_e3_ef20_sd*.rmf=epn_e3_ef20_sdY6_v19.0.rmf".format(DATA)
        for number, source in enumerate((DATA / "events", DATA / "xmm-pps"), 1):
            (self.folder / f"list{number}").write_text(f"{source}\n")
        lists.write_text("".join(f"{self.folder}/list{n}\n" for n in (1, 2)))
        self.cluster.command("sbatch", "--wait", "--array=1-2", f"--output={self.folder}/ingest-%a.log", SLURM / "ingest.sbatch",
                             environment={"XSIFT_LISTS": str(lists), "XSIFT_OUT": str(self.folder), "XSIFT": XSIFT,
                                          "XSIFT_INGEST": responses})
        survey = self.folder / "survey.h5"
        self.xsift("simulate", "-o", self.folder / "part-00003.h5", "--sources", 120, "--seed", 5)
        self.xsift("join", *sorted(self.folder.glob("part-*.h5")), "-o", survey)
        self.start(survey, 8, "--top", 2)
        self.cluster.wait_until_idle(150)
        self.check_complete(survey)
        self.assertIn("8 done", self.status())
        pages = {page.name for page in (self.campaign / "dossiers").glob("*.html")}
        self.assertEqual((len(pages), "index.html" in pages), (3, True))  # two sources and what leads to them
        # Called again there is nothing to do.
        before = (self.campaign / "jobs").read_text()
        self.submit(self.campaign)
        self.assertEqual((self.campaign / "jobs").read_text(), before)

    def running_workers(self):
        """Process ids of `xsift run` of this campaign."""
        found = subprocess.run(["pgrep", "-f", f"{XSIFT} run .*{self.campaign}"], capture_output=True, text=True,
                               check=False).stdout
        return [int(pid) for pid in found.split()]

    def wait_for_headway(self):
        """Until some shard has journalled a batch."""
        journals = lambda: [p for p in (self.campaign / "shards").glob("*.journal") if p.stat().st_size > 2000]
        self.cluster.wait(lambda: journals() or not self.cluster.command("squeue", "-h", "-n", "xsift-run"),
                          "a shard has made headway", 120)

    def test_requeue_and_signals(self):
        survey = self.simulated(2500)
        self.start(survey, 4, "--gres", "none", "--cpus-per-task", 1)
        for _ in range(3):
            self.wait_for_headway()
            running = self.cluster.command("squeue", "-h", "-r", "-n", "xsift-run", "-t", "R", "-o", "%i").split()
            if running:
                self.cluster.command("scontrol", "requeue", running[0], check=False)
            time.sleep(1.0)
            for worker in self.running_workers()[:1]:
                os.kill(worker, signal.SIGTERM)
            time.sleep(1.0)
        self.cluster.wait_until_idle(150)
        self.check_complete(survey)

    def test_lost_node_whose_orphan_works_on(self):
        """The node is given up while its worker stands still; the second attempt takes over, and what the first
        one does afterwards changes nothing. Where file locks do not reach other nodes, as the preloaded library has it."""
        without_locks = self.folder / "xsift-without-locks"
        without_locks.write_text(  # in small batches, so that there is headway early
            f'#!/bin/sh\n[ "$1" != run ] || set -- "$@" --batch-memory 200K\n'
            f'LD_PRELOAD={FAULT_SHIM} FAULT=lock:ENOLCK:1: exec {XSIFT} "$@"\n')
        without_locks.chmod(0o755)
        survey = self.simulated(600)
        self.submit(survey, self.configuration, "-o", self.campaign, "--shards", 2, "--xsift", without_locks,
                    "--backend", "cpu", "--gres", "none", "--cpus-per-task", 1)
        self.wait_for_headway()
        workers = [(pid, node) for pid in self.running_workers() if (node := self.node_of(pid)) is not None]
        self.assertTrue(workers, self.logs())
        orphan, node = workers[0]
        log = pathlib.Path(os.readlink(f"/proc/{orphan}/fd/2"))
        os.kill(orphan, signal.SIGSTOP)
        self.addCleanup(self.end, orphan)
        self.cluster.kill_node(node)
        self.cluster.wait_until_idle(170)
        self.check_complete(survey)
        merged = (self.campaign / "catalogue.fits").read_bytes()
        written = {path: path.stat().st_mtime_ns for path in (self.campaign / "shards").glob("*.fits")}
        os.kill(orphan, signal.SIGCONT)
        self.cluster.wait(lambda: not pathlib.Path(f"/proc/{orphan}").exists(), "the orphan has ended", 60)
        self.assertIn("[SUPERSEDED]", log.read_text())
        self.assertEqual({path: path.stat().st_mtime_ns for path in written}, written)
        self.assertEqual((self.campaign / "catalogue.fits").read_bytes(), merged)
        self.cluster.start_node(node)
        self.cluster.wait(lambda: self.cluster.command("sinfo", "-h", "-N", "-o", "%T").split() == ["idle", "idle"],
                          "the node is back", 60)

    def node_of(self, pid):
        """The node that a process runs on, as SLURM told it."""
        try:
            environment = pathlib.Path(f"/proc/{pid}/environ").read_bytes().decode().split("\0")
        except OSError:
            return None
        return next((one.partition("=")[2] for one in environment if one.startswith("SLURMD_NODENAME=")), None)

    def end(self, pid):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass

    def test_killed_workers_are_named_and_submitted_again(self):
        survey = self.simulated(2500)
        self.start(survey, 4)
        self.wait_for_headway()
        killed = self.running_workers()
        for worker in killed:
            os.kill(worker, signal.SIGKILL)
        self.cluster.wait_until_idle(150)
        self.assertTrue(killed)
        self.assertFalse((self.campaign / "catalogue.fits").exists())
        self.assertIn("not queued (", self.status())
        self.submit(self.campaign)
        self.cluster.wait_until_idle(150)
        self.check_complete(survey)

    def test_another_campaign_in_the_folder_is_refused(self):
        survey = self.simulated(10)
        self.start(survey, 2)
        with self.assertRaisesRegex(AssertionError, "holds another campaign"):
            self.start(survey, 3)
        self.cluster.wait_until_idle()


if __name__ == "__main__":
    unittest.main()
