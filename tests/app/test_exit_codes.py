"""Exit codes and messages: what happened, why, what to do."""

import ctypes
import json
import os
import resource
import signal
import subprocess
import unittest
import xml.etree.ElementTree

import numpy

from xsift_case import DATA, RX_J0146, XsiftCase


def limit_file_size(size):
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


class ExitCodes(XsiftCase):
    def test_usage(self):
        survey = self.simulated(3)
        out = self.folder / "c.fits"
        for arguments in (["nonsense"], [], ["run", survey], ["run", survey, "-o", out, "--no-such-option"],
                          ["run", survey, "-o", out, "--fmax", "fast"], ["run", survey, "-o", out, "--shard", "4/3"],
                          ["run", survey, "-o", out, "--sources", "nobody"],
                          ["run", survey, "-o", out, "--backend", "gpu"],
                          ["run", survey, "-o", out, "--batch-memory", "0"], ["run", survey, "-o", out, "--device-memory", "2Q"],
                          ["run", survey, "-o", self.folder / "missing" / "c.fits"],
                          ["run", survey, "-o", out, "-c", self.folder / "missing.toml"],
                          ["ingest", RX_J0146, "-o", self.folder / "missing" / "s.h5"]):
            done = self.xsift(*arguments, exit_code=2)
            self.assertNotEqual(done.stderr.strip() + done.stdout.strip(), "")
            self.assertFalse(out.exists())
        (self.folder / "typo.toml").write_text("[search]\nfmaxx = 3\n")
        done = self.xsift("run", survey, "-o", out, "-c", self.folder / "typo.toml", exit_code=2)
        self.assertIn("fmaxx", done.stderr)

    def test_version_and_help(self):
        self.assertRegex(self.xsift("--version").stdout, r"^xsift \d+\.\d+\.\d+")
        for command in ("ingest", "simulate", "run", "merge", "info", "verify", "report", "bench"):
            self.assertIn("--help", self.xsift(command, "--help").stdout)

    def test_bench_writes_what_it_measured(self):
        path = self.folder / "bench.json"
        done = self.xsift("bench", "--json", path, "--scale", 0.01, "--repeats", 1)
        record = json.loads(path.read_text())
        searches = [f"search_z2_1_{n}" for n in (20, 50, 100, 300, 1000, 30000, "short")]
        one = [*searches, "search_all", "gls", "grid", "refine"]
        all_threads = one[:-1] if record["threads"] > 1 else []
        self.assertEqual([result["workload"] for result in record["results"]], [*one, *all_threads, "run", "read"])
        for ceiling in record["ceilings"]:
            self.assertGreater(ceiling["flop_per_s"], 1e8)
            self.assertGreater(ceiling["bytes_per_s"], 1e7)
        for result in record["results"]:
            self.assertGreater(result.get("pairs_per_s", result.get("bytes_per_s", result.get("sources_per_s"))), 0)
            self.assertIn(result["workload"], done.stdout)
        plot = self.folder / "rate.svg"
        subprocess.run([DATA.parent.parent / "scripts" / "plot-bench", path, "--out", plot], check=True)
        self.assertEqual(xml.etree.ElementTree.parse(plot).getroot().tag, "{http://www.w3.org/2000/svg}svg")

    def test_bench_measures_the_search_of_given_files(self):
        random = numpy.random.default_rng(3)
        phase = numpy.floor(random.uniform(0, 300, 400)) + 0.1 * random.normal(size=400)
        times = numpy.sort(phase / 0.0123)
        photons, curve, out = self.folder / "photons.f64", self.folder / "curve.f64", self.folder / "bench.json"
        times.astype("<f8").tofile(photons)
        numpy.concatenate([times, 5 + numpy.cos(2 * numpy.pi * 0.0123 * times), numpy.full(400, 0.1)]).tofile(curve)
        for file, option, statistics in ((photons, "--search", ["z2_1", "z2_2", "h_4"]), (curve, "--curves", ["gls"])):
            self.xsift("bench", option, file, "--z2", "1,2", "--h", 4, "--df", 1e-6, "--fmin", 0.001, "--fmax", 0.05,
                       "--repeats", 2, "-j", 1, "--json", out)
            record = json.loads(out.read_text())
            self.assertEqual([best["statistic"] for best in record["best"]], statistics)
            for best in record["best"]:
                self.assertLess(abs(best["frequency"] - 0.0123), 2e-6)
            self.assertEqual(record["pairs"], 400 * 49001)
            self.assertEqual(len(record["seconds"]), 2)
            self.assertGreater(min(record["seconds"]), 0)
        exact = numpy.abs(numpy.exp(2j * numpy.pi * 0.0123 * times).sum()) ** 2 * 2 / 400
        self.xsift("bench", "--search", photons, "--df", 0.0123, "--fmax", 0.0123, "--json", out)
        self.assertLess(abs(json.loads(out.read_text())["best"][0]["value"] - exact), 1e-3)
        self.xsift("bench", "--search", photons, "--curves", curve, exit_code=2)
        self.xsift("bench", "--search", self.folder / "none.f64", exit_code=2)

    def test_broken_surveys_and_catalogues(self):
        survey = self.simulated(5)
        catalogue = self.folder / "c.fits"
        self.xsift("run", survey, "-o", catalogue)
        whole = survey.read_bytes()
        broken = self.folder / "broken.h5"
        for content in (whole[:len(whole) // 2], whole[:100], b"", b"not a survey\n" * 100, catalogue.read_bytes()):
            broken.write_bytes(content)
            done = self.xsift("run", broken, "-o", self.folder / "never.fits", exit_code=4)
            self.assertIn("broken.h5", done.stderr)
        bad = self.folder / "bad.fits"
        for content in (catalogue.read_bytes()[:5000], b"", RX_J0146.read_bytes(), b"text"):
            bad.write_bytes(content)
            self.xsift("merge", bad, "-o", self.folder / "never.fits", exit_code=4)
            self.xsift("verify", bad, exit_code=4)
        self.assertFalse((self.folder / "never.fits").exists())

    def test_verify_finds_a_flipped_bit(self):
        survey = self.simulated(20)
        catalogue = self.folder / "c.fits"
        self.xsift("run", survey, "-o", catalogue)
        self.xsift("verify", survey)
        self.xsift("verify", catalogue)
        content = bytearray(catalogue.read_bytes())
        content[len(content) // 2] ^= 4
        catalogue.write_bytes(content)
        self.xsift("verify", catalogue, exit_code=4)
        self.xsift("merge", catalogue, "-o", self.folder / "m.fits", exit_code=4)

    def test_cuda_without_a_device(self):
        survey = self.simulated(2)
        environment = dict(os.environ, CUDA_VISIBLE_DEVICES="")
        done = self.xsift("run", survey, "-o", self.folder / "c.fits", "--backend", "cuda", exit_code=5,
                          env=environment)
        self.assertIn("cuda", done.stderr.lower())
        self.assertLessEqual(len(done.stderr.strip().splitlines()), 2, done.stderr)
        self.assertFalse((self.folder / "c.fits").exists())
        done = self.xsift("run", survey, "-o", self.folder / "c.fits", env=environment)
        self.assertIn("cpu", done.stderr)

    def full_folder(self, size):
        """A folder on a full tmpfs; where mounting is not allowed, a limit on file sizes fails the same writes."""
        point = self.folder / f"full{size}"
        point.mkdir()
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.mount(b"tmpfs", str(point).encode(), b"tmpfs", 0, f"size={size}".encode()) == 0:
            self.addCleanup(libc.umount, str(point).encode())
            return point, None
        return point, lambda: limit_file_size(size)

    def test_a_full_disk_leaves_no_partial_file(self):
        survey = self.simulated(200)
        for size in (4096, 65536):
            point, before = self.full_folder(size)
            done = self.xsift("ingest", RX_J0146, "-o", point / "s.h5", exit_code=1, preexec_fn=before)
            self.assertIn("DISK_FULL", done.stderr)
            self.assertEqual(list(point.iterdir()), [])
            done = self.xsift("run", survey, "-o", point / "c.fits", exit_code=1, preexec_fn=before)
            self.assertIn("DISK_FULL", done.stderr)
            self.assertEqual([path.name for path in point.iterdir() if path.suffix != ".journal"], [])

    def test_a_file_size_limit_is_reported_as_such(self):
        survey = self.simulated(30)
        for size in (1000, 30000):
            done = self.xsift("run", survey, "-o", self.folder / "c.fits", exit_code=1,
                              preexec_fn=lambda: limit_file_size(size))
            self.assertIn("DISK_FULL", done.stderr)
            self.assertFalse((self.folder / "c.fits").exists())


if __name__ == "__main__":
    unittest.main()
