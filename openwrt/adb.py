"""The format that apk 3 reads: a database ("adb") that describes the package, then the content of its files.

The database is a tree of values. A value is a 32-bit word: 4 bits of type, and 28 bits that are a small number or the
offset of what doesn't fit. Objects and arrays are rows of values, the first of which is their count; the fields of an
object are numbered. The numbers below are apk-tools' own (its src/adb.h and src/apk_adb.h); apk-tools' doc/apk-v3.5.scd
is the description. Everything is little-endian.
"""
import hashlib
import struct
import subprocess

import deflate

INT, INT32, BLOB8, BLOB16, BLOB32, ARRAY, OBJECT = (kind << 28 for kind in (1, 2, 8, 9, 0xa, 0xd, 0xe))
NULL = 0
BLOCK_DATABASE, BLOCK_SIGNATURE, BLOCK_DATA = 0, 1, 2

# Fields of each kind of object
PACKAGE_INFO, PACKAGE_PATHS, PACKAGE_SCRIPTS = 1, 2, 3
INFO = {"name": 1, "version": 2, "hashes": 3, "description": 4, "arch": 5, "license": 6, "origin": 7, "maintainer": 8,
        "installed-size": 12, "provider-priority": 14, "depends": 15, "provides": 16}
FOLDER_NAME, FOLDER_ACL, FOLDER_FILES = 1, 2, 3
FILE_NAME, FILE_ACL, FILE_SIZE, FILE_TIME, FILE_HASH = 1, 2, 3, 4, 5
ACL_MODE, ACL_USER, ACL_GROUP = 1, 2, 3
DEPENDENCY_NAME, DEPENDENCY_VERSION = 1, 2
SCRIPTS = {"post-install": 3, "pre-deinstall": 4, "post-upgrade": 7}

SIGNATURE_VERSION, SIGNATURE_SHA512 = 0, 4

POST_INSTALL = """[ "${{IPKG_NO_SCRIPT}}" = "1" ] && exit 0
[ -s ${{IPKG_INSTROOT}}/lib/functions.sh ] || exit 0
. ${{IPKG_INSTROOT}}/lib/functions.sh
export root="${{IPKG_INSTROOT}}"
export pkgname="{name}"
add_group_and_user
default_postinst
"""
PRE_DEINSTALL = """[ -s ${{IPKG_INSTROOT}}/lib/functions.sh ] || exit 0
. ${{IPKG_INSTROOT}}/lib/functions.sh
export root="${{IPKG_INSTROOT}}"
export pkgname="{name}"
default_prerm
"""


def build(package, key=None):
    """The whole apk as bytes; signed if there is a private key (PEM, P-256), else for `apk add --allow-untrusted`."""
    folders = by_folder({**package.files, **lists(package)})
    database = describe(package, folders)
    blocks = [block(BLOCK_DATABASE, database)]
    if key:
        blocks.append(block(BLOCK_SIGNATURE, signature(database, key)))
    for folder, files in enumerate(folders.values(), 1):
        for file, (_, content) in enumerate(files.values(), 1):
            if content:
                blocks.append(block(BLOCK_DATA, struct.pack("<II", folder, file) + content))
    return b"ADBd" + deflate.raw(b"ADB.pckg" + b"".join(blocks))


def lists(package):
    """What OpenWrt's scripts look for: the list of files, and the conffiles with their checksums as delivered."""
    def text(lines):
        return 0o644, "".join(f"{line}\n" for line in lines).encode()

    sums = [f"{path} {hashlib.sha256(package.files[path[1:]][1]).hexdigest()}"
            for path in package.conffiles if path[1:] in package.files]
    return {
        f"lib/apk/packages/{package.name}.list": text(sorted("/" + path for path in package.files)),
        f"lib/apk/packages/{package.name}.conffiles": text(package.conffiles),
        f"lib/apk/packages/{package.name}.conffiles_static": text(sums),
    }


def by_folder(files):
    """Folder → name → (mode, content), both sorted; every folder on the way is listed, the root first, as ""."""
    folders = {"": {}}
    for path, content in files.items():
        folder, _, name = path.rpartition("/")
        folders.setdefault(folder, {})[name] = content
        while folder:
            folder = folder.rpartition("/")[0]
            folders.setdefault(folder, {})
    return {folder: dict(sorted(folders[folder].items())) for folder in sorted(folders)}


def describe(package, folders):
    """The database."""
    out = Database()

    def acl(mode):
        return out.object({ACL_MODE: out.number(mode), ACL_USER: out.blob(b"root"), ACL_GROUP: out.blob(b"root")})

    def file(name, mode, content):
        return out.object({
            FILE_NAME: out.text(name),
            FILE_ACL: acl(mode),
            FILE_SIZE: out.number(len(content)),
            FILE_TIME: out.number(package.time),
            FILE_HASH: out.blob(hashlib.sha256(content).digest()),
        })

    def folder(path, files):
        return out.object({
            FOLDER_NAME: out.text(path),
            FOLDER_ACL: acl(0o755),
            FOLDER_FILES: out.array([file(name, mode, content) for name, (mode, content) in files.items()]),
        })

    def provided(name):
        # With a version a name belongs to one package at a time: this is the conflict with whoever else has it.
        return out.object({DEPENDENCY_NAME: out.text(name), DEPENDENCY_VERSION: out.text(package.version)})

    post_install, pre_deinstall = (text.format(name=package.name) for text in (POST_INSTALL, PRE_DEINSTALL))
    scripts = {
        "post-install": "#!/bin/sh\n" + post_install,
        "pre-deinstall": "#!/bin/sh\n" + pre_deinstall,
        "post-upgrade": "#!/bin/sh\nexport PKG_UPGRADE=1\n" + post_install,
    }
    size = sum(len(content) for files in folders.values() for _, content in files.values())
    identity = out.unshared(bytes(20))
    info = {
        "name": out.text(package.name),
        "version": out.text(package.version),
        "hashes": identity,
        "description": out.text(package.description),
        "arch": out.text(package.arch),
        "license": out.text(package.license),
        "origin": out.text("feeds/packages/net/oasis6"),
        "maintainer": out.text(package.maintainer),
        "installed-size": out.number(size),
        "provider-priority": out.number(100) if package.default else NULL,
        "depends": out.array([out.object({DEPENDENCY_NAME: out.text(name)}) for name in sorted(package.depends)]),
        "provides": out.array([provided(name) for name in package.provides]),
    }
    out.finish(out.object({
        PACKAGE_INFO: out.object({INFO[name]: value for name, value in info.items()}),
        PACKAGE_PATHS: out.array([folder(path, files) for path, files in folders.items()]),
        PACKAGE_SCRIPTS: out.object({SCRIPTS[name]: out.text(text) for name, text in scripts.items()}),
    }))
    # The package's identity is the start of the hash of the database with zeros in its place.
    at = (identity & 0x0fffffff) + 1
    out.bytes[at:at + 20] = hashlib.sha256(out.bytes).digest()[:20]
    return bytes(out.bytes)


class Database:
    """Bytes that grow, in which equal data is stored once."""

    def __init__(self):
        self.bytes = bytearray(8)  # version 0, room for the root value
        self.places = {}

    def store(self, data, align):
        """The offset of data."""
        at = self.places.get(data)
        if at is None or at % align:
            self.bytes += bytes(-len(self.bytes) % align)
            at = self.places[data] = len(self.bytes)
            self.bytes += data
        return at

    def blob(self, data):
        """The value for data."""
        if not data:
            return NULL
        if len(data) < 1 << 8:
            return BLOB8 | self.store(struct.pack("<B", len(data)) + data, 1)
        if len(data) < 1 << 16:
            return BLOB16 | self.store(struct.pack("<H", len(data)) + data, 2)
        return BLOB32 | self.store(struct.pack("<I", len(data)) + data, 4)

    def unshared(self, data):
        """A blob that will be written over."""
        value = self.blob(data)
        self.places = {data: at for data, at in self.places.items() if BLOB8 | at != value}
        return value

    def text(self, text):
        """The value for a string."""
        return self.blob(text.encode())

    def number(self, number):
        """The value for a number of up to 32 bits."""
        if number < 1 << 28:
            return INT | number
        return INT32 | self.store(struct.pack("<I", number), 4)

    def object(self, fields):
        """The value for an object: number of a field → value. Fields that are NULL at its end are left out."""
        count = max((field for field, value in fields.items() if value != NULL), default=0)
        return self.row(OBJECT, [fields.get(field, NULL) for field in range(1, count + 1)])

    def array(self, values):
        """The value for an array, which must be sorted as apk sorts it (by its objects' first fields)."""
        return self.row(ARRAY, values)

    def row(self, kind, values):
        """An object or array; NULL if it is empty."""
        if not values:
            return NULL
        return kind | self.store(struct.pack(f"<{len(values) + 1}I", len(values) + 1, *values), 4)

    def finish(self, root):
        """Sets the value where readers start."""
        self.bytes[4:8] = struct.pack("<I", root)


def block(kind, data):
    """A block of the file, padded to 8 bytes."""
    size = 4 + len(data)
    return struct.pack("<I", kind << 30 | size) + data + bytes(-size % 8)


def signature(database, key):
    """What `apk` checks against a public key in /etc/apk/keys: the key's id and its signature, both by openssl."""
    def openssl(*arguments, data=None):
        return subprocess.run(["openssl", *arguments], input=data, capture_output=True, check=True).stdout

    public = openssl("ec", "-in", str(key), "-pubout", "-outform", "DER")
    if len(public) != 91:
        raise ValueError(f"{key} is no P-256 key")
    point = public[-65:]
    head = struct.pack("<BB", SIGNATURE_VERSION, SIGNATURE_SHA512) + hashlib.sha512(point).digest()[:16]
    signed = b"pckg" + head + hashlib.sha512(database).digest()
    return head + openssl("dgst", "-sha512", "-sign", str(key), data=signed)
