"""Strict readers of both package formats, written from opkg's and apk's source and apart from our writers: they refuse
what those would refuse, and whatever else a package of ours should never have."""
import gzip
import hashlib
import io
import struct
import tarfile
import zlib
from dataclasses import dataclass


class Refused(Exception):
    """Why a package is no good."""


def demand(condition, why):
    """Refuses unless the condition holds."""
    if not condition:
        raise Refused(why)


@dataclass
class Contents:
    """What a package holds, whatever its format."""
    fields: dict[str, str]
    files: dict[str, tuple[int, bytes]]  # path with leading / → mode, content
    folders: set[str]
    scripts: dict[str, str]
    conffiles: list[str]
    times: set[int]


def read_ipk(data):
    """An ipk's contents."""
    outer, _, _ = read_tar(gunzip(data), folders=False)
    demand(list(outer) == ["debian-binary", "data.tar.gz", "control.tar.gz"], f"parts are {list(outer)}")
    demand(outer["debian-binary"][1] == b"2.0\n", "debian-binary is not 2.0")
    unpacked = gunzip(outer["data.tar.gz"][1])
    files, folders, times = read_tar(unpacked)
    control, _, more_times = read_tar(gunzip(outer["control.tar.gz"][1]))
    demand(set(control) <= {"control", "conffiles", "postinst", "prerm"}, f"control has {list(control)}")
    fields = {}
    for line in control["control"][1].decode().splitlines():
        name, colon, value = line.partition(": ")
        demand(colon and name not in fields and value, f"control line '{line}'")
        fields[name] = value
    for name in ("Package", "Version", "Architecture", "Maintainer", "License", "Section", "Description"):
        demand(name in fields, f"no {name}")
    demand(fields["Installed-Size"] == str(len(unpacked)), "Installed-Size is not that of the unpacked tar")
    scripts = {name: control[name][1].decode() for name in ("postinst", "prerm") if name in control}
    demand(all(control[name][0] == 0o755 for name in scripts), "scripts are not executable")
    conffiles = control["conffiles"][1].decode().splitlines() if "conffiles" in control else []
    demand(all(path[1:] in files for path in conffiles), "opkg's conffiles must be files of the package")
    return Contents(fields, {f"/{path}": file for path, file in files.items()}, {f"/{path}" for path in folders},
                    scripts, conffiles, times | more_times)


def gunzip(data):
    """The content of one gzip member without name or time, and nothing after it."""
    demand(data[:4] == b"\x1f\x8b\x08\x00" and data[4:8] == bytes(4), "gzip header has flags or a time")
    unpacker = zlib.decompressobj(31)
    content = unpacker.decompress(data) + unpacker.flush()
    demand(unpacker.eof and not unpacker.unused_data, "gzip stream is cut or followed by something")
    demand(gzip.decompress(data) == content, "gzip readers disagree")
    return content


def read_tar(data, folders=True):
    """Files, folders and times of a tar whose names start with ./ and whose folders come first."""
    files, seen, times = {}, set(), set()
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as archive:
        for entry in archive:
            where = f"'{entry.name}'"
            demand((entry.uid, entry.gid, entry.uname, entry.gname) == (0, 0, "", ""), f"{where} is not root's")
            times.add(entry.mtime)
            if entry.isdir():
                demand(folders and entry.mode == 0o755, f"folder {where} with mode {entry.mode:o}")
                path = "" if entry.name == "." else entry.name.removeprefix("./")
                demand(path not in seen, f"{where} twice")
                demand("/" not in path or path.rpartition("/")[0] in seen, f"{where} before its folder")
                seen.add(path)
                continue
            demand(entry.isreg() and not entry.pax_headers, f"{where} is no plain file")
            demand(entry.name.startswith("./"), f"{where} doesn't start with ./")
            path = entry.name[2:]
            parent = path.rpartition("/")[0]
            demand(path not in files and ".." not in path.split("/"), f"{where} twice or outside")
            demand(not folders or parent in seen, f"{where} before its folder")
            files[path] = (entry.mode, archive.extractfile(entry).read())
    return files, seen - {""}, times


PACKAGE = {1: "info", 2: "paths", 3: "scripts"}
INFO = {1: "name", 2: "version", 3: "hashes", 4: "description", 5: "arch", 6: "license", 7: "origin", 8: "maintainer",
        9: "url", 12: "installed-size", 14: "provider-priority", 15: "depends", 16: "provides"}
SCRIPTS = {3: "post-install", 4: "pre-deinstall", 7: "post-upgrade"}
FOLDER = {1: "name", 2: "acl", 3: "files"}
FILE = {1: "name", 2: "acl", 3: "size", 4: "mtime", 5: "hash"}
ACL = {1: "mode", 2: "user", 3: "group"}
DEPENDENCY = {1: "name", 2: "version", 3: "match"}


def read_apk(data):
    """An apk's contents (its signature is not checked here)."""
    demand(data[:4] == b"ADBd", "no deflated apk 3")
    unpacker = zlib.decompressobj(-15)
    plain = unpacker.decompress(data[4:]) + unpacker.flush()
    demand(unpacker.eof and not unpacker.unused_data, "deflate stream is cut or followed by something")
    demand(plain[:8] == b"ADB.pckg", "no package")
    blocks = list(read_blocks(plain[8:]))
    kinds = [kind for kind, _ in blocks]
    demand(kinds and kinds[0] == 0 and 0 not in kinds[1:] and kinds[1:] == sorted(kinds[1:]), "blocks out of order")
    database = Database(blocks[0][1])
    package = database.object(database.root, PACKAGE)
    info = database.object(package["info"], INFO)
    fields = {name: database.text(info[name])
              for name in ("name", "version", "description", "arch", "license", "origin", "maintainer") if name in info}
    for name in ("name", "version", "arch", "license"):
        demand(fields.get(name), f"no {name}")
    database.check_identity(info["hashes"])
    if "provider-priority" in info:
        fields["provider-priority"] = str(database.number(info["provider-priority"]))
    for name in ("provides", "depends"):
        values = [database.object(value, DEPENDENCY) for value in database.array(info.get(name, 0))]
        demand(all("match" not in value for value in values), "a dependency with an operator")
        fields[name] = " ".join(f"{database.text(value['name'])}={database.text(value['version'])}" for value in values)

    contents = iter([content for kind, content in blocks if kind == 2])
    files, folders, times, last_folder = {}, set(), set(), None
    for number, value in enumerate(database.array(package["paths"]), 1):
        folder = database.object(value, FOLDER)
        path = database.text(folder["name"]) if "name" in folder else ""
        demand(last_folder is None or path.encode() > last_folder.encode(), f"folder '{path}' is out of order")
        demand("/" not in path or f"/{path.rpartition('/')[0]}" in folders, f"folder '{path}' before its parent")
        demand(database.owned(folder["acl"]) == 0o755, f"mode of folder '{path}'")
        last_folder = path
        if path:
            folders.add(f"/{path}")
        last = b""
        for index, value in enumerate(database.array(folder.get("files", 0)), 1):
            file = database.object(value, FILE)
            name = database.text(file["name"])
            demand(name.encode() > last and "/" not in name, f"file '{name}' is out of order")
            last = name.encode()
            size, content = database.number(file["size"]), b""
            if size:
                block = next(contents, b"")
                demand(struct.unpack("<II", block[:8]) == (number, index), f"data of '{name}' is not where it belongs")
                content = block[8:]
            demand(len(content) == size, f"size of '{name}'")
            demand(hashlib.sha256(content).digest() == database.blob(file["hash"]), f"hash of '{name}'")
            files[f"/{path}/{name}"] = (database.owned(file["acl"]), content)
            times.add(database.number(file["mtime"]))
    demand(next(contents, None) is None, "data of no file")
    size = sum(len(content) for _, content in files.values())
    demand(database.number(info["installed-size"]) == size, "installed-size is not the files' sum")
    scripts = {name: database.text(value) for name, value in database.object(package["scripts"], SCRIPTS).items()}
    listed = files.get(f"/lib/apk/packages/{fields['name']}.conffiles", (0, b""))[1]
    return Contents(fields, files, folders, scripts, listed.decode().splitlines(), times)


def read_blocks(data):
    """(kind, content) of each block."""
    while data:
        demand(len(data) >= 4, "a block's head is cut")
        word, = struct.unpack("<I", data[:4])
        kind, size = word >> 30, word & 0x3fffffff
        padded = size + -size % 8
        demand(kind < 3 and 4 <= size and padded <= len(data), "a block is cut or of a strange kind")
        demand(not any(data[size:padded]), "padding is not zero")
        yield kind, data[4:size]
        data = data[padded:]


class Database:
    """The tree of values."""

    def __init__(self, data):
        demand(len(data) >= 8 and data[0] == 0, "version of the database")
        self.data = data
        self.root, = struct.unpack("<I", data[4:8])

    def take(self, at, size, align):
        """Bytes at an offset."""
        demand(at % align == 0 and 8 <= at and at + size <= len(self.data), f"value at {at} is outside or misaligned")
        return self.data[at:at + size]

    def blob(self, value):
        """The bytes of a blob, which is stored in the shortest form."""
        width = {8: 1, 9: 2, 0xa: 4}.get(value >> 28)
        demand(width, f"value {value:#x} is no blob")
        at = value & 0x0fffffff
        size = int.from_bytes(self.take(at, width, width), "little")
        demand(size >= {1: 1, 2: 1 << 8, 4: 1 << 16}[width], "a blob is stored in too long a form")
        return self.take(at + width, size, 1)

    def text(self, value):
        """A string."""
        return self.blob(value).decode()

    def number(self, value):
        """A number of up to 32 bits."""
        if value >> 28 == 1:
            return value & 0x0fffffff
        demand(value >> 28 == 2, f"value {value:#x} is no number")
        return struct.unpack("<I", self.take(value & 0x0fffffff, 4, 4))[0]

    def row(self, value, kind):
        """The values of an object or array."""
        demand(value >> 28 == kind, f"value {value:#x} is not of kind {kind:x}")
        at = value & 0x0fffffff
        count, = struct.unpack("<I", self.take(at, 4, 4))
        demand(count > 1, "an empty row")
        return struct.unpack(f"<{count - 1}I", self.take(at + 4, 4 * (count - 1), 4))

    def array(self, value):
        """An array's values; none for NULL."""
        return self.row(value, 0xd) if value else ()

    def object(self, value, names):
        """An object's fields that are not NULL, by name."""
        values = self.row(value, 0xe)
        demand(values[-1] != 0, "an object ends with NULL")
        unknown = [number for number, value in enumerate(values, 1) if value and number not in names]
        demand(not unknown, f"fields {unknown} are not known")
        return {names[number]: value for number, value in enumerate(values, 1) if value}

    def owned(self, value):
        """The mode of what must be root's."""
        acl = self.object(value, ACL)
        demand(self.text(acl["user"]) == "root" and self.text(acl["group"]) == "root", "not root's")
        return self.number(acl["mode"])

    def check_identity(self, value):
        """The package's identity: the hash of the database with zeros in its place."""
        identity = self.blob(value)
        at = (value & 0x0fffffff) + 1
        zeros = self.data[:at] + bytes(len(identity)) + self.data[at + len(identity):]
        demand(len(identity) == 20 and hashlib.sha256(zeros).digest()[:20] == identity, "identity of the package")
