#!/usr/bin/env python3
"""package.py ipk|apk ARCH BINARY [--mini] [--out FOLDER] [--key PEM]

Wraps the binary and everything under files/ into a package for OpenWrt: ipk for opkg (24.10 and older), apk for apk
(25.12 and newer). Prints the package's path. `package.py contents` lists what is installed.

Equal input makes an equal package: times come from SOURCE_DATE_EPOCH, else from the last commit.
"""
import argparse
import os
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).parent))
import adb  # noqa: E402
import ipk  # noqa: E402

ROOT = Path(__file__).parent.parent
RELEASE = 1  # of the packaging, as PKG_RELEASE in openwrt/Makefile
MAINTAINER = "The oasis6 developers"
STATE = "/etc/oasis6/"  # bindings and the ULA; written by the daemon, so no file of the package


@dataclass(frozen=True)
class Package:
    """What both formats say about a package."""
    name: str
    version: str
    arch: str
    license: str
    maintainer: str
    description: str
    provides: list[str]  # names that this package also stands for
    conflicts: list[str]
    default: bool  # preferred where several packages provide a name
    conffiles: list[str]  # kept over upgrades: files of the package that an owner changes, and folders of state
    files: dict[str, tuple[int, bytes]]  # path without the leading / → mode, content; all belong to root
    time: int  # seconds since 1970
    depends: tuple[str, ...] = ()  # packages that have to be there
    section: str = "net"


def describe(arch, binary, mini):
    """The package `oasis6`, or `oasis6-mini`."""
    cargo = tomllib.loads((ROOT / "Cargo.toml").read_text())["package"]
    name = "oasis6-mini" if mini else "oasis6"
    files = {"usr/sbin/oasis6": (0o755, binary), **files_under(ROOT / "files", "")}
    configuration = sorted("/" + path for path in files if path.startswith("etc/config/"))
    files[f"lib/upgrade/keep.d/{name}"] = (0o644, f"{STATE}\n".encode())
    return Package(
        name=name,
        version=f"{cargo['version']}-r{RELEASE}",
        arch=arch,
        license=cargo["license"],
        maintainer=MAINTAINER,
        description=cargo["description"] + (" (small: without the simulator and the ubus object)" if mini else ""),
        provides=["oasis6"] if mini else [],
        conflicts=["oasis6" if mini else "oasis6-mini"],
        default=not mini,
        conffiles=configuration + [STATE],
        files=dict(sorted(files.items())),
        time=build_time(),
    )


def files_under(folder, to):
    """What a folder installs."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            inside = f"{to}{path.relative_to(folder).as_posix()}"
            found[inside] = (mode_of(inside, path), path.read_bytes())
    return found


def mode_of(inside, path):
    """As OpenWrt installs: INSTALL_CONF for configuration, else INSTALL_BIN or INSTALL_DATA."""
    if inside.startswith("etc/config/"):
        return 0o600
    return 0o755 if os.access(path, os.X_OK) else 0o644


def build_time():
    """SOURCE_DATE_EPOCH, else the last commit's time, else 0."""
    if "SOURCE_DATE_EPOCH" in os.environ:
        return int(os.environ["SOURCE_DATE_EPOCH"])
    git = subprocess.run(["git", "-C", ROOT, "log", "-1", "--format=%ct"], capture_output=True, text=True, check=False)
    return int(git.stdout) if git.returncode == 0 and git.stdout.strip() else 0


def contents(package):
    """One line for each file: mode and path."""
    return [f"{mode:04o} /{path}" for path, (mode, _) in package.files.items()]


def arguments(usage, formats):
    """What every command that makes packages takes."""
    parser = argparse.ArgumentParser(usage=usage)
    parser.add_argument("format", choices=formats)
    parser.add_argument("--out", type=Path, default=Path("."))
    parser.add_argument("--key", type=Path, help="P-256 private key that signs an apk")
    return parser


def write(package, args):
    """Makes the package in the format and the folder that are asked for, and says where."""
    args.out.mkdir(parents=True, exist_ok=True)
    if args.format == "ipk":
        path = args.out / f"{package.name}_{package.version}_{package.arch}.ipk"
        path.write_bytes(ipk.build(package))
    else:
        path = args.out / f"{package.name}-{package.version}.apk"
        path.write_bytes(adb.build(package, args.key))
    return path


def main():
    """The command."""
    parser = arguments(__doc__, ["ipk", "apk", "contents"])
    parser.add_argument("arch", nargs="?", default="all")
    parser.add_argument("binary", nargs="?", type=Path)
    parser.add_argument("--mini", action="store_true")
    args = parser.parse_args()
    package = describe(args.arch, args.binary.read_bytes() if args.binary else b"", args.mini)
    if args.format == "contents":
        print("\n".join(contents(package)))
        return
    if not args.binary:
        parser.error("which binary?")
    print(write(package, args))


if __name__ == "__main__":
    main()
