#!/usr/bin/env python3
"""The console's texts, from templates and code into the file that translators write for each language.

    python3 dev.py messages    src/fairlead/console/locale/LANGUAGE.po hold every text, and no other

Translations are kept; a new text has an empty one and is shown in English until then. Nothing in the files depends on
the day or on lines of code, so that a second run changes nothing.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from fairlead.api.problem_codes import PROBLEMS
from fairlead.console.page import LSTRIP_BLOCKS, TRIM_BLOCKS
from fairlead.console.viewer import LANGUAGES
from fairlead.core.filters.clauses import CLAUSES
from fairlead.core.gates import REGISTRY
from fairlead.core.messages import MORE
from fairlead.core.policy_messages import TEMPLATES
from fairlead.core.price_rule_words import PRICE_CLAUSES

CONSOLE = Path(__file__).parents[1] / "src" / "fairlead" / "console"
KEYWORDS: dict[str, tuple[int, ...] | None] = {
    "_": None,
    "gettext": None,
    "ngettext": (1, 2),
    "noted": None,
    "translated": None,
    "translated_count": (1, 2),
}
METHODS = [("**.py", "python"), ("templates/**.html", "jinja2.ext:babel_extract")]
# As pages read them, else a text of several lines or with a percent sign would be another one here than there.
JINJA_OPTIONS = {
    "silent": "false",
    "newstyle_gettext": "true",
    "trim_blocks": str(TRIM_BLOCKS).lower(),
    "lstrip_blocks": str(LSTRIP_BLOCKS).lower(),
}

HEADER = """\
# The texts of the console. `python3 dev.py messages` brings the list up to date.
# What has no translation is shown in English.
msgid ""
msgstr ""
"Language: {language}\\n"
"Content-Type: text/plain; charset=UTF-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: {plural_forms}\\n"

"""


def texts() -> Iterator[str | tuple[str, str]]:
    """Every text that the console shows, a pair where it has a plural; the same one may come several times."""
    found = extract_from_dir(
        CONSOLE, method_map=METHODS, options_map={"templates/**.html": JINJA_OPTIONS}, keywords=KEYWORDS
    )
    for _, _, text, _, _ in found:
        yield (text[0], text[1]) if isinstance(text, tuple) else text
    yield MORE
    for kind in PROBLEMS.values():
        yield kind.title
    yield from TEMPLATES.values()
    yield from CLAUSES.values()
    yield from PRICE_CLAUSES.values()
    for refusal in REGISTRY.refusals:
        yield refusal.summary
        yield from refusal.sentences.values()


def path_of(language: str) -> Path:
    """Its file."""
    return CONSOLE / "locale" / f"{language}.po"


def updated(language: str) -> bytes:
    """What the file of this language should be: every text with its translation so far."""
    catalog = Catalog(locale=language)
    if path_of(language).exists():
        catalog = read_po(io.BytesIO(path_of(language).read_bytes()), locale=language, abort_invalid=True)
    template = Catalog()
    for text in texts():
        template.add(text)
    catalog.update(template, no_fuzzy_matching=True, update_header_comment=False)
    out = io.BytesIO(HEADER.format(language=language, plural_forms=catalog.plural_forms).encode())
    out.seek(0, io.SEEK_END)
    write_po(out, catalog, width=120, no_location=True, omit_header=True, sort_output=True, ignore_obsolete=True)
    return out.getvalue()


def main() -> int:
    """Writes every language's file; exit code 0."""
    for language in LANGUAGES[1:]:
        path_of(language).parent.mkdir(exist_ok=True)
        path_of(language).write_bytes(updated(language))
        catalog = read_po(io.BytesIO(path_of(language).read_bytes()), locale=language)
        missing = sum(not any(_strings(each.string)) for each in catalog if each.id)
        print(f"{language}: {len(catalog)} texts, {missing} without a translation")
    return 0


def _strings(string: str | list[str] | tuple[str, ...]) -> tuple[str, ...]:
    return (string,) if isinstance(string, str) else tuple(string)


if __name__ == "__main__":
    sys.exit(main())
