"""The one word and the one colour of every status, the same wherever it is shown."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from fairlead.console.texts import noted, translated

Tone = Literal["ok", "wait", "bad", "off"]
"""Sold or active; waiting or limited; failed, or refused for money; off."""


@dataclass(frozen=True, slots=True)
class _Status:
    word: str
    tone: Tone


_STATUSES: Mapping[str, _Status] = {
    # of leads
    "pending_confirmation": _Status(noted("unconfirmed"), "off"),
    "pending_approval": _Status(noted("in review"), "wait"),
    "approved": _Status(noted("approved"), "wait"),
    "distributed": _Status(noted("distributed"), "ok"),
    "rejected": _Status(noted("rejected"), "off"),
    "bad": _Status(noted("bad"), "bad"),
    # of providers, subscriptions, users, endpoints and assignments
    "active": _Status(noted("active"), "ok"),
    "pending": _Status(noted("pending"), "wait"),
    "suspended": _Status(noted("suspended"), "bad"),
    "paused": _Status(noted("paused"), "off"),
    "insufficient_funds": _Status(noted("out of money"), "bad"),
    "accepted": _Status(noted("accepted"), "ok"),
    "withdrawn": _Status(noted("withdrawn"), "bad"),
    "erased": _Status(noted("erased"), "off"),
    "refunded": _Status(noted("refunded"), "wait"),
    "admin": _Status(noted("operator"), "off"),
    "provider": _Status(noted("provider"), "off"),
    "invited": _Status(noted("invited"), "wait"),
    "disabled": _Status(noted("disabled"), "off"),
    "failed": _Status(noted("failed"), "bad"),
    "sent": _Status(noted("sent"), "ok"),
    "filter_invalid": _Status(noted("filter does not fit"), "bad"),
    "queued": _Status(noted("queued"), "wait"),
    "skipped": _Status(noted("skipped"), "off"),
    "deleted": _Status(noted("deleted"), "off"),
    "ended": _Status(noted("ended"), "off"),
    "held_back": _Status(noted("held back"), "wait"),
    "archived": _Status(noted("archived"), "off"),
    # of payments
    "receipt_taken_back": _Status(noted("taken back"), "off"),
    "statement_final": _Status(noted("final"), "ok"),
    "statement_open": _Status(noted("not closed yet"), "wait"),
    "payment_pending": _Status(noted("pending"), "wait"),
    "payment_succeeded": _Status(noted("succeeded"), "ok"),
    "payment_failed": _Status(noted("failed"), "bad"),
    "payment_in_review": _Status(noted("in review"), "wait"),
    # of auto top-up
    "top_up_on": _Status(noted("on"), "ok"),
    "top_up_off": _Status(noted("off"), "off"),
    # of workers
    "silent": _Status(noted("silent"), "bad"),
    # of decisions, of runs of jobs, and of what was given up
    "success": _Status(noted("success"), "off"),
    "partial": _Status(noted("partial"), "off"),
    "no_eligible": _Status(noted("no eligible"), "off"),
    "succeeded": _Status(noted("succeeded"), "off"),
    "crashed": _Status(noted("crashed"), "off"),
    "interrupted": _Status(noted("interrupted"), "off"),
    # of exports
    "waiting": _Status(noted("waiting"), "wait"),
    "running": _Status(noted("running"), "wait"),
    "ready": _Status(noted("ready"), "ok"),
    "expired": _Status(noted("expired"), "off"),
    "cancelled": _Status(noted("cancelled"), "off"),
    "open": _Status(noted("open"), "off"),
    "retried": _Status(noted("retried"), "off"),
    "resolved": _Status(noted("resolved"), "off"),
}


def word_of(status: str) -> str:
    """What the status is called in the language of the page; the status itself where it is not listed."""
    known = _STATUSES.get(status)
    return status.replace("_", " ") if known is None else translated(known.word)


def known_word(status: str) -> str | None:
    """What the status is called in the language of the page; None for what is no status."""
    known = _STATUSES.get(status)
    return None if known is None else translated(known.word)


def tone_of(status: str) -> Tone:
    """The colour that goes with the word."""
    known = _STATUSES.get(status)
    return "off" if known is None else known.tone
