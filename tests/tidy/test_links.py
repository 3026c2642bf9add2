"""Links between the pages of this repository lead somewhere."""

import re
from pathlib import Path

import pytest

from tests.tidy.links import anchors, broken_links

ROOT = Path(__file__).parents[2]
NOT_OURS = {"node_modules", "build", "dist"}


def _pages() -> list[Path]:
    parts = ((path, path.relative_to(ROOT).parts) for path in ROOT.rglob("*.md"))
    return sorted(path for path, names in parts if not any(n in NOT_OURS or n.startswith(".") for n in names))


def test_there_are_pages_to_look_at() -> None:
    assert ROOT / "CONTRIBUTING.md" in _pages()


@pytest.mark.parametrize("page", _pages(), ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_resolve(page: Path) -> None:
    assert broken_links(page, ROOT) == []


@pytest.mark.parametrize(
    ("link", "problem"),
    [
        ("[a](missing.md)", "no such file"),
        ("![a](missing.png)", "no such file"),
        ('[a](missing.md "title")', "no such file"),
        ("[a]: missing.md", "no such file"),
        ("[a](#missing)", "no such heading"),
        ("[a](other.md#missing)", "no such heading"),
        ("[a](../outside.md)", "leaves the repository"),
        ("[a](/other.md)", "is absolute"),
    ],
)
def test_broken_link_is_found(link: str, problem: str, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"# Page\n\nSee {link}.\n" if link.startswith(("[a](", "!")) else f"{link}\n", encoding="utf-8")
    (tmp_path / "other.md").write_text("# Other\n", encoding="utf-8")
    assert [problem in found for found in broken_links(page, tmp_path)] == [True]


def test_good_links_pass(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# The `way` of one lead\n\n[a](#the-way-of-one-lead) [b](other.md#twice-1) "
        "[c](https://example.org/x) [d](mailto:a@example.org) `[e](missing.md)`\n"
        "\n```\n[f](missing.md)\n```\n",
        encoding="utf-8",
    )
    (tmp_path / "other.md").write_text("# Twice\n\n# Twice\n", encoding="utf-8")
    assert broken_links(page, tmp_path) == []


def test_anchors_are_those_of_code_forges() -> None:
    text = '# R1: sold once\n\n```\n# not a heading\n```\n\n## A/B & [C](c.md)\n\n<a id="here"></a>\n'
    assert anchors(text) == {"r1-sold-once", "ab--c", "here"}


def test_every_page_is_in_the_navigation() -> None:
    """docs/README.md lists every page, by links of its own or through the index of decisions or of examples."""
    listing = [ROOT / name / "README.md" for name in ("docs", "docs/adr", "examples")]
    listed = {
        (page.parent / link).resolve()
        for page in listing
        for link in re.findall(r"\]\(([^)#]+\.md)\)", page.read_text(encoding="utf-8"))
    }
    folders = [ROOT / "docs", ROOT / "examples"]
    assert [
        page for page in _pages() if any(f in page.parents for f in folders) and page not in {*listed, *listing}
    ] == []
