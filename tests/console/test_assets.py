"""What pages load is ours or known by checksum, and comes from this server alone."""

import hashlib
import re
import tomllib
from pathlib import Path

import pytest

import fairlead.console

ROOM = Path(fairlead.console.__file__).parent
STATIC = ROOM / "static"
TEMPLATES = sorted((ROOM / "templates").rglob("*.html"))


def test_what_is_vendored_is_unchanged_and_has_a_licence() -> None:
    listed = tomllib.loads((STATIC / "vendored.toml").read_text())["asset"]
    for each in listed:
        assert hashlib.sha256((STATIC / each["file"]).read_bytes()).hexdigest() == each["sha256"], each["file"]
        assert {"name", "version", "source", "licence"} <= each.keys()
    binary = {str(path.relative_to(STATIC)) for path in STATIC.rglob("*.woff2")}
    assert binary <= {each["file"] for each in listed}, "a file that cannot be reviewed has no entry"


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOM)))
def test_templates_hold_nothing_that_the_policy_refuses(path: Path) -> None:
    text = path.read_text()
    assert not re.search(r"<script(?![^>]*\bsrc=)(?![^>]*application/json)", text), "an inline script"
    assert not re.search(r"\sstyle=|<style|\son[a-z]+=\"", text), "an inline style or handler"
    assert not re.search(r"(?:src|href)=\"(?:https?:)?//", text), "something of another server"
    assert "|safe" not in text, "text that is not escaped"
    # A card is a landmark already: a frame of the same name in it would be a second one.
    assert not re.search(r"table-frame\"[^>]*role=\"region\"", text), "a table's frame that is a landmark"
    # Jinja counts by the first value of the block.
    counted = re.findall(r"{%-? trans ([^%]*?)%}(?:(?!{%-? endtrans).)*?{%-? pluralize %}", text, re.S)
    assert [each for each in counted if not each.startswith("count=")] == [], "a plural of what is no count"
    # Sent before its script is there, such a form would go to the page's own address with all that it holds in it.
    assert not re.search(r"<form\b(?![^>]*\bmethod=)", text), "a form without a method"


def test_scripts_and_styles_ask_no_other_server() -> None:
    for path in (*STATIC.glob("*.js"), *STATIC.glob("*.css")):
        found = re.findall(r"https?://(?!www\.w3\.org/)[^\s\"')]+", path.read_text())
        assert found == [], path.name
        assert not re.search(r"\beval\(|new Function|innerHTML|outerHTML|insertAdjacentHTML", path.read_text()), (
            path.name
        )


def test_what_a_page_looks_like_follows_from_its_style_sheets() -> None:
    """Nothing else asks whether the window is dark or how large it is, and only colours differ in the dark.

    So tests/browser/test_every_page.py may ask for a page once and look at it in light, in the dark and narrow.
    """
    for path in STATIC.glob("*.js"):
        asks = re.findall(r"matchMedia|innerWidth|outerWidth|screen\.width|['\"]resize['\"]|onresize", path.read_text())
        assert asks == [], path.name
    for path in (*STATIC.glob("*.css"), *TEMPLATES):
        assert "prefers-color-scheme" not in path.read_text(), path.name


def test_every_icon_that_is_named_is_there() -> None:
    there = set(re.findall(r'<symbol id="([\w-]+)"', (STATIC / "icons.svg").read_text()))
    named = {name for path in TEMPLATES for name in re.findall(r'\bicon\("([\w-]+)"\)', path.read_text())}
    named |= set(re.findall(r'noted\("[^"]+"\), "([\w-]+)"', (ROOM / "navigation.py").read_text()))
    assert named <= there
