#!/usr/bin/env python3
"""luci.py ipk|apk [--out FOLDER] [--key PEM]

The packages of LuCI's pages: luci-app-oasis6, and luci-i18n-oasis6-LANGUAGE for each translation. They are the same on every
architecture. Prints their paths. `luci.py contents` lists what is installed, `luci.py pot` writes the template of translations.
"""
import re
import sys
import tomllib
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).parent))
import lmo  # noqa: E402
from package import MAINTAINER, RELEASE, ROOT, Package, arguments, build_time, contents, files_under, write  # noqa: E402

APP = ROOT / "luci-app"
TEMPLATE = APP / "po/templates/oasis6.pot"
STRING = re.compile(r"\b_\(\s*'((?:[^'\\]|\\.)*)'\s*\)")


def strings():
    """Everything that is translated, in the order of the source: text → where it first stands."""
    found = {}
    for path in sorted((APP / "htdocs").rglob("*.js")):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            for text in STRING.findall(line):
                found.setdefault(text.replace("\\'", "'"), f"{path.relative_to(APP).as_posix()}:{number}")
    return found


def template():
    """The template of translations."""
    head = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8"\n'
    escaped = ((text.replace("\\", "\\\\").replace('"', '\\"'), place) for text, place in strings().items())
    return head + "".join(f'\n#: {place}\nmsgid "{text}"\nmsgstr ""\n' for text, place in escaped)


def describe():
    """Every package."""
    cargo = tomllib.loads((ROOT / "Cargo.toml").read_text())["package"]

    def package(name, description, files, depends):
        return Package(
            name=name, version=f"{cargo['version']}-r{RELEASE}", arch="all", license=cargo["license"], maintainer=MAINTAINER,
            description=description, provides=[], conflicts=[], default=False, conffiles=[], files=dict(sorted(files.items())),
            time=build_time(), depends=depends, section="luci")

    pages = {**files_under(APP / "htdocs", "www/"), **files_under(APP / "root", "")}
    yield package("luci-app-oasis6", "LuCI pages for oasis6, IPv6 for any network", pages, ("luci-base", "oasis6", "jsonfilter"))
    for po in sorted((APP / "po").glob("*/oasis6.po")):
        language = po.parent.name
        files = {f"usr/lib/lua/luci/i18n/oasis6.{language}.lmo": (0o644, lmo.build(po.read_text()))}
        yield package(f"luci-i18n-oasis6-{language}", f"Translation of luci-app-oasis6 ({language})", files, ("luci-app-oasis6",))


def main():
    """The command."""
    args = arguments(__doc__, ["ipk", "apk", "contents", "pot"]).parse_args()
    if args.format == "pot":
        TEMPLATE.write_text(template())
        return
    for package in describe():
        print("\n".join(contents(package)) if args.format == "contents" else write(package, args))


if __name__ == "__main__":
    main()
