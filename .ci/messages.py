#!/usr/bin/env python3
"""The console's texts, from templates and code into the file that translators write for each language.

    python3 dev.py messages    src/fairlead/console/locale/LANGUAGE.po hold every text, and no other

Translations are kept; a new text has an empty one and is shown in English until then. Nothing in the files depends on
the day or on lines of code, so that a second run changes nothing.
"""

from __future__ import annotations

import ast
import io
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from fairlead.api.problem_codes import PROBLEMS
from fairlead.console.page import LSTRIP_BLOCKS, TRIM_BLOCKS
from fairlead.console.problem_words import ENGINE
from fairlead.console.viewer import LANGUAGES
from fairlead.core.filters.clauses import CLAUSES
from fairlead.core.gates import REGISTRY
from fairlead.core.messages import MORE
from fairlead.core.policy_messages import TEMPLATES
from fairlead.core.price_rule_words import PRICE_CLAUSES

SOURCE = Path(__file__).parents[1] / "src" / "fairlead"
NOT_OF_PAGES = {
    *("cli", "delivery", "telemetry", "embedded", "declaring", "importing", "proving", "money_check"),
    *("settings.py", "serve.py", "connection.py", "schema.py"),
}
"""Folders and files whose errors only commands, reports of the proof and the server's own log repeat."""
RAISED = {
    "Refused": 1,
    "BadInput": 0,
    "DocumentProblem": 2,
    "PydanticCustomError": 1,
    "EntryRefused": 1,
    "append": 0,
    "_too_large": 0,
}
"""The errors whose words an answer repeats, with the place of those among their arguments."""
SAID = {"Check": 0, "Invariant": 0, "Variable": 2}
"""What else it says on pages: what the proof checks, and what message templates may use."""
PLACE_OF_INPUT = re.compile(r"^[A-Za-z_\0][\w.\[\]\0-]*: ")
FEWEST_LETTERS = 10
"""Of a sentence beside its places: one with fewer fits what it does not say."""
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


def sentences_of_engine() -> list[str]:
    """What the engine and the API say on pages, once each, with a place `{0}` for each value."""
    found: dict[str, None] = {}
    for path in sorted(SOURCE.rglob("*.py")):
        said = SAID if {*path.relative_to(SOURCE).parts} & NOT_OF_PAGES else SAID | RAISED
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                found |= dict.fromkeys(_sentences_of(node, said))
    return sorted(found)


def _sentences_of(call: ast.Call, places: Mapping[str, int]) -> Iterator[str]:
    name = getattr(call.func, "id", getattr(call.func, "attr", ""))
    if name == "append" and getattr(getattr(call.func, "value", None), "id", "") != "problems":
        return
    if len(call.args) <= places.get(name, sys.maxsize):
        return
    for text in _texts_of(call.args[places[name]]):
        said = PLACE_OF_INPUT.sub("", text) if name in ("BadInput", "append") else text
        numbers = iter(range(10))
        said = re.sub("\0", lambda _: f"{{{next(numbers)}}}", said)  # noqa: B023
        beside = re.sub(r"\{\d\}", "", said).strip()
        if " " in said and (beside == said or len(beside) >= FEWEST_LETTERS):
            yield said


def _texts_of(node: ast.expr) -> Iterator[str]:
    """Each text that the expression may be; a value in it is a zero character."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        yield "".join(str(each.value) if isinstance(each, ast.Constant) else "\0" for each in node.values)
    elif isinstance(node, ast.List | ast.Tuple):
        for each in node.elts:
            yield from _texts_of(each)
    elif isinstance(node, ast.IfExp):
        yield from _texts_of(node.body)
        yield from _texts_of(node.orelse)


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
    for text in sentences_of_engine():
        template.add(text, context=ENGINE)
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
