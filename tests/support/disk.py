"""A disk that is soon full."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# Mounts, says so, and unmounts once its input ends: that of a test which was killed ends too.
MOUNTED = 'mount -t tmpfs -o size=6m tmpfs "$1" && echo mounted && cat && umount -l "$1"'


@contextmanager
def small_disk_at(folder: Path) -> Iterator[Path]:
    """6 MB at `folder`, which is made."""
    folder.mkdir()
    assert os.geteuid() == 0, "a small disk needs a mount: run as root"
    command = ["sh", "-c", MOUNTED, "sh", str(folder)]
    holder = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)
    try:
        assert holder.stdout and holder.stdout.readline() == b"mounted\n", "the small disk is mounted"
        yield folder
    finally:
        holder.communicate()
        assert holder.returncode == 0, "the small disk is unmounted"


def fill(file: Path) -> None:
    """Writes to it until the last byte of its disk is taken."""
    with file.open("wb", buffering=0) as out:
        size = 1 << 16
        while size:
            try:
                out.write(b"x" * size)
            except OSError:
                size //= 2
