"""How `python3 dev.py site` makes a web site of the pages of this repository.

The pages stay readable where they are: the site's root is the checkout, so that a link from one page to another, or to
a file of the code, means the same on the site and beside the code. The lists of docs/README.md are its navigation.
"""

import re
from importlib.metadata import version as installed_version
from pathlib import Path, PurePosixPath
from posixpath import normpath, relpath

from sphinx.application import Sphinx

ROOT = Path(__file__).parents[2]

project = "Fairlead"
copyright = "the Fairlead contributors; Apache License 2.0"
release = version = installed_version("fairlead")

extensions = ["myst_parser"]
root_doc = "docs/README"
include_patterns = ["*.md", "docs/**.md", "examples/**.md"]
source_suffix = {".md": "markdown"}
myst_heading_anchors = 4

html_theme = "furo"
html_title = "Fairlead"
html_copy_source = False
html_show_sphinx = False
html_extra_path = ["index.html"]

LINK = re.compile(r"\[(?P<text>[^\]]*)\]\((?P<target>[^)\s#]+)\)")
# Pages that are reached from a page that lists them, and not from the navigation.
LISTED = {"docs/adr/README": "docs/adr/0*"}


def setup(app: Sphinx) -> None:
    app.connect("source-read", _with_navigation)
    app.connect("source-read", _without_folders)


def _with_navigation(_app: Sphinx, page: str, source: list[str]) -> None:
    """Each list of docs/README.md becomes a part of the navigation under its heading."""
    if page == root_doc:
        parts = re.split(r"^## (.*)$", source[0], flags=re.MULTILINE)
        for heading, listed in zip(parts[1::2], parts[2::2], strict=True):
            entries = [f"{link['text']} <{link['target'].removesuffix('.md')}>" for link in LINK.finditer(listed)]
            source[0] += _toctree(f":caption: {heading}", *entries)
    elif page in LISTED:
        source[0] += _toctree(":glob:", f"/{LISTED[page]}")


def _without_folders(_app: Sphinx, page: str, source: list[str]) -> None:
    """A link to a folder leads to the folder's page where it has one; a site has no others to show."""
    here = PurePosixPath(page).parent

    def link(found: re.Match[str]) -> str:
        folder = normpath(here / found["target"])
        if "://" in found["target"] or not (ROOT / folder).is_dir():
            return found[0]
        if (ROOT / folder / "README.md").is_file():
            return f"[{found['text']}]({relpath(f'{folder}/README.md', here)})"
        return found["text"]

    source[0] = LINK.sub(link, source[0])


def _toctree(*lines: str) -> str:
    options = [line for line in lines if line.startswith(":")]
    entries = [line for line in lines if not line.startswith(":")]
    return "\n".join(["", "", "```{toctree}", ":hidden:", *options, "", *entries, "```", ""])
