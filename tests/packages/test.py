#!/usr/bin/env python3
"""The packages for OpenWrt: what is in them, and that strict readers of both formats accept them.

With PACKAGES=FOLDER the packages found there (ARCH/*.ipk, ARCH/*.apk) are looked at too: does the binary fit the
architecture, is it static, does it betray no path of the machine that built it. With APK=PROGRAM and OPKG=PROGRAM, the
real ones install them as well; last done with apk-tools 3.0.6 and opkg of January 2025.
"""
import functools
import os
import random
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
HERE = Path(__file__).parent
ROOT = HERE.parent.parent
sys.path[:0] = [str(HERE), str(ROOT / "openwrt")]
import package  # noqa: E402
import readers  # noqa: E402

FORMATS = {"ipk": readers.read_ipk, "apk": readers.read_apk}
FUNCTIONS = '''
add_group_and_user() { echo add_group_and_user; }
default_postinst() { show default_postinst "$@"; }
default_prerm() { show default_prerm "$@"; }
show() {
    if [ $# -gt 1 ]; then echo "$1 ${2##*/} $3"
    else echo "$1 pkgname=$pkgname root=${root#$IPKG_INSTROOT} upgrade=$PKG_UPGRADE"; fi
}
'''
BINARY = b"\x7fELF no real one" + random.Random(1).randbytes(80000)
MACHINES = {"mipsel": (1, 1, 8), "mips": (1, 2, 8), "arm": (1, 1, 40), "aarch64": (2, 1, 183), "x86": (2, 1, 62)}


@functools.cache
def make(kind, mini=False, time="1700000000", options=()):
    """A package around a stand-in for the binary."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "oasis6").write_bytes(BINARY)
        path = subprocess.run(
            [ROOT / "openwrt/package.py", kind, "mipsel_24kc", f"{folder}/oasis6", "--out", folder]
            + ["--mini"] * mini + list(options),
            env={**os.environ, "SOURCE_DATE_EPOCH": time}, capture_output=True, text=True, check=True).stdout.strip()
        return Path(path).name, Path(path).read_bytes()


def own_files(contents):
    """The files that both formats have."""
    return {path: file for path, file in contents.files.items() if not path.startswith("/lib/apk/")}


def listed(contents):
    """Mode and path of each of these files, sorted by path."""
    return [f"{mode:04o} {path}" for path, (mode, _) in sorted(own_files(contents).items())]


def recorded(name):
    """What `listed` should be for a package."""
    return (HERE / "contents.txt").read_text().replace("NAME", name).splitlines()


def variants():
    """Every format and variant."""
    for kind, read in FORMATS.items():
        for mini in (False, True):
            yield kind, mini, ("oasis6-mini" if mini else "oasis6"), read


class Packages(unittest.TestCase):
    """Packages around a stand-in for the binary."""
    maxDiff = None

    def test_file_names_are_those_of_openwrt(self):
        self.assertEqual(make("ipk")[0], "oasis6_0.1.0-r1_mipsel_24kc.ipk")
        self.assertEqual(make("apk", mini=True)[0], "oasis6-mini-0.1.0-r1.apk")

    def test_contents_are_the_recorded_ones(self):
        for kind, mini, name, read in variants():
            with self.subTest(kind=kind, name=name):
                self.assertEqual(listed(read(make(kind, mini)[1])), recorded(name),
                                 "if this is meant, change tests/packages/contents.txt")

    def test_files_are_byte_for_byte_those_of_the_repository(self):
        for kind, mini, name, read in variants():
            files = read(make(kind, mini)[1]).files
            self.assertEqual(files["/usr/sbin/oasis6"][1], BINARY)
            for path in (ROOT / "files").rglob("*"):
                if path.is_file():
                    self.assertEqual(files["/" + str(path.relative_to(ROOT / "files"))][1], path.read_bytes(), path)

    def test_both_formats_say_the_same(self):
        for mini in (False, True):
            ipk, apk = (FORMATS[kind](make(kind, mini)[1]) for kind in ("ipk", "apk"))
            for ours, theirs in (("Package", "name"), ("Version", "version"), ("Architecture", "arch"),
                                 ("License", "license"), ("Maintainer", "maintainer")):
                self.assertEqual(ipk.fields[ours], apk.fields[theirs])
            self.assertEqual(ipk.fields["Description"].strip(), apk.fields["description"])
            self.assertEqual(own_files(ipk), own_files(apk))
            self.assertLessEqual(ipk.folders, apk.folders)

    def test_one_variant_at_a_time_is_installed_and_the_full_one_preferred(self):
        full, mini = (readers.read_ipk(make("ipk", mini)[1]).fields for mini in (False, True))
        self.assertEqual((full["Conflicts"], full.get("Provides")), ("oasis6-mini", None))
        self.assertEqual((mini["Conflicts"], mini["Provides"]), ("oasis6", "oasis6"))
        full, mini = (readers.read_apk(make("apk", mini)[1]).fields for mini in (False, True))
        # A name provided with a version is a conflict with whoever else has that name.
        self.assertEqual((full["provides"], full.get("provider-priority")), ("", "100"))
        self.assertEqual((mini["provides"], mini.get("provider-priority")), ("oasis6=0.1.0-r1", None))

    def test_nothing_else_is_needed(self):
        self.assertNotIn("Depends", readers.read_ipk(make("ipk")[1]).fields)
        self.assertEqual(readers.read_apk(make("apk")[1]).fields["depends"], "")

    def test_the_configuration_and_the_state_survive_upgrades(self):
        for kind, mini, name, read in variants():
            contents = read(make(kind, mini)[1])
            self.assertIn("/etc/config/oasis6", contents.conffiles)
            self.assertEqual(contents.files[f"/lib/upgrade/keep.d/{name}"][1], b"/etc/oasis6/\n")
            self.assertFalse([path for path in contents.files if path.startswith("/etc/oasis6/")])
        files = readers.read_apk(make("apk")[1]).files
        sums = files["/lib/apk/packages/oasis6.conffiles_static"][1].decode().split()
        self.assertEqual(sums[0], "/etc/config/oasis6")
        self.assertRegex(sums[1], "^[0-9a-f]{64}$")
        listed = files["/lib/apk/packages/oasis6.list"][1].decode().splitlines()
        self.assertEqual(listed, sorted(path for path in files if not path.startswith("/lib/apk/")))

    def test_equal_input_makes_an_equal_package(self):
        for kind, mini, name, read in variants():
            first = make(kind, mini)
            self.assertEqual(first, make.__wrapped__(kind, mini), name)
            self.assertEqual(read(first[1]).times, {1700000000})
            self.assertNotEqual(first, make(kind, mini, time="1700000001"))

    def test_scripts_call_what_openwrt_expects(self):
        expected = {
            "postinst": "default_postinst NAME.postinst configure",
            "prerm": "default_prerm NAME.prerm configure",
            "post-install": "add_group_and_user\ndefault_postinst pkgname=NAME root= upgrade=",
            "post-upgrade": "add_group_and_user\ndefault_postinst pkgname=NAME root= upgrade=1",
            "pre-deinstall": "default_prerm pkgname=NAME root= upgrade=",
        }
        for kind, mini, name, read in variants():
            for script, text in read(make(kind, mini)[1]).scripts.items():
                with self.subTest(kind=kind, name=name, script=script):
                    self.assertEqual(run_script(text, name, script), expected[script].replace("NAME", name))
                    # In an image under construction there may be no functions.sh yet; then there is nothing to do.
                    self.assertEqual(run_script(text, name, script, functions=False), "")
                    if script.startswith("post"):
                        self.assertEqual(run_script(text, name, script, {"IPKG_NO_SCRIPT": "1"}), "")

    def test_damaged_packages_are_refused(self):
        for kind, read in FORMATS.items():
            data = make(kind)[1]
            for damaged in (data[:-1], data + b"\0", data[:len(data) // 2], b""):
                with self.assertRaises(readers.Refused):
                    read(damaged)

    def test_the_recipe_for_the_feed_agrees(self):
        recipe = (ROOT / "openwrt/Makefile").read_text()
        data = package.describe("all", b"", mini=False)
        self.assertIn(f"PKG_VERSION:={data.version.split('-')[0]}\nPKG_RELEASE:={package.RELEASE}\n", recipe)
        for name in ("oasis6", "oasis6-mini"):
            self.assertIn(f"define Package/{name}/conffiles\n" + "\n".join(data.conffiles) + "\nendef\n", recipe)


def run_script(text, name, script, environment=None, functions=True):
    """What a script of a package prints under busybox ash, with a stand-in for OpenWrt's functions.sh."""
    with tempfile.TemporaryDirectory() as root:
        Path(root, "lib").mkdir()
        if functions:
            Path(root, "lib/functions.sh").write_text(FUNCTIONS)
        path = Path(root, f"{name}.{script}")
        path.write_text(text)
        path.chmod(0o755)
        return subprocess.run(
            ["busybox", "ash", path, "configure"], env={"PATH": os.environ["PATH"], "IPKG_INSTROOT": root,
                                                        **(environment or {})},
            capture_output=True, text=True, check=True).stdout.strip()


@unittest.skipUnless(os.environ.get("PACKAGES"), "PACKAGES names no folder")
class Built(unittest.TestCase):
    """Packages that were built for real."""

    @classmethod
    def setUpClass(cls):
        paths = sorted(Path(os.environ["PACKAGES"]).glob("*/*.?pk"))
        cls.packages = [(path, FORMATS[path.suffix[1:]](path.read_bytes())) for path in paths]
        print(f"{len(paths)} packages for {len({path.parent for path in paths})} architectures", file=sys.stderr)

    def test_there_are_some(self):
        self.assertTrue(self.packages)

    def test_contents_are_the_recorded_ones(self):
        for path, contents in self.packages:
            with self.subTest(path):
                name = contents.fields.get("Package") or contents.fields["name"]
                self.assertEqual(listed(contents), recorded(name))

    def test_binaries_fit_the_architecture(self):
        for path, contents in self.packages:
            with self.subTest(path):
                arch = contents.fields.get("Architecture") or contents.fields["arch"]
                self.assertEqual(arch, path.parent.name)
                elf = contents.files["/usr/sbin/oasis6"][1]
                bits, order, machine = MACHINES[arch.split("_")[0]]
                self.assertEqual((elf[:4], elf[4], elf[5]), (b"\x7fELF", bits, order))
                self.assertEqual(struct.unpack("<>"[order - 1] + "H", elf[18:20])[0], machine)

    def test_binaries_are_static_and_stripped(self):
        for path, contents in self.packages:
            with self.subTest(path):
                elf = Elf(contents.files["/usr/sbin/oasis6"][1])
                self.assertNotIn(3, elf.segments, "wants a dynamic linker (PT_INTERP)")
                self.assertNotIn(2, elf.sections, "has a symbol table (SHT_SYMTAB)")

    def test_binaries_betray_no_path(self):
        homes = "|".join(map(re.escape, (str(ROOT), str(Path.home()), "/home/", "/usr/src/", "/usr/lib/rustlib")))
        for path, contents in self.packages:
            with self.subTest(path):
                found = re.findall(rf"(?:{homes})[\w./-]*".encode(), contents.files["/usr/sbin/oasis6"][1])
                self.assertEqual(found, [])


@unittest.skipUnless("APK" in os.environ, "APK names no program")
class RealApk(unittest.TestCase):
    """apk-tools accepts the packages."""

    def test_apk_verifies_installs_and_removes(self):
        with Root() as root:
            full, mini = root.packages("apk")

            def apk(*arguments):
                return root.run(os.environ["APK"], "--allow-untrusted", "--root", root.path, *arguments)

            apk("verify", full, mini)
            apk("add", "--initdb", "--arch", "mipsel_24kc", full)
            self.assertEqual(root.said(), "add_group_and_user\ndefault_postinst pkgname=oasis6 root= upgrade=\n")
            self.assertEqual((root.path / "usr/sbin/oasis6").read_bytes(), BINARY)
            self.assertEqual((root.path / "etc/config/oasis6").stat().st_mode & 0o7777, 0o600)
            with self.assertRaisesRegex(subprocess.CalledProcessError, "exit status"):
                apk("add", mini)
            apk("del", "oasis6")
            self.assertEqual(root.said(), "default_prerm pkgname=oasis6 root= upgrade=\n")
            self.assertFalse((root.path / "usr/sbin").exists())
            apk("add", mini)
            self.assertEqual(apk("info").split(), ["oasis6-mini"])

    def test_apk_checks_the_signature(self):
        with Root() as root:
            key, public = root.path / "key.pem", root.path / "keys/key.pub"
            public.parent.mkdir()
            root.run("openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", key)
            root.run("openssl", "ec", "-in", key, "-pubout", "-out", public)
            full, _ = root.packages("apk", "--key", key)
            root.run(os.environ["APK"], "verify", "--keys-dir", public.parent, full)
            with self.assertRaises(subprocess.CalledProcessError):
                root.run(os.environ["APK"], "verify", "--keys-dir", root.path / "lib", full)


@unittest.skipUnless("OPKG" in os.environ, "OPKG names no program")
class RealOpkg(unittest.TestCase):
    """opkg accepts the packages."""

    def test_opkg_installs_and_removes(self):
        with Root() as root:
            full, mini = root.packages("ipk")
            (root.path / "opkg.conf").write_text("dest root /\nlists_dir ext /lists\narch all 1\narch mipsel_24kc 10\n")

            def opkg(*arguments):
                return root.run(os.environ["OPKG"], "-o", root.path, "-f", root.path / "opkg.conf", *arguments)

            opkg("install", full)
            self.assertEqual((root.path / "usr/sbin/oasis6").read_bytes(), BINARY)
            self.assertIn("/usr/sbin/oasis6", opkg("files", "oasis6"))
            with self.assertRaises(subprocess.CalledProcessError):
                opkg("install", mini)
            configuration = root.path / "etc/config/oasis6"
            configuration.write_text("# changed\n")
            self.assertEqual(opkg("list-changed-conffiles").strip(), "/etc/config/oasis6")
            opkg("remove", "oasis6")
            self.assertEqual(configuration.read_text(), "# changed\n")
            self.assertFalse((root.path / "usr/sbin/oasis6").exists())
            opkg("install", mini)
            self.assertEqual(opkg("list-installed").strip(), "oasis6-mini - 0.1.0-r1")


class Root(tempfile.TemporaryDirectory):
    """A root file system with a static busybox and a stand-in for OpenWrt's functions.sh."""

    def __enter__(self):
        self.path = Path(super().__enter__())
        for folder in ("bin", "lib", "tmp", "packages", "usr/lib/opkg", "var/lock"):
            (self.path / folder).mkdir(parents=True)
        busybox = Path(shutil.which("busybox"))
        (self.path / "bin/busybox").write_bytes(busybox.read_bytes())
        (self.path / "bin/busybox").chmod(0o755)
        (self.path / "bin/sh").symlink_to("busybox")
        (self.path / "lib/functions.sh").write_text(FUNCTIONS.replace("echo", "echo >> /said"))
        return self

    def packages(self, kind, *options):
        """Paths of the full and the small package."""
        return [self.keep(*make(kind, mini, options=options)) for mini in (False, True)]

    def keep(self, name, content):
        """Writes a file."""
        path = self.path / "packages" / name
        path.write_bytes(content)
        return path

    def run(self, *command):
        """What a command prints."""
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    def said(self):
        """What the scripts printed since the last call."""
        path = self.path / "said"
        text = path.read_text()
        path.unlink()
        return text


class Elf:
    """Kinds of the segments and sections of an ELF file."""

    def __init__(self, data):
        order = "<>"[data[5] - 1]
        wide = data[4] == 2
        segments, sections = struct.unpack(order + "QQ", data[32:48]) if wide else struct.unpack(order + "II", data[28:36])
        at = 54 if wide else 42
        segment_size, segment_count, section_size, section_count = struct.unpack(order + "HHHH", data[at:at + 8])
        self.segments = [struct.unpack_from(order + "I", data, segments + i * segment_size)[0]
                         for i in range(segment_count)]
        self.sections = [struct.unpack_from(order + "I", data, sections + i * section_size + 4)[0]
                         for i in range(section_count)]


if __name__ == "__main__":
    unittest.main()
