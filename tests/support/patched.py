"""A copy of the program that takes itself for another version, to meet an older daemon or an older extension with."""

from __future__ import annotations

import subprocess
from pathlib import Path


def newer_copy(binary: str, folder: Path) -> tuple[Path, str]:
    """The program with 0.2.0 wherever it said 0.1.0 (its own version and that of the extension in it), and that version."""
    copy = folder / "any-newer"
    # The compiler may have put the version into its instructions, four bytes and one.
    copy.write_bytes(Path(binary).read_bytes().replace(b"0.1.", b"0.2."))
    copy.chmod(0o755)
    said = subprocess.run([copy, "--version"], capture_output=True, text=True, timeout=10).stdout
    assert said == "any 0.2.0\n", said
    return copy, "0.2.0"
