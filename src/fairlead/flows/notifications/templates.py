"""What messages look like: the templates that come with Fairlead, and the versions that operators make of them.

Versions are only ever added, and the highest of a kind in a language is in use. One that restores the default holds no
text: the default of whichever release runs is in use then, and its later improvements with it.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from fairlead.core.canonical import canonical_json
from fairlead.core.entry.refusal import EntryRefused
from fairlead.core.entry.text import canonical_line, composed
from fairlead.core.errors import BadInput, Refused
from fairlead.delivery.template_variables import ACCOUNT_KINDS, KINDS, sample_values
from fairlead.delivery.templates import Rendered, Template, check_template, default_template, languages_of, render
from fairlead.flows.configuration.versions import require_version
from fairlead.store.audit.log import Actor, AuditEvent, append_audit
from fairlead.store.connection import Connection, Database
from fairlead.store.leads.rows import clock
from fairlead.store.notifications.templates import (
    TemplateVersion,
    hold_templates,
    insert_version,
    newest_version,
    template_version,
    versions_of,
)

MAX_MEMO_CHARACTERS = 500

OPENS_ACCOUNTS = frozenset(ACCOUNT_KINDS)
"""Kinds whose link sets a user's password. The author of such a message could have the link sent elsewhere."""


@dataclass(frozen=True, slots=True)
class TemplateInUse:
    """A kind's template. `version` is None while it was never changed; `is_default`: it is the release's own."""

    template: Template
    version: int | None
    is_default: bool
    changed_at: datetime | None = None
    changed_by: str | None = None

    @property
    def state(self) -> str:
        """Tells whether it is still what its editor saw: another version, or another release's default, is another."""
        parts = {"subject": self.template.subject, "html": self.template.html, "text": self.template.text}
        return hashlib.sha256(canonical_json({"version": self.version, **parts})).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class SavedTemplate:
    """The version that is in use. `took_effect` is False where it said the same before."""

    kind: str
    version: int | None
    took_effect: bool


def list_templates(database: Database) -> list[TemplateInUse]:
    """The template in use for every kind of message, in every language that it is written in."""
    with database.snapshot() as conn:
        return [template_in_use(conn, kind, language) for kind in KINDS for language in languages_of(kind)]


def template_in_use(conn: Connection, kind: str, language: str = "en") -> TemplateInUse:
    """What messages of this kind are written with in that language. Raises `Refused`: `template_unknown`."""
    _check_kind(kind, language)
    newest = newest_version(conn, kind, language)
    if newest is None:
        return TemplateInUse(default_template(kind, language), None, is_default=True)
    return _as_used(newest)


def show_template(database: Database, kind: str, version: int | None = None, language: str = "en") -> TemplateInUse:
    """The template in use, or this version of it. Raises `Refused`: `template_unknown`."""
    with database.snapshot() as conn:
        if version is None:
            return template_in_use(conn, kind, language)
        return _version(conn, kind, language, version)


def template_versions(database: Database, kind: str, language: str = "en") -> list[TemplateVersion]:
    """All versions that operators made, the newest first. Raises `Refused`: `template_unknown`."""
    _check_kind(kind, language)
    with database.snapshot() as conn:
        return versions_of(conn, kind, language)


def preview_template(template: Template) -> Rendered:
    """The message with sample values, no person's data.

    Raises `BadInput` with everything that is wrong with it, and `Refused`: `template_unknown`.
    """
    _check_kind(template.kind, template.language)
    written = _composed(template)
    if problems := check_template(written):
        raise BadInput(problems)
    return render(written, sample_values(template.kind))


def save_template(
    database: Database, template: Template, memo: str, actor: Actor, *, expected_state: str | None = None
) -> SavedTemplate:
    """The template is in use, as a new version. One that is in use already makes none.

    `memo` says why: one line of 1 to 500 characters. Audited; one edit at a time. Raises `BadInput` with everything
    that is wrong with the template, and `Refused`: `template_unknown`; `version_conflict` where the one in use has
    another `state` than expected.
    """
    _check_kind(template.kind, template.language)
    written = _composed(template)
    problems = [*check_template(written), *_memo_problems(memo)]
    if problems:
        raise BadInput(problems)
    words = canonical_line(memo, MAX_MEMO_CHARACTERS)
    return database.run(
        lambda conn: _add(conn, (written.kind, written.language), written, words, actor, expected_state)
    )


def restore_template(
    database: Database,
    kind: str,
    version: int | None,
    actor: Actor,
    *,
    language: str = "en",
    expected_state: str | None = None,
) -> SavedTemplate:
    """What that version said, or with None the default, is in use again, as a new version; audited.

    Restoring the default follows it: what a later release improves in it takes effect. An old version is checked as a
    new one would be. Raises `BadInput`, and `Refused`: `template_unknown`, `version_conflict`.
    """

    def work(conn: Connection) -> SavedTemplate:
        restored = None if version is None else _version(conn, kind, language, version)
        if restored is None or restored.is_default:
            return _add(conn, (kind, language), None, "restored the default", actor, expected_state)
        if problems := check_template(restored.template):
            raise BadInput(problems)
        return _add(conn, (kind, language), restored.template, f"restored version {version}", actor, expected_state)

    _check_kind(kind, language)
    return database.run(work)


def _add(
    conn: Connection,
    of: tuple[str, str],
    template: Template | None,
    memo: str,
    actor: Actor,
    expected_state: str | None,
) -> SavedTemplate:
    kind, language = of
    hold_templates(conn)
    used = template_in_use(conn, kind, language)
    require_version(expected_state, used.state, "the template")
    own = None if used.is_default else used.template
    if own == template:
        return SavedTemplate(kind, used.version, took_effect=False)
    now = clock(conn)
    version = (used.version or 0) + 1
    parts = (None, None, None) if template is None else (template.subject, template.html, template.text)
    insert_version(conn, TemplateVersion(kind, language, version, *parts, now, actor.name, memo))
    old, new = (
        {"language": language, "version": used.version, "is_default": used.is_default},
        {"language": language, "version": version, "is_default": template is None},
    )
    append_audit(conn, [AuditEvent(actor, "template.saved", "template", kind, old=old, new=new, memo=memo)], now)
    return SavedTemplate(kind, version, took_effect=True)


def _version(conn: Connection, kind: str, language: str, version: int) -> TemplateInUse:
    _check_kind(kind, language)
    found = template_version(conn, kind, language, version)
    if found is None:
        raise Refused("template_unknown", f"the template {kind} has no version {version}")
    return _as_used(found)


def _as_used(row: TemplateVersion) -> TemplateInUse:
    if row.subject is None or row.html is None or row.body_text is None:
        default = default_template(row.kind, row.language)
        return TemplateInUse(default, row.version, True, row.created_at, row.created_by)
    template = Template(row.kind, row.subject, row.html, row.body_text, row.language)
    return TemplateInUse(template, row.version, False, row.created_at, row.created_by)


def _composed(template: Template) -> Template:
    """As it is compared and stored: what says the same is the same."""
    subject, html, text = map(composed, (template.subject, template.html, template.text))
    return Template(template.kind, subject, html, text, template.language)


def _check_kind(kind: str, language: str) -> None:
    if kind not in KINDS:
        raise Refused("template_unknown", f"there is no template {kind!r}; there are {', '.join(KINDS)}")
    if language not in languages_of(kind):
        raise Refused("template_unknown", f"the template {kind} is not there in the language {language!r}")


def _memo_problems(memo: str) -> list[str]:
    try:
        canonical_line(memo, MAX_MEMO_CHARACTERS)
    except EntryRefused as refused:
        return [f"memo: {refused.message}"]
    return []
