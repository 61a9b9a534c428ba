"""The shared heap from Python, through ctypes: nothing has to be compiled.

    SHM_FILE=/dev/shm/visits python3 shm_alloc.py

prints what the process before left (also one in C or C#, if it uses the same root word) and leaves a text for the next.
"""
import ctypes
import os
import sys

library = ctypes.CDLL(os.environ.get("SHM_ALLOC_LIBRARY", "libshm_alloc.so.1"))


def declare(name, result, *arguments):
    function = getattr(library, name)
    function.restype = result
    function.argtypes = arguments
    return function


init = declare("shm_init", ctypes.c_bool, ctypes.c_void_p, ctypes.c_char_p)
malloc = declare("shm_malloc", ctypes.c_size_t, ctypes.c_size_t)
free = declare("shm_try_free", ctypes.c_int, ctypes.c_size_t)
usable_size = declare("shm_usable_size", ctypes.c_size_t, ctypes.c_size_t)
base = declare("get_shm_user_base", ctypes.c_void_p)
read_root = declare("shm_read_root", ctypes.c_uint64, ctypes.c_uint)
exchange_root = declare(
    "shm_compare_exchange_root", ctypes.c_bool, ctypes.c_uint, ctypes.POINTER(ctypes.c_uint64), ctypes.c_uint64
)
last_error = declare("shm_last_error", ctypes.c_int)
strerror = declare("shm_strerror", ctypes.c_char_p, ctypes.c_int)


class HeapError(Exception):
    """A call failed; the text says why."""

    def __init__(self):
        super().__init__(strerror(last_error()).decode())


def put(data):
    """Allocates room for bytes and a zero behind them, and stores them. Returns the offset."""
    offset = malloc(len(data) + 1)
    if offset == 0:
        raise HeapError
    ctypes.memmove(base() + offset, data + b"\0", len(data) + 1)
    return offset


def text_at(offset):
    """The text at an offset, up to its zero, and never beyond the allocation."""
    data = ctypes.string_at(base() + offset, usable_size(offset))
    return data.split(b"\0", 1)[0].decode()


def replace_root(index, offset):
    """Stores an offset in a root word and returns what was there; atomic among all processes."""
    expected = ctypes.c_uint64(read_root(index))
    while not exchange_root(index, ctypes.byref(expected), offset):
        pass
    return expected.value


def main():
    if not init(None, None):
        raise HeapError
    before = replace_root(1, put(f"Python process {os.getpid()} was here".encode()))
    print(text_at(before) if before else "nobody was here before")
    free(before)


if __name__ == "__main__":
    try:
        main()
    except HeapError as error:
        sys.exit(f"shm_alloc: {error}")
