#!/usr/bin/env python3
"""The checks are checked: each kind of violation, planted in a small sound tree, must be found."""
import platform
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import check_instruction_sets  # noqa: E402
import check_repository  # noqa: E402
import check_rooms  # noqa: E402

SOUND = {
    "include/xsift/core/host_device.hpp": "#pragma once\n#ifdef __CUDACC__\n#else\n#endif\n",
    "include/xsift/core/error.hpp": "#pragma once\n#include <string>\n",
    "include/xsift/data/events.hpp": "#pragma once\n#include <xsift/core/error.hpp>\n",
    "include/xsift/timing/z2.hpp": "#pragma once\n#include <xsift/data/events.hpp>\n",
    "include/xsift/engine/search.hpp": "#pragma once\n#include <xsift/timing/z2.hpp>\n",
    "src/core/CMakeLists.txt": "xsift_room(core SOURCES error.cpp LINK fmt::fmt)\n",
    "src/data/CMakeLists.txt": "xsift_room(data SOURCES data.cpp DEPENDS core)\n",
    "src/timing/CMakeLists.txt": "xsift_room(timing SOURCES z2.cpp DEPENDS data)\n",
    "src/engine/CMakeLists.txt": "xsift_room(engine SOURCES e.cpp DEPENDS timing LINK_PRIVATE TBB::tbb)\n",
    "src/io/CMakeLists.txt": "xsift_room(io SOURCES s.cpp DEPENDS data LINK_PRIVATE hdf5::hdf5)\n",
    "src/io/s.cpp": '#include <fitsio.h>\n#include <hdf5.h>\n#include "local.hpp"\n',
    "src/timing/z2.cpp": "#include <xsift/core/error.hpp>\n#include <xsift/timing/z2.hpp>\n",
    "cuda/CMakeLists.txt": "xsift_room(cuda SOURCES e.cu DEPENDS engine LINK CUDA::cudart)\n",
    "cuda/e.cu": '#include <cuda_runtime.h>\n#include <thrust/sort.h>\n#include "b.cuh"\n',
    "cuda/b.cuh": "#pragma once\n",
    "tests/io/test.cpp": "#include <xsift/io/survey.hpp>\n#include <xsift/timing/z2.hpp>\n",
    "docs/operations.md": "| `NO_SPAN` | no span | - |\n",
    "src/timing/grid.cpp": 'throw Error(ErrorKind::input,\n    "NO_SPAN", "what");\n',
}


class Planted(unittest.TestCase):
    def findings(self, check, changes):
        """What a check finds in the sound tree with some files added or replaced."""
        with tempfile.TemporaryDirectory() as folder:
            for name, text in {**SOUND, **changes}.items():
                path = Path(folder) / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
            return check(folder)

    def assert_found(self, check, name, text, words):
        findings = self.findings(check, {name: text})
        self.assertEqual(len(findings), 1, findings)
        self.assertTrue(findings[0].startswith(name), findings)
        self.assertIn(words, findings[0])


class Rooms(Planted):
    def plant(self, name, text, words):
        self.assert_found(check_rooms.check, name, text, words)

    def test_sound_tree(self):
        self.assertEqual(self.findings(check_rooms.check, {}), [])

    def test_arrow_up(self):
        self.plant("include/xsift/data/up.hpp", "#pragma once\n#include <xsift/timing/z2.hpp>\n", "may not use 'timing'")

    def test_arrow_sideways(self):
        self.plant("src/timing/side.cpp", "  #  include <xsift/spectral/models.hpp>\n", "may not use 'spectral'")

    def test_refine_may_not_use_engine(self):
        self.plant("src/refine/r.cpp", "#include <xsift/engine/search.hpp>\n", "may not use 'engine'")

    def test_not_linked(self):
        self.plant("src/engine/e.cpp", "#include <xsift/spectral/models.hpp>\n", "does not link 'spectral'")

    def test_link_up(self):
        self.plant("src/data/CMakeLists.txt", "xsift_room(data SOURCES d.cpp DEPENDS core io)\n", "links 'io'")
        self.plant("src/data/CMakeLists.txt",
                   "xsift_room(data SOURCES d.cpp DEPENDS core)\ntarget_link_libraries(xsift_data PUBLIC xsift::io)\n",
                   "links 'io'")

    def test_file_formats_outside_io(self):
        self.plant("src/timing/f.cpp", "#include <fitsio.h>\n", "cfitsio")
        self.plant("src/timing/h.cpp", '#include "hdf5.h"\n', "HDF5")
        self.plant("src/timing/CMakeLists.txt", "xsift_room(timing SOURCES z.cpp DEPENDS data LINK hdf5::hdf5)\n", "HDF5")

    def test_unknown_room(self):
        self.plant("include/xsift/attic/junk.hpp", "#pragma once\n", "not in the rules")
        self.plant("src/io/u.cpp", "#include <xsift/attic/junk.hpp>\n", "unknown room")

    def test_cuda_outside(self):
        self.plant("src/engine/kernel.cu", "int x;\n", "belong to cuda/")
        self.plant("tools/kernel.cuh", "#pragma once\n", "belong to cuda/")
        self.plant("include/xsift/timing/t.hpp", "#pragma once\n#include <thrust/complex.h>\n", "belong to cuda/")
        self.plant("tests/io/t.cpp", "#include <cuda_runtime.h>\n", "belong to cuda/")

    def test_reaching_over(self):
        self.plant("src/timing/o.cpp", '#include "../io/local.hpp"\n', "leaves its folder")

    def test_conditionals(self):
        for line in ("#if 0", "#ifdef NDEBUG", " # ifndef X", "#else"):
            self.plant("src/timing/c.cpp", line + "\n", "conditional")

    def test_include_guard(self):
        findings = self.findings(check_rooms.check, {"src/io/g.hpp": "#ifndef G\n#define G\n"})
        self.assertEqual(len(findings), 2, findings)

    def test_fixed_width_integers(self):
        self.plant("src/io/w.hpp", "#pragma once\n#include <string>\nstd::int64_t n;\n", "<cstdint>")

    def test_empty_tree_is_no_success(self):
        with tempfile.TemporaryDirectory() as folder:
            self.assertTrue(check_rooms.check(folder))


class Repository(Planted):
    def plant(self, name, text, words):
        self.assert_found(check_repository.check, name, text, words)

    def test_sound_tree(self):
        self.assertEqual(self.findings(check_repository.check, {}), [])

    def test_large_file(self):
        self.plant("tests/large.bin", "x" * 5_000_001, "5000001 bytes")

    def test_large_test_data(self):
        findings = self.findings(check_repository.check, {f"tests/data/{i}": "x" * 4_000_000 for i in range(4)})
        self.assertEqual(len(findings), 1, findings)
        self.assertIn("16000000 bytes in all", findings[0])

    def test_private_path(self):
        for path in ("/" + "work/shared/data", "/" + "home/me/x"):
            self.plant("src/io/p.cpp", f'open("{path}");\n', "absolute path")
        self.assertEqual(self.findings(check_repository.check, {"README.md": "tests/data/x, build/work/x\n"}), [])

    def test_undocumented_code(self):
        self.plant("src/io/c.cpp", 'throw Error(ErrorKind::usage, "NEW_CODE", "x");\n', "NEW_CODE")

    def test_codes_are_found_wherever_they_arise(self):
        text = """
            throw Error(errno == 1 ? ErrorKind::usage : ErrorKind::internal, full ? "A_A" : "B_B", what, "NOT_A_CODE");
            rows.push_back({id, file, "ingest", "C_C", message}); row.code = "D_D";
            [[noreturn]] void refuse(const std::string& path, std::string_view code, const char* why);
            refuse(name(path, 1), "E_E", "NOT_A_CODE"); column("RA_OBJ");
            log("gone. [F_F]"); void refuse(const std::string& why, const std::string& code = "G_G");
        """
        self.assertEqual(sorted(set(check_repository.codes_in_text(text))), ["A_A", "B_B", "C_C", "D_D", "E_E", "F_F", "G_G"])

    def test_code_documented_in_vain(self):
        self.plant("docs/operations.md", "| `NO_SPAN` | a | b |\n| `GONE` | a | b |\n", "GONE")


class InstructionSets(unittest.TestCase):
    def test_shared_symbols(self):
        listing = """
                         U sqrt
                         w __cxa_finalize
0000000000000000 t xsift::refine::(anonymous namespace)::terms(double const*)
0000000000000010 W std::vector<double, std::allocator<double> >::~vector()
0000000000000000 u xsift::table
0000000000000000 D xsift::refine::statistic_lanes_avx2
"""
        self.assertEqual(list(check_instruction_sets.shared_symbols(listing)),
                         ["std::vector<double, std::allocator<double> >::~vector()", "xsift::table"])

    def test_nothing_to_check_is_a_finding(self):
        with tempfile.TemporaryDirectory() as empty:
            expected = 1 if platform.machine().lower() in ("x86_64", "amd64") else 0
            self.assertEqual(len(check_instruction_sets.check(empty)), expected)


if __name__ == "__main__":
    unittest.main()
