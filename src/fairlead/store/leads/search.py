"""Looking for the leads of a consumer: by name, email address, telephone number, or the lead's id."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import LiteralString

from fairlead.core.entry.mailbox import mailbox_search_keys
from fairlead.core.entry.name_words import name_words, words_beginning_with
from fairlead.core.entry.phone import phone_search_keys
from fairlead.store.connection import Connection
from fairlead.store.keyset import SCANNED_ROWS, Conditions
from fairlead.store.leads.intake import phone_regions
from fairlead.store.leads.listing import LISTED, WITH_NICHE, ListedLead, Place, id_range
from fairlead.store.typed_rows import all_rows

_BEGINNING_OF_ID = re.compile("[0-9a-f]{8}[0-9a-f-]{0,28}", re.IGNORECASE)
_MOST_DIGITS_OF_ID = 32
_NUMBER = re.compile(r"[^\w@]*(?:p:)?[\d\s()+./x-]*", re.IGNORECASE)
_FEWEST_DIGITS = 5


@dataclass(frozen=True, slots=True)
class LeadMatches:
    """Leads, the newest first. `is_partial`: so many names begin alike that not all of them were looked at."""

    leads: tuple[ListedLead, ...]
    is_partial: bool


@dataclass(frozen=True, slots=True)
class _Ways:
    """How a text is looked for: by keys that are compared whole, by a range of ids, by beginnings of words.

    Of the words the rarest is the first; `is_cut`: it has more entries than are looked at.
    """

    emails: Sequence[str] = ()
    phones: Sequence[str] = ()
    id_prefix: str | None = None
    words: Sequence[str] = ()
    is_cut: bool = False


def find_leads(conn: Connection, text: str, after: Place | None, limit: int) -> LeadMatches:
    """The next leads that the text means, the newest first, after the one that was seen last.

    By what it is: a whole email address or telephone number, however it was written, then and now (`core/entry`), a
    number also without its country, if that is the region of any niche; the beginning of an id, from eight digits on;
    or words, each of which begins a word of the contact's name. Answered by indexes; of names that begin alike, so
    many are looked at.
    """
    ways = _ways(conn, text)
    return LeadMatches(_found(conn, ways, after, limit), ways.is_cut)


def leads_of_contact(
    conn: Connection, email: str | None, phone: str | None, after: Place | None, limit: int
) -> Sequence[ListedLead]:
    """The next leads with this email address or this telephone number, the newest first, answered by indexes."""
    return _found(conn, _ways_of_contact(conn, email, phone), after, limit)


def _ways(conn: Connection, text: str) -> _Ways:
    text = text.strip()
    if "@" in text:
        return _ways_of_contact(conn, text, None)
    digits = sum(each.isdigit() for each in text)
    is_number = digits >= _FEWEST_DIGITS and _NUMBER.fullmatch(text) is not None
    is_id = _BEGINNING_OF_ID.fullmatch(text) is not None and len(text.replace("-", "")) <= _MOST_DIGITS_OF_ID
    phones = phone_search_keys(text, phone_regions(conn)) if is_number else ()
    words, is_cut = ([], False) if is_number else _rarest_first(conn, text)
    return _Ways((), phones, text if is_id else None, words, is_cut)


def _ways_of_contact(conn: Connection, email: str | None, phone: str | None) -> _Ways:
    return _Ways(
        mailbox_search_keys(email) if email else (),
        phone_search_keys(phone, phone_regions(conn)) if phone else (),
    )


def _rarest_first(conn: Connection, text: str) -> tuple[list[str], bool]:
    """The words of the text, the one with the fewest entries first; whether even that has more than are looked at."""
    counts: dict[str, int] = {}
    for word in name_words(text):
        if word[0].isalnum():
            values = (*words_beginning_with(word), SCANNED_ROWS)
            query = f"select count(*) from ({_SCANNED}) w"  # noqa: S608 - constants of our own
            counts[word] = conn.execute(query, values).fetchall()[0][0]
    return sorted(counts, key=lambda word: counts[word]), min(counts.values(), default=0) == SCANNED_ROWS


def _found(conn: Connection, ways: _Ways, after: Place | None, limit: int) -> tuple[ListedLead, ...]:
    # Each way of its own: an index answers each, and none answers them together.
    parts, values = list[LiteralString](), list[object]()
    if ways.emails:
        parts.append("select id, created_at from leads where email_key = any(%s)")
        values.append(list(ways.emails))
    if ways.phones:
        parts.append("select id, created_at from leads where phone_key = any(%s)")
        values.append(list(ways.phones))
    if ways.id_prefix is not None:
        parts.append("(select id, created_at from leads where id between %s and %s order by id desc limit %s)")
        values += [*id_range(ways.id_prefix), SCANNED_ROWS]
    if ways.words:
        text, of_words = _by_words(ways.words)
        parts.append(text)
        values += of_words
    if not parts:
        return ()
    conditions = Conditions()
    if after is not None:
        conditions.add("(created_at, id) < (%s, %s::uuid)", *after)
    return tuple(
        all_rows(
            conn,
            ListedLead,
            f"""
            with found as materialized ({" union ".join(parts)}),
                 page as materialized (select id from found where {conditions.text}
                                       order by created_at desc, id desc limit %s)
            select {LISTED} from page join leads a on a.id = page.id {WITH_NICHE}
            order by a.created_at desc, a.id desc
            """,  # noqa: S608 - constants of our own
            (*values, *conditions.values, limit),
        )
    )


_SCANNED: LiteralString = """
    select lead_id, created_at from lead_name_words where word >= %s and word < %s
    order by word, created_at desc, lead_id desc limit %s"""
"""Of the leads with a word that begins so: a whole word comes before longer ones, of each the newest lead first."""


def _by_words(words: Sequence[str]) -> tuple[LiteralString, list[object]]:
    values: list[object] = [*words_beginning_with(words[0]), SCANNED_ROWS]
    others: LiteralString = ""
    for word in words[1:]:
        others += (
            " and exists (select from lead_name_words o where o.lead_id = w.lead_id and o.word >= %s and o.word < %s)"
        )
        values += words_beginning_with(word)
    return f"select w.lead_id as id, w.created_at from ({_SCANNED}) w where true{others}", values  # noqa: S608 - as above
