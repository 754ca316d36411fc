#!/usr/bin/env python3
"""Checks that the folder tree is the architecture.

    check_rooms.py [REPOSITORY]

Prints one line a finding and exits 1 when there is any:
- a room includes a header of a room it may not use, or one its CMakeLists.txt does not link;
- a file of a room reaches into another room's folder with a quoted include;
- a CUDA source or header outside cuda/, a CUDA include outside cuda/, a cfitsio or HDF5 include or link outside io;
- a preprocessor conditional other than the one that defines XSIFT_HD; a header without #pragma once, or with
  std::intN_t but without <cstdint>.
"""
import re
import sys
from pathlib import Path

from findings import report

# room: the rooms it may use directly. What those may use, it may use too.
RULES = {
    "core": [],
    "data": ["core"],
    "timing": ["data"],
    "spectral": ["data"],
    "engine": ["timing", "spectral"],
    "cuda": ["engine"],
    "refine": ["timing", "spectral"],
    "characterise": ["data"],
    "io": ["data"],
    "pipeline": ["engine", "cuda", "refine", "characterise", "io"],
    "report": ["data", "timing", "spectral", "characterise"],
    "app": ["pipeline", "report"],
}
CONDITIONALS_ALLOWED = {"include/xsift/core/host_device.hpp"}
SOURCE_SUFFIXES = {".hpp", ".cpp", ".h", ".hxx", ".cc", ".cxx", ".c", ".cu", ".cuh"}
CUDA_SUFFIXES = {".cu", ".cuh"}
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
CONDITIONAL = re.compile(r"^\s*#\s*(if|ifdef|ifndef|elif|elifdef|elifndef|else)\b")
FILE_FORMATS = re.compile(r"^(fitsio2?\.h|cfitsio/.*|hdf5(_hl)?\.h|H5\w*\.(h|hpp)|longnam\.h)$")
FIXED_WIDTH = re.compile(r"\bstd::u?int(8|16|32|64)_t\b")
CUDA_HEADERS = re.compile(r"^(cuda\w*\.h|cu(fft|blas|rand|sparse|solver)\w*\.h|(thrust|cub|cuda|cooperative_groups|nv)/.*"
                          r"|cooperative_groups\.h|device_launch_parameters\.h|nvtx3/.*)$")


def closure(room, edges):
    """The rooms reachable from a room, itself included."""
    seen, todo = set(), [room]
    while todo:
        current = todo.pop()
        if current not in seen:
            seen.add(current)
            todo.extend(edges.get(current, []))
    return seen


def room_of(path):
    """The room of a repository path, or None for what belongs to no room (tests, tools)."""
    parts = path.parts
    if parts[:2] == ("include", "xsift") and len(parts) > 3:
        return parts[2]
    if parts[0] == "src" and len(parts) > 2:
        return parts[1]
    return "cuda" if parts[0] == "cuda" else None


def files_under(root, folders, wanted):
    for folder in folders:
        for path in sorted((root / folder).rglob("*")):
            relative = path.relative_to(root)
            ignored = relative.parts[0].startswith((".", "build", "dist"))
            if path.is_file() and not ignored and wanted(path):
                yield path, relative


def linked_rooms(root):
    """room: the rooms its CMakeLists.txt links; and findings about links that are not allowed."""
    links, findings = {}, []
    for path, relative in files_under(root, ["src", "cuda"], lambda p: p.name == "CMakeLists.txt"):
        owner = relative.parts[1] if relative.parts[0] == "src" else "cuda"
        text = re.sub(r"#.*", "", path.read_text())
        linked = set()
        for call in re.findall(r"\bxsift_room\s*\(([^)]*)\)", text):
            words = call.split()
            if words[0] != owner:
                findings.append(f"{relative}: defines the room '{words[0]}' in the folder of '{owner}'")
            section = None
            for word in words[1:]:
                if word.isupper():
                    section = word
                elif section == "DEPENDS":
                    linked.add(word)
        for call in re.findall(r"\btarget_link_libraries\s*\(([^)]*)\)", text):
            linked.update(re.findall(r"\bxsift(?:_|::)(\w+)", call.split(None, 1)[-1]))
        linked.discard("warnings")
        for room in sorted(linked - set(RULES)):
            findings.append(f"{relative}: links an unknown room '{room}'")
        for room in sorted((linked & set(RULES)) - closure(owner, RULES)):
            findings.append(f"{relative}: '{owner}' links '{room}', which it may not use")
        if owner != "io" and re.search(r"hdf5::|cfitsio", text):
            findings.append(f"{relative}: links HDF5 or cfitsio outside the room 'io'")
        links.setdefault(owner, set()).update(linked)
    return links, findings


def check_include(relative, room, bracket, header, links):
    """Findings (texts) about one include of a file."""
    # A test may read a file by other means than the room it tests.
    if room not in ("io", None) and FILE_FORMATS.match(header):
        yield f"includes {header}: only the room 'io' may use cfitsio and HDF5"
    if relative.parts[0] != "cuda" and CUDA_HEADERS.match(header):
        yield f"includes {header}: CUDA headers belong to cuda/"
    # Bodies of blocks are run by threads of the host in the tests of the room.
    emulated = header.endswith("_body.cuh") and relative.parts[:2] == ("tests", "cuda")
    if header.endswith(".cuh") and relative.parts[0] != "cuda" and not emulated:
        yield f"includes {header}: CUDA headers belong to cuda/"
    if room is None:
        return
    if bracket == '"' and (".." in Path(header).parts or header.startswith("/")):
        yield f'includes "{header}", which leaves its folder'
    match = re.match(r"xsift/(\w+)/", header)
    if not match or match.group(1) == room:
        return
    other = match.group(1)
    if other not in RULES:
        yield f"includes <{header}> of an unknown room '{other}'"
    elif other not in closure(room, RULES):
        yield f"'{room}' includes <{header}>, but may not use '{other}'"
    elif links and other not in closure(room, links):
        yield f"includes <{header}>, but the room '{room}' does not link '{other}'"


def check(root):
    """All findings about a repository."""
    root = Path(root)
    links, findings = linked_rooms(root)
    n_files = 0
    for path, relative in files_under(root, ["."], lambda p: p.suffix in CUDA_SUFFIXES):
        if relative.parts[0] != "cuda":
            findings.append(f"{relative}: CUDA sources belong to cuda/")
    for path, relative in files_under(root, ["include", "src", "cuda", "tests"],
                                      lambda p: p.suffix in SOURCE_SUFFIXES):
        n_files += 1
        room = room_of(relative)
        if room is not None and room not in RULES:
            findings.append(f"{relative}: the room '{room}' is not in the rules of check_rooms.py")
            continue
        text = path.read_text()
        for number, line in enumerate(text.splitlines(), 1):
            if CONDITIONAL.match(line) and relative.as_posix() not in CONDITIONALS_ALLOWED:
                findings.append(f"{relative}:{number}: preprocessor conditional; decide at run time or in CMake instead")
            include = INCLUDE.match(line)
            if include:
                findings.extend(f"{relative}:{number}: {finding}"
                                for finding in check_include(relative, room, *include.groups(), links))
        if path.suffix in {".hpp", ".h", ".cuh"} and not text.startswith("#pragma once\n"):
            findings.append(f"{relative}:1: a header starts with #pragma once")
        # Some standard libraries pull <cstdint> in with others, some do not. Fragments (no includes at all) are exempt.
        if path.suffix in {".hpp", ".cuh"} and FIXED_WIDTH.search(text) and "#include" in text:
            if "#include <cstdint>" not in text:
                findings.append(f"{relative}:1: uses std::intN_t without #include <cstdint>")
    if n_files == 0:
        findings.append(f"{root}: holds no sources to check")
    return findings


def main():
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parents[2]
    return report("rooms", "every arrow points down", check(root))


if __name__ == "__main__":
    sys.exit(main())
