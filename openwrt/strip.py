#!/usr/bin/env python3
"""strip.py ELF OUT: leaves out what no program needs at run time: all that is not in a segment, and the section table.

What `strip` leaves is a fifth of a MIPS binary: .pdr describes each function for debuggers. OpenWrt removes it as well
(its sstrip does the same as this), and Debian's binutils know no MIPS.
"""
import struct
import sys
from pathlib import Path


def stripped(data):
    """The file up to the end of its last segment."""
    order, wide = "<>"[data[5] - 1], data[4] == 2
    word, at = ("Q", 32) if wide else ("I", 28)
    table, = struct.unpack_from(order + word, data, at)
    size, count = struct.unpack_from(order + "HH", data, 54 if wide else 42)
    end = table + size * count
    for entry in range(table, end, size):
        offset, = struct.unpack_from(order + word, data, entry + (8 if wide else 4))
        length, = struct.unpack_from(order + word, data, entry + (32 if wide else 16))
        end = max(end, offset + length)
    kept = bytearray(data[:end])
    struct.pack_into(order + word, kept, 40 if wide else 32, 0)  # e_shoff
    struct.pack_into(order + "HH", kept, 60 if wide else 48, 0, 0)  # e_shnum, e_shstrndx
    return bytes(kept)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    out = Path(sys.argv[2])
    out.write_bytes(stripped(Path(sys.argv[1]).read_bytes()))
    out.chmod(0o755)
