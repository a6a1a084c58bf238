#!/usr/bin/env python3
"""The packages of LuCI's pages: their contents, rights, words and source."""
import json
import re
import sys
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
HERE = Path(__file__).parent
ROOT = HERE.parent.parent
sys.path[:0] = [str(HERE), str(ROOT / "openwrt")]
import ipk  # noqa: E402
import lmo  # noqa: E402
import luci  # noqa: E402
import readers  # noqa: E402
from package import contents  # noqa: E402

SOURCES = {path: path.read_text() for path in sorted((luci.APP / "htdocs").rglob("*.js"))}


class Pages(unittest.TestCase):
    """What can be said of the pages without a browser."""
    maxDiff = None

    def test_contents_are_the_recorded_ones(self):
        app = next(luci.describe())
        self.assertEqual(contents(app), (HERE / "luci-contents.txt").read_text().splitlines())
        fields = readers.read_ipk(ipk.build(app)).fields
        self.assertEqual((fields["Architecture"], fields["Depends"]), ("all", "luci-base, oasis6, jsonfilter"))

    def test_the_rights_are_exactly_the_methods_that_are_used(self):
        rights = json.loads((luci.APP / "root/usr/share/rpcd/acl.d/luci-app-oasis6.json").read_text())["luci-app-oasis6"]
        granted = {(thing, method) for part in ("read", "write") for thing, methods in rights[part]["ubus"].items() for method in methods}
        used = set(re.findall(r"object: '([\w.]+)', method: '(\w+)'", "".join(SOURCES.values())))
        if any("fs.exec(" in text for text in SOURCES.values()):
            used.add(("file", "exec"))
        self.assertEqual(granted, used)
        self.assertNotIn("*", json.dumps(rights))

    def test_no_element_takes_text_as_html(self):
        for path, text in SOURCES.items():
            self.assertNotRegex(text, r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(", path)
            # E() takes a string that is not in a list for HTML
            self.assertNotRegex(text, r"\bE\('[^']+', \{[^{}]*\}, (['\"`]|_\(|words\.|String\()", path)

    def test_the_template_holds_every_word(self):
        self.assertEqual(luci.TEMPLATE.read_text(), luci.template(), "run openwrt/luci.py pot")

    def test_every_call_for_a_translation_is_one_that_is_found(self):
        for path, text in SOURCES.items():
            calls = len(re.findall(r"(?<![\w.])_\(", text))
            self.assertEqual(calls, len(luci.STRING.findall(text)), path)

    def test_translations_cover_the_template(self):
        for po in (luci.APP / "po").glob("*/oasis6.po"):
            translated = lmo.read_po(po.read_text())
            self.assertEqual({text for text in luci.strings() if not translated.get(text)}, set(), po)
            for text in luci.strings():
                self.assertEqual(re.findall("%[sd]", text), re.findall("%[sd]", translated[text]), f"{po}: {text}")

    def test_lmo_hashes_are_those_of_luci(self):
        data = lmo.build('msgid ""\nmsgstr "x"\n\nmsgid "a"\nmsgstr "b"\n')
        self.assertEqual(data[:4], b"b\0\0\0")
        self.assertEqual(data[-4:], b"\0\0\0\x04")
        self.assertEqual(len(data), 4 + 16 + 4)


if __name__ == "__main__":
    unittest.main()
