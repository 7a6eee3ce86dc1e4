#!/usr/bin/env python3
"""What a change can break: prints the steps of scripts/test.sh that look at it, one a line, with the tests that are enough.

    scripts/changed.py [REVISION]      against REVISION (default: where this branch left main), uncommitted changes included

A line is `STEP` or `STEP PATH …`. A file that no row names, and a change of the build or of the tests' own tools, means everything: `all`.
"""
import re
import subprocess
import sys
from pathlib import Path

UNIT = ["build", "unit"]
DAEMON = "daemon tests/daemon tests/python"
CDP = ["end-to-end tests/e2e/test_cdp_*.py", "faults tests/faults/test_cdp_*.py", "conformance"]
TASKS = ["extension", "end-to-end tests/e2e/test_command_line*.py tests/e2e/test_any_order.py", "faults"]
# The first row that fits decides. What stands in a group of the pattern is put in for {}.
ROWS: list[tuple[str, list[str]]] = [
    # clang-tidy is content with these two rooms alone so far (as in scripts/test.sh).
    (r"src/(wire)/", ["layers", "format", *UNIT, "tidy {}", DAEMON, *TASKS, *CDP, "fuzz"]),
    (r"src/(task)/", ["layers", "format", *UNIT, "tidy {}", DAEMON, *TASKS, "sanitizers-threads"]),
    (r"src/(base|async|net)/", ["layers", "format", *UNIT, DAEMON, *TASKS, *CDP, "fuzz"]),
    (r"src/store/", ["layers", "format", *UNIT, DAEMON, *TASKS, "sanitizers-threads"]),
    (r"src/cdp/", ["layers", "format", *UNIT, *CDP, "fuzz"]),
    (r"src/(service|browser|api|app)/", ["layers", "format", *UNIT, DAEMON, *TASKS, *CDP]),
    (r"(src/(cli|client)|include)/", ["layers", "format", *UNIT, "end-to-end"]),
    (r"extension/task/", ["build", "extension-checks", *TASKS]),
    (r"extension/", ["build", "extension-checks", *TASKS, *CDP]),
    (r"python/", ["build", "python-types", "daemon tests/python"]),
    (r"tests/(unit|sim|store|contracts)/", ["format", *UNIT]),
    (r"(tests/daemon/test_\w+\.py)", ["build", "daemon {}"]),
    (r"(tests/python/test_\w+\.py)", ["build", "daemon {}"]),
    (r"(tests/extension/test_\w+\.py)", ["build", "extension {}"]),
    (r"(tests/e2e/test_\w+\.py)", ["build", "end-to-end {}"]),
    (r"(tests/faults/test_\w+\.py)", ["build", "faults {}"]),
    (r"(tests/conformance/test_\w+\.py)", ["build", "conformance {}"]),
    (r"tests/conformance/", ["build", "conformance", "conformance-page"]),
    (r"fuzz/", ["format", "fuzz"]),
    (r"bench/", ["format", "build"]),
    (r"examples/", ["build", "end-to-end tests/e2e/test_examples.py tests/e2e/test_docs.py"]),
    (r"docs/conformance\.md", ["conformance-page"]),
    (r"(docs/.*|[A-Z]+\.md|src/.*/README\.md)$", ["build", "daemon tests/daemon/test_guarantees.py", "end-to-end tests/e2e/test_docs.py"]),
    (r"(LICENSE|\.editorconfig|\.clangd|\.gitignore)$", ["layers"]),
]


def git(*words: str) -> list[str]:
    return subprocess.run(["git", *words], check=True, capture_output=True, text=True).stdout.splitlines()


def steps_of(path: str) -> list[str]:
    for pattern, steps in ROWS:
        match = re.match(pattern, path)
        if match:
            gone = not Path(path).exists()
            return [step.replace("{}", match.group(1)) if "{}" in step else step for step in steps if not (gone and "{}" in step)]
    return ["all"]


def merged(lines: list[str]) -> list[str]:
    """One line a step: all of its tests where any line asks for all."""
    steps: dict[str, list[str] | None] = {}
    for line in lines:
        step, *tests = line.split()
        if not tests:
            steps[step] = None
        elif step not in steps:
            steps[step] = tests
        elif (known := steps[step]) is not None:
            known.extend(test for test in tests if test not in known)
    return [" ".join([step, *(tests or [])]) for step, tests in steps.items()]


def main() -> None:
    revision = sys.argv[1] if len(sys.argv) > 1 else git("merge-base", "HEAD", "main")[0]
    paths = git("diff", "--name-only", revision) + git("ls-files", "--others", "--exclude-standard")
    lines = merged([step for path in paths for step in steps_of(path)])
    print("\n".join(["all"] if "all" in lines else lines))


if __name__ == "__main__":
    main()
