#!/usr/bin/env python3
"""Checks what is kept in the repository, beside its architecture.

    check_repository.py [REPOSITORY]

Prints one line a finding and exits 1 when there is any: a file above 5 MB, test data above 15 MB in all, a link or a
path that leads out of the repository, an error code that docs/operations.md does not explain or explains in vain.
"""
import re
import shutil
import subprocess
import sys
from pathlib import Path

from findings import report

MAX_FILE_BYTES = 5_000_000
MAX_TEST_DATA_BYTES = 15_000_000
# Folders of one machine or one person. /tmp, /usr and the like are the same everywhere.
PRIVATE_PATH = re.compile(rb"(?<![\w.~/$}-])/(home|work|root|Users)/\w")
TEXT_SUFFIXES = {".hpp", ".cpp", ".cu", ".cuh", ".txt", ".cmake", ".in", ".py", ".sh", ".md", ".json", ".toml", ".yaml",
                 ".yml", ""}
CODE = re.compile(r'"([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*)"')
# How a code comes to be: the argument after the kind of an Error, the one after the stage of a quarantine row, an
# assignment, the argument `code` of a helper function, or the end of a logged line.
AFTER = re.compile(r'(?:\bErrorKind::\w+|"(?:ingest|search|fit)")\s*,([^,;{}]*)|\bcode\s*=([^,;{}]*)')
LOGGED = re.compile(r'\[([A-Z]+(?:_[A-Z]+)*)\]"')
HELPER = re.compile(r"\b(\w+)\(((?:[^(),;]*,)*?)[^(),;]*\b(?:string|string_view|char)\s*[&*]?\s*code\b")


def tracked_files(root):
    """Paths of the files git keeps, or all files when this is an exported copy or a machine without git."""
    if (root / ".git").exists() and shutil.which("git"):
        command = ["git", "-c", "safe.directory=*", "-C", str(root), "ls-files", "-z"]
        listing = subprocess.run(command, check=True, capture_output=True).stdout.decode()
        return [path for name in listing.split("\0") if name and (path := root / name).exists()]
    generated = (".git", "build", "dist", "demo-output")
    return [path for path in root.rglob("*")
            if (path.is_file() or path.is_symlink()) and not path.relative_to(root).parts[0].startswith(generated)]


def check_sizes(root, files):
    total = 0
    for path in files:
        size = path.lstat().st_size
        if size > MAX_FILE_BYTES:
            yield f"{path.relative_to(root)}: {size} bytes, more than {MAX_FILE_BYTES}"
        if path.relative_to(root).parts[:2] == ("tests", "data"):
            total += size
    if total > MAX_TEST_DATA_BYTES:
        yield f"tests/data: {total} bytes in all, more than {MAX_TEST_DATA_BYTES}"


def check_paths(root, files):
    for path in files:
        if path.is_symlink():
            if not path.resolve().is_relative_to(root.resolve()):
                yield f"{path.relative_to(root)}: a link that leads out of the repository"
            continue
        if path.suffix not in TEXT_SUFFIXES or path.name.startswith("check_repository"):
            continue
        for number, line in enumerate(path.read_bytes().splitlines(), 1):
            if PRIVATE_PATH.search(line):
                yield f"{path.relative_to(root)}:{number}: an absolute path of one machine"


def codes_in_text(text):
    for match in AFTER.finditer(text):
        yield from CODE.findall(match.group(1) or match.group(2) or "")
    yield from LOGGED.findall(text)
    for helper, arguments_before in HELPER.findall(text):
        skipped = r"(?:[^,;()]*(?:\([^()]*\))?[^,;()]*,)" * arguments_before.count(",")
        yield from re.findall(r"\b" + helper + r"\(\s*" + skipped + r"\s*" + CODE.pattern, text)


def codes_in_sources(root):
    """code: the first file that uses it."""
    codes = {}
    for folder in ("src", "cuda", "include"):
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in {".cpp", ".hpp", ".cu", ".cuh"}:
                for code in codes_in_text(path.read_text()):
                    codes.setdefault(code, path.relative_to(root))
    return codes


def check_codes(root):
    document = root / "docs" / "operations.md"
    documented = set(re.findall(r"^\| `([A-Z0-9_]+)` \|", document.read_text() if document.exists() else "", re.M))
    used = codes_in_sources(root)
    for code in sorted(set(used) - documented):
        yield f"{used[code]}: code {code} is not explained in docs/operations.md"
    for code in sorted(documented - set(used)):
        yield f"docs/operations.md: code {code} is not used by any source"


def check(root):
    root = Path(root)
    files = tracked_files(root)
    return [*check_sizes(root, files), *check_paths(root, files), *check_codes(root)]


def main():
    return report("repository", "nothing to complain about", check(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).resolve().parents[2]))


if __name__ == "__main__":
    sys.exit(main())
