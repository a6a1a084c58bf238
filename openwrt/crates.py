#!/usr/bin/env python3
"""crates.py ELF [COUNT]: where the bytes of an unstripped binary go, by crate, and its COUNT (0) largest functions.
crates.py ELF 0xADDRESS...: the function that is at each address, for what crash.c writes.

Code that is made for a caller's types counts for the crate it was written in. cross.sh leaves such a binary at
target/openwrt/FAMILY/oasis6-VARIANT.elf.
"""
import re
import struct
import sys
from collections import Counter
from pathlib import Path

FUNCTION, OBJECT = 2, 1


def symbols(data):
    """(name, kind, address, size) of each function and object in an ELF file of either width and order."""
    order, wide = "<>"[data[5] - 1], data[4] == 2
    at, = struct.unpack_from(order + ("Q" if wide else "I"), data, 40 if wide else 32)
    size, count = struct.unpack_from(order + "HH", data, 58 if wide else 46)
    headers = [struct.unpack_from(order + ("IIQQQQII" if wide else "IIIIIIII"), data, at + i * size) for i in range(count)]
    for _, kind, _, _, start, length, link, _ in headers:
        if kind != 2:  # SHT_SYMTAB
            continue
        names = data[headers[link][4]:headers[link][4] + headers[link][5]]
        for entry in range(start, start + length, 24 if wide else 16):
            if wide:
                name, info, _, section, address, bytes_ = struct.unpack_from(order + "IBBHQQ", data, entry)
            else:
                name, address, bytes_, info, _, section = struct.unpack_from(order + "IIIBBH", data, entry)
            if info & 15 in (FUNCTION, OBJECT) and section and bytes_:
                yield names[name:names.index(b"\0", name)].decode(), info & 15, address, bytes_


def crate(name):
    """The crate a symbol comes from: Rust's new mangling (_R), its old one (_ZN), or C."""
    if name.startswith("_R"):
        # The first crate root: C, a disambiguator s…_, the length of the name, the name.
        found = re.search(r"C(?:s[0-9a-zA-Z]*_)?(\d+)_?([a-z]\w*)", name)
        return found[2][:int(found[1])] if found else "?"
    if name.startswith("_ZN"):
        found = re.match(r"_ZN\d+(?:_\$LT\$)?([a-z]\w*?)(?:\.\.|17h|\d|\$|$)", name)
        return found[1] if found else "?"
    return "C (musl, compiler)"


def main():
    """The command."""
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    data = Path(sys.argv[1]).read_bytes()
    if sys.argv[2:] and sys.argv[2].startswith("0x"):
        for place in sys.argv[2:]:
            names = [name for name, kind, address, size in symbols(data)
                     if kind == FUNCTION and address <= int(place, 16) < address + size]
            print(place, *names[:1])
        return
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    code, constants, functions, seen = Counter(), Counter(), [], set()
    for name, kind, address, size in symbols(data):
        if address in seen:
            continue  # an alias
        seen.add(address)
        (code if kind == FUNCTION else constants)[crate(name)] += size
        if kind == FUNCTION:
            functions.append((size, name))
    print(f"{'code':>8} {'data':>8}  crate")
    for name in sorted(code | constants, key=lambda name: -code[name] - constants[name]):
        print(f"{code[name]:8} {constants[name]:8}  {name}")
    print(f"{code.total():8} {constants.total():8}  of {len(data)} in the file (the rest: strings, tables, symbols)")
    for size, name in sorted(functions, reverse=True)[:count]:
        print(f"{size:8} {name}")


if __name__ == "__main__":
    main()
