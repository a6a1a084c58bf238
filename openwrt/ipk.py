"""The format that opkg reads, as OpenWrt's scripts/ipkg-build makes it.

An ipk is a gzipped tar of debian-binary, data.tar.gz and control.tar.gz. All names start with ./, folders are listed
before what is in them, everything belongs to root and has the same time.
"""
import io
import tarfile

from deflate import compress

POSTINST = """#!/bin/sh
[ "${IPKG_NO_SCRIPT}" = "1" ] && exit 0
[ -s ${IPKG_INSTROOT}/lib/functions.sh ] || exit 0
. ${IPKG_INSTROOT}/lib/functions.sh
default_postinst $0 $@
"""
PRERM = """#!/bin/sh
[ -s ${IPKG_INSTROOT}/lib/functions.sh ] || exit 0
. ${IPKG_INSTROOT}/lib/functions.sh
default_prerm $0 $@
"""


def build(package):
    """The whole ipk as bytes."""
    data = tar(package.files, package.time)
    control = {"control": (0o644, control_file(package, len(data)).encode())}
    # A folder can't be a conffile of opkg's: it is kept by /lib/upgrade/keep.d, and opkg never removes strange files.
    conffiles = [path for path in package.conffiles if path[1:] in package.files]
    control["conffiles"] = (0o644, "".join(path + "\n" for path in conffiles).encode())
    control["postinst"] = (0o755, POSTINST.encode())
    control["prerm"] = (0o755, PRERM.encode())
    outer = {
        "debian-binary": (0o644, b"2.0\n"),
        "data.tar.gz": (0o644, compress(data)),
        "control.tar.gz": (0o644, compress(tar(control, package.time))),
    }
    return compress(tar(outer, package.time, folders=False))


def control_file(package, size):
    """The control file; fields in the order of OpenWrt's package-pack.mk."""
    fields = {
        "Package": package.name,
        "Version": package.version,
        "Depends": ", ".join(package.depends),
        "Conflicts": ", ".join(package.conflicts),
        "Provides": ", ".join(package.provides),
        "Source": "feeds/packages/net/oasis6",
        "SourceName": "oasis6",
        "License": package.license,
        "LicenseFiles": "LICENSE-MIT LICENSE-APACHE",
        "Section": package.section,
        "SourceDateEpoch": str(package.time),
        "Maintainer": package.maintainer,
        "Architecture": package.arch,
        "Installed-Size": str(size),
        "Description": " " + package.description,
    }
    return "".join(f"{name}: {value}\n" for name, value in fields.items() if value)


def tar(files, time, folders=True):
    """A GNU tar of files: path → (mode, content)."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as archive:
        seen = set()

        def add(name, mode, kind, content=b""):
            entry = tarfile.TarInfo(name)
            entry.type, entry.mode, entry.mtime, entry.size = kind, mode, time, len(content)
            archive.addfile(entry, io.BytesIO(content))

        if folders:
            add("./", 0o755, tarfile.DIRTYPE)
        for path, (mode, content) in files.items():
            parts = path.split("/")[:-1] if folders else []
            for end in range(1, len(parts) + 1):
                folder = "/".join(parts[:end])
                if folder not in seen:
                    seen.add(folder)
                    add(f"./{folder}/", 0o755, tarfile.DIRTYPE)
            add(f"./{path}", mode, tarfile.REGTYPE, content)
    return buffer.getvalue()
