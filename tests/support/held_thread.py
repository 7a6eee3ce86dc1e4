"""Holds one thread of a process still while the others go on: a disk that does not answer, for a daemon whose store's thread it is."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager

_SEIZE, _INTERRUPT, _DETACH = 0x4206, 0x4207, 17
_ALL = 0x40000000  # __WALL
_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p]
_libc.ptrace.restype = ctypes.c_long


def other_threads(pid: int) -> list[int]:
    """All but the first one."""
    return sorted(int(name) for name in os.listdir(f"/proc/{pid}/task") if int(name) != pid)


def _ptrace(request: int, thread: int) -> None:
    if _libc.ptrace(request, thread, None, None) == -1:
        raise OSError(ctypes.get_errno(), f"ptrace({request:#x}) of thread {thread}")


@contextmanager
def held(thread: int) -> Iterator[None]:
    _ptrace(_SEIZE, thread)
    _ptrace(_INTERRUPT, thread)
    os.waitpid(thread, _ALL)
    try:
        yield
    finally:
        _ptrace(_DETACH, thread)
