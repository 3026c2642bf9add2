"""Rule of the house: a link in a page of this repository leads somewhere."""

import re
from collections import Counter
from pathlib import Path
from urllib.parse import unquote

_FENCE = re.compile(r"^(?P<fence>`{3,}|~{3,}).*?^(?P=fence)[`~]*[ \t]*$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"(`+)(?!`).*?(?<!`)\1(?!`)", re.DOTALL)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_INLINE = re.compile(r"\]\(\s*<?(?P<target>[^()\s<>]+(?:\([^()\s]*\)[^()\s<>]*)*)>?(?:\s+[\"'(][^)]*)?\s*\)")
_REFERENCE = re.compile(r"^ {0,3}\[(?!\^)[^\]]+\]:\s*<?(?P<target>[^\s>]+)", re.MULTILINE)
_HEADING = re.compile(r"^ {0,3}#{1,6}[ \t]+(?P<title>.+?)[ \t]*#*[ \t]*$", re.MULTILINE)
_HTML_ANCHOR = re.compile(r"<[^>]+\b(?:id|name)=[\"'](?P<anchor>[^\"']+)[\"']")
_ELSEWHERE = re.compile(r"^(?:[a-z][a-z0-9+.-]*:|//)", re.IGNORECASE)


def broken_links(page: Path, root: Path) -> list[str]:
    """Each relative link of the page whose file or heading does not exist, or that leaves the repository."""
    text = _COMMENT.sub("", _FENCE.sub("", page.read_text(encoding="utf-8")))
    text = _CODE.sub("", text)
    targets = [match["target"] for pattern in (_INLINE, _REFERENCE) for match in pattern.finditer(text)]
    return [
        f"{page.relative_to(root)}: {target}: {problem}"
        for target in targets
        if not _ELSEWHERE.match(target) and (problem := _problem(unquote(target), page, root))
    ]


def _problem(target: str, page: Path, root: Path) -> str | None:
    path, _, anchor = target.partition("#")
    if path.startswith("/"):
        return "is absolute, write it relative to the page"
    file = (page.parent / path).resolve() if path else page
    if not file.is_relative_to(root):
        return "leaves the repository"
    if not file.exists():
        return "no such file"
    if anchor and file.suffix == ".md" and anchor not in anchors(file.read_text(encoding="utf-8")):
        return "no such heading"
    return None


def anchors(text: str) -> set[str]:
    """The anchors of a page: those of its headings as code forges make them, and those written as HTML."""
    found = {match["anchor"] for match in _HTML_ANCHOR.finditer(text)}
    seen: Counter[str] = Counter()
    for match in _HEADING.finditer(_FENCE.sub("", text)):
        title = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", match["title"])
        slug = re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
        found.add(f"{slug}-{seen[slug]}" if seen[slug] else slug)
        seen[slug] += 1
    return found
