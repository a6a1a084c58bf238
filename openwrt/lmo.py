"""Translations as LuCI reads them: a po file as text → an lmo file as bytes, as LuCI's po2lmo makes it.

An lmo file holds the translations, each padded to four bytes, then an index sorted by key (the hash of what is translated,
which plural form, where and how long its translation is), then where the index begins. All numbers are big-endian.
"""
import ast
import re
import struct

MASK = 0xffffffff


def read_po(text):
    """What is translated → its translation; those without one are left out. The header has the key ''."""
    entries, current, field = {}, {}, None
    for line in [*text.splitlines(), 'msgid ""']:
        found = re.match(r'(msgid|msgstr) (".*")$', line) or re.match(r'()(".*")$', line)
        if not found:
            continue
        if found[1] == "msgid":
            if current.get("msgstr"):
                entries[current["msgid"]] = current["msgstr"]
            current = {}
        field = found[1] or field
        current[field] = current.get(field, "") + ast.literal_eval(found[2])
    return entries


def sfh(data):
    """Hsieh's hash, as LuCI uses it for keys."""
    value = len(data)
    whole = len(data) // 4 * 4

    def pair(at):
        return data[at] | data[at + 1] << 8

    def signed(byte):
        return byte - 256 if byte > 127 else byte

    for at in range(0, whole, 4):
        value = value + pair(at) & MASK
        value = (value << 16 & MASK) ^ (pair(at + 2) << 11 ^ value) & MASK
        value = value + (value >> 11) & MASK
    rest = len(data) - whole
    if rest == 3:
        value = value + pair(whole) & MASK
        value ^= value << 16 & MASK
        value ^= signed(data[whole + 2]) << 18 & MASK
        value = value + (value >> 11) & MASK
    elif rest == 2:
        value = value + pair(whole) & MASK
        value ^= value << 11 & MASK
        value = value + (value >> 17) & MASK
    elif rest == 1:
        value = value + signed(data[whole]) & MASK
        value ^= value << 10 & MASK
        value = value + (value >> 1) & MASK
    for shift, add in ((3, 5), (4, 17), (25, 6)):
        value ^= value << shift & MASK
        value = value + (value >> add) & MASK
    return value


def build(text):
    """The lmo file of a po file."""
    data, index = b"", []
    for key, translation in read_po(text).items():
        if not key or key == translation:
            continue
        words = translation.encode()
        index.append((sfh(key.encode()), 1, len(data), len(words)))
        data += words + b"\0" * (-len(words) % 4)
    return data + b"".join(struct.pack(">IIII", *entry) for entry in sorted(index)) + struct.pack(">I", len(data))
