"""The catalogues of texts: written in English in code and templates, translated in `locale/LANGUAGE.po`."""

import io
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from gettext import GNUTranslations, NullTranslations
from importlib.resources import files
from importlib.resources.abc import Traversable

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

_SOURCE = "en"
_current: ContextVar[str] = ContextVar("language", default=_SOURCE)


def translated(message: str) -> str:
    """The text in the language of the page that is being written."""
    return translations_of_page().gettext(message)


def translated_count(singular: str, plural: str, count: int) -> str:
    """The form of the text that goes with this number, in the language of the page that is being written."""
    return translations_of_page().ngettext(singular, plural, count)


def noted(message: str) -> str:
    """The text itself, for the catalogue: it is translated where it is shown.

    >>> noted("Leads")
    'Leads'
    """
    return message


def translations_of_page() -> NullTranslations:
    """Those of `writing_in`, English outside of it."""
    return _catalogue(_current.get())


def language_of_page() -> str:
    """That of `writing_in`, English outside of it."""
    return _current.get()


def translated_in_context(context: str, message: str) -> str:
    """The text of this context in the language of the page that is being written."""
    return translations_of_page().pgettext(context, message)


@cache
def texts_in_context(context: str, language: str) -> tuple[str, ...]:
    """The texts of this context that the language's catalogue has, in English; none in English itself."""
    source = _file_of(language)
    if not source.is_file():
        return ()
    catalogue = read_po(io.BytesIO(source.read_bytes()), locale=language)
    return tuple(str(each.id) for each in catalogue if each.id and each.context == context)


@contextmanager
def writing_in(language: str) -> Generator[None]:
    """Within it every text is in this language."""
    token = _current.set(language)
    try:
        yield
    finally:
        _current.reset(token)


@cache
def _catalogue(language: str) -> NullTranslations:
    """Read from the file that translators write: small, once a process, and no compiled copy that could be stale."""
    source = _file_of(language)
    if not source.is_file():
        return NullTranslations()
    compiled = io.BytesIO()
    write_mo(compiled, read_po(io.BytesIO(source.read_bytes()), locale=language))
    compiled.seek(0)
    return GNUTranslations(compiled)


def _file_of(language: str) -> Traversable:
    return files("fairlead.console") / "locale" / f"{language}.po"
