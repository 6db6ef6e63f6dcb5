"""Memory tuning of a long-lived process: malloc's mmap threshold, and a frozen heap for the garbage collector."""

import contextlib
import ctypes
import gc
import sys

M_MMAP_THRESHOLD = -3
LARGE = 128 * 1024
"""Bytes."""


def tune_malloc() -> None:
    """Keep glibc from holding on to large blocks that were freed: some 40 MB after loading the models.

    After the first large block is freed, glibc takes blocks of up to that size from its heap, where what lies above
    them holds them; with a threshold that is set, they go back to the system. Nothing happens with another C library.
    """
    if sys.platform == "linux":
        with contextlib.suppress(AttributeError):
            ctypes.CDLL(None).mallopt(M_MMAP_THRESHOLD, LARGE)


def freeze_heap() -> None:
    """Let the garbage collector look only at what is made from now on: a started desk's own objects never end.

    Without this each full collection goes through a million of them, for some tenths of a second.
    """
    gc.collect()
    gc.freeze()
