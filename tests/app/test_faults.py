"""Faults of machines and people, at random moments: nothing is lost, nothing is there twice, the bytes are those of an undisturbed run.

FAULT_ROUNDS (default 8) sets how often each fault strikes, FAULT_SEED (default 1) when; scripts/faults runs more.
"""

import os
import pathlib
import random
import resource
import shutil
import signal
import subprocess
import time
import unittest

import numpy

from xsift_case import RX_J0146, XSIFT, XsiftCase, event_file, needs_memory_of_its_own, rows, text

ROUNDS = int(os.environ.get("FAULT_ROUNDS", "8"))
SEED = int(os.environ.get("FAULT_SEED", "1"))
QUICK = ("--fmax", "0.2", "--models", "tbabs*powerlaw", "--batch-memory", "30K", "-j", "1")


def with_fault(fault):
    # AddressSanitizer would be the first library; behind the faults it is as good.
    sanitizer = os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"
    return dict(os.environ, LD_PRELOAD=os.environ["XSIFT_FAULT_SHIM"], FAULT=fault, ASAN_OPTIONS=sanitizer)


class Faults(XsiftCase):
    def setUp(self):
        super().setUp()
        self.chance = random.Random(f"{SEED} {self.id()}")
        self.catalogue = self.folder / "c.fits"
        self.journal = self.folder / "c.fits.journal"

    def undisturbed(self, sources=60):
        """A survey and the bytes of its catalogue."""
        self.survey = self.simulated(sources)
        whole = self.folder / "whole.fits"
        started = time.time()
        self.xsift("run", self.survey, "-o", whole, *QUICK)
        self.seconds = time.time() - started
        self.expected = whole.read_bytes()

    def start(self, *arguments, **options):
        return subprocess.Popen([XSIFT, "run", str(self.survey), "-o", str(self.catalogue), *QUICK, *arguments],
                                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, **options)

    def wait_for_headway(self, process):
        while process.poll() is None and not (self.journal.exists() and self.journal.stat().st_size > 2000):
            time.sleep(0.001)

    def wait_for_handler(self, process, number):
        """Until the process catches the signal: the journal of the attempt before shows headway from the first moment."""
        while process.poll() is None:
            try:
                status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
            except (FileNotFoundError, ProcessLookupError):
                return
            caught = [line.split()[1] for line in status.splitlines() if line.startswith("SigCgt:")]
            if caught and int(caught[0], 16) >> (number - 1) & 1:
                return
            time.sleep(0.001)

    def finish(self, *arguments, **options):
        """The run goes on to its end and gives the bytes of the undisturbed one."""
        self.xsift("run", self.survey, "-o", self.catalogue, *QUICK, "--resume", *arguments, **options)
        self.assertEqual(self.catalogue.read_bytes(), self.expected)
        self.assertFalse(self.journal.exists())

    def test_killed_at_random_moments(self):
        self.undisturbed()
        for _ in range(ROUNDS):
            process = self.start("--resume")
            time.sleep(self.chance.uniform(0.0, self.seconds))
            process.kill()
            process.communicate()
            self.assertIn(process.returncode, (0, -signal.SIGKILL))
            if self.catalogue.exists():  # done before the shot: whole, and the next round starts over
                self.assertEqual(self.catalogue.read_bytes(), self.expected)
                self.catalogue.unlink()
        self.finish()

    def test_terminated_at_random_moments(self):
        self.undisturbed()
        longest = 0.0
        for _ in range(ROUNDS):
            process = self.start("--resume")
            self.wait_for_headway(process)
            self.wait_for_handler(process, signal.SIGTERM)
            time.sleep(self.chance.uniform(0.0, self.seconds / 4))
            process.terminate()
            signalled = time.time()
            message = process.communicate()[1]
            longest = max(longest, time.time() - signalled)
            self.assertIn(process.returncode, (0, 75), message)
            if process.returncode == 75:
                self.assertFalse(self.catalogue.exists())
                self.assertTrue(self.journal.exists())
            else:
                self.catalogue.unlink()
        print(f"longest time from SIGTERM to the end: {longest:.2f} s")
        self.finish()

    def test_input_that_cannot_be_read_to_its_end(self):
        good = numpy.sort(numpy.random.default_rng(5).uniform(10.0, 9990.0, 300))
        files = [event_file(self.folder / f"{name}.fits", good) for name in ("a_good", "m_bad", "z_good")]
        survey = self.folder / "s.h5"
        ends = set()
        for what in ("EIO", "end"):
            for call in [*range(1, 1 + min(ROUNDS, 6)), 1000]:
                done = self.xsift("ingest", *files, "-o", survey, exit_code=(0, 3), env=with_fault(f"read:{what}:{call}:m_bad"))
                described = self.xsift("info", survey).stdout
                # Either the file is quarantined or it was read before the fault struck; its neighbours are there.
                self.assertEqual("m_bad" in done.stdout + done.stderr, done.returncode == 3, done.stderr)
                self.assertIn(f"sources {2 if done.returncode == 3 else 3}", " ".join(described.split()))
                ends.add(done.returncode)
        self.assertEqual(ends, {0, 3})

    def test_survey_that_cannot_be_read(self):
        self.undisturbed(20)
        for call in range(1, 1 + ROUNDS):
            done = self.xsift("run", self.survey, "-o", self.catalogue, *QUICK, exit_code=(0, 4),
                              env=with_fault(f"read:{self.chance.choice(('EIO', 'end'))}:{call * 5}:{self.survey.name}"))
            if done.returncode == 4:
                self.assertIn(self.survey.name, done.stderr)
                self.assertFalse(self.catalogue.exists())
            else:
                self.catalogue.unlink()
        self.finish()

    def test_disk_that_fills_up_or_fails(self):
        self.undisturbed()
        failed = 0
        for _ in range(ROUNDS):
            what, code = self.chance.choice((("ENOSPC", "DISK_FULL"), ("EDQUOT", "DISK_FULL"), ("EIO", "WRITE_FAILED")))
            operation = self.chance.choice(("write", "sync")) if what == "EIO" else "write"
            done = self.xsift("run", self.survey, "-o", self.catalogue, *QUICK, "--resume", exit_code=(0, 1),
                              env=with_fault(f"{operation}:{what}:{self.chance.randint(1, 40)}:c.fits"))
            if done.returncode == 0:
                self.catalogue.unlink()
                continue
            failed += 1
            self.assertIn(code if operation == "write" else "_F", done.stderr)
            self.assertFalse(self.catalogue.exists())
            self.assertEqual([path.name for path in self.folder.iterdir() if path.suffix == ".tmp"], [])
        self.assertGreater(failed, 0)
        self.finish()

    def test_damaged_journal(self):
        self.undisturbed()
        for _ in range(ROUNDS):
            process = self.start("--resume")
            self.wait_for_headway(process)
            process.kill()
            process.communicate()
            if process.returncode == 0:
                self.catalogue.unlink()
                continue
            content = bytearray(self.journal.read_bytes())
            at = self.chance.randrange(len(content))
            if self.chance.random() < 0.5:
                content[at] ^= 1 << self.chance.randrange(8)
            else:
                del content[at:]
            self.journal.write_bytes(content)
        self.finish()

    def check_flips(self, path, original, equal_content):
        """A flipped bit is found by verify, which says where; or it changed nothing that is read."""
        named = 0
        whole = original.read_bytes()
        for _ in range(3 * ROUNDS):
            content = bytearray(whole)
            content[self.chance.randrange(len(content))] ^= 1 << self.chance.randrange(8)
            path.write_bytes(content)
            done = self.xsift("verify", path, exit_code=(0, 4))
            if done.returncode == 0:
                self.assertTrue(equal_content(path), "a flipped bit that matters and was not found")
            else:
                self.assertIn(path.name, done.stdout + done.stderr)
                named += "/" in done.stdout.replace(str(path), "") or "HDU" in done.stdout + done.stderr
        self.assertGreater(named, 0)

    def test_flipped_bits(self):
        self.undisturbed(12)
        shard = self.folder / "shard.fits"
        self.xsift("run", self.survey, "-o", shard, *QUICK, "--shard", "1/2")

        def same_catalogue(survey):
            self.xsift("run", survey, "-o", self.catalogue, *QUICK)
            return self.catalogue.read_bytes() == self.expected
        self.check_flips(self.folder / "flipped.h5", self.survey, same_catalogue)
        for original in (self.folder / "whole.fits", shard):
            self.check_flips(self.folder / "flipped.fits", original, lambda path: False)

    def test_two_runs_on_one_output(self):
        self.undisturbed()
        first = self.start()
        self.wait_for_headway(first)
        first.send_signal(signal.SIGSTOP)
        done = self.xsift("run", self.survey, "-o", self.catalogue, *QUICK, "--resume", exit_code=2)
        self.assertIn("OUTPUT_BUSY", done.stderr)
        first.send_signal(signal.SIGCONT)
        self.assertEqual(first.communicate()[1].count("[SUPERSEDED]"), 0)
        self.assertEqual(self.catalogue.read_bytes(), self.expected)

    def test_an_orphan_cannot_replace_the_newer_result(self):
        """Where locks do not hold: the older attempt stops at random moments while a newer one does the work."""
        self.undisturbed()
        superseded = 0
        for _ in range(max(2, ROUNDS // 2)):
            orphan = self.start("--resume", env=with_fault("lock:ENOLCK:1:"))
            self.wait_for_headway(orphan)
            time.sleep(self.chance.uniform(0.0, self.seconds / 4))
            orphan.send_signal(signal.SIGSTOP)
            if orphan.poll() is None and not self.catalogue.exists():
                self.finish(env=with_fault("lock:ENOLCK:1:"))
                written = self.catalogue.stat().st_mtime_ns
                orphan.send_signal(signal.SIGCONT)
                message = orphan.communicate()[1]
                self.assertEqual(orphan.returncode, 2, message)
                self.assertIn("[SUPERSEDED]", message)
                self.assertEqual(self.catalogue.stat().st_mtime_ns, written)
                superseded += 1
            else:
                orphan.send_signal(signal.SIGCONT)
                orphan.communicate()
            self.catalogue.unlink()
        self.assertGreater(superseded, 0)

    def limited(self, megabytes):
        """A run of two threads that may use so much address space, as batch systems limit it."""
        return subprocess.run(
            [XSIFT, "run", str(self.survey), "-o", str(self.catalogue), *QUICK[:-1], "2"], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, timeout=120, check=False,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (megabytes << 20, megabytes << 20)))

    @needs_memory_of_its_own
    def test_memory_that_is_limited(self):
        """Less and less address space: the same bytes, or an error that says so; never a run that hangs."""
        self.survey = self.simulated(12, "--with-spectra")
        whole = self.folder / "whole.fits"
        self.xsift("run", self.survey, "-o", whole, *QUICK)
        outcomes = set()
        for megabytes in (1000, 400, 200, *range(140, 40, -100 // ROUNDS)):
            done = self.limited(megabytes)
            if "error while loading shared libraries" in done.stderr:
                break
            self.assertIn(done.returncode, (0, 1), f"{megabytes} MB: {done.stderr}")
            if done.returncode == 0:
                self.assertEqual(self.catalogue.read_bytes(), whole.read_bytes())
                self.catalogue.unlink()
            else:
                self.assertRegex(done.stderr, r"\[(OUT_OF_MEMORY|NO_THREADS)\]", f"{megabytes} MB")
                self.assertFalse(self.catalogue.exists())
            self.assertEqual([path.name for path in self.folder.iterdir() if path.suffix == ".tmp"], [])
            outcomes.add(done.returncode)
        self.assertEqual(outcomes, {0, 1})

    @needs_memory_of_its_own
    def test_terminated_while_memory_is_limited(self):
        self.undisturbed()
        process = self.start(preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (300 << 20, 300 << 20)))
        self.wait_for_headway(process)
        process.terminate()
        message = process.communicate(timeout=60)[1]
        self.assertEqual(process.returncode, 75, message)
        self.finish()

    def test_source_that_takes_too_long(self):
        """Quarantined with the reason; its neighbours have the rows that they have without a limit."""
        random_times = numpy.random.default_rng(5)
        few = [event_file(self.folder / f"{name}.fits", numpy.sort(random_times.uniform(10.0, 9990.0, 100))) for name in "az"]
        many = event_file(self.folder / "m_many.fits", numpy.sort(random_times.uniform(10.0, 9990.0, 400000)))
        survey, limited = self.folder / "s.h5", self.folder / "limited.fits"
        self.xsift("ingest", few[0], many, few[1], "-o", survey)
        options = ("--fmax", 0.05, "--variability", "false", "-j", "1")
        self.xsift("run", survey, "-o", self.catalogue, *options)
        done = self.xsift("run", survey, "-o", limited, *options, "--source-time-limit", 0.03, exit_code=3)
        self.assertIn("TIME_LIMIT", done.stdout)

        def rows_of(path, table):  # texts are as wide as the longest of their file
            return [[value.strip() if isinstance(value, bytes) else value for value in row]
                    for row in rows(path, table) if "m_many" not in str(row)]
        self.assertEqual([text(row["INPUT"]).strip().split("/")[-1] for row in rows(limited, "QUARANTINE")], [many.name])
        self.assertEqual(str(rows_of(limited, "PERIODS")), str(rows_of(self.catalogue, "PERIODS")))
        self.assertGreater(len(rows_of(limited, "PERIODS")), 0)
        self.assertLess(len(rows(limited, "PERIODS")), len(rows(self.catalogue, "PERIODS")))
        statuses = [text(row["STATUS"]).strip() for row in rows(limited, "SOURCES")]
        self.assertEqual(sorted(statuses), ["ok", "ok", "partial"])

    def test_clock_that_jumps(self):
        self.undisturbed(20)
        self.finish(env=with_fault("clock"))

    def test_survey_changed_between_start_and_resume(self):
        self.undisturbed()
        process = self.start()
        self.wait_for_headway(process)
        process.terminate()
        process.communicate()
        self.assertEqual(process.returncode, 75)
        kept = self.folder / "kept.h5"
        shutil.copy(self.survey, kept)
        self.xsift("simulate", "-o", self.survey, "--sources", 60, "--seed", 8)
        done = self.xsift("run", self.survey, "-o", self.catalogue, *QUICK, "--resume", exit_code=2)
        self.assertIn("RESUME_MISMATCH", done.stderr)
        shutil.copy(kept, self.survey)
        self.finish()

    def test_inputs_changed_after_ingest_change_nothing(self):
        """A run reads the survey alone; what it was made from is in PROVENANCE by checksum."""
        event_list = self.folder / RX_J0146.name
        shutil.copy(RX_J0146, event_list)
        survey = self.folder / "s.h5"
        self.xsift("ingest", event_list, "-o", survey)
        event_list.write_bytes(b"changed")
        self.xsift("run", survey, "-o", self.catalogue, "--fmax", 0.01)
        record = [text(row[1]) for row in rows(self.catalogue, "PROVENANCE") if event_list.name in text(row[0])]
        self.assertEqual(len(record), 1)
        self.assertTrue(record[0].startswith("xxh128:"))


if __name__ == "__main__":
    unittest.main()
