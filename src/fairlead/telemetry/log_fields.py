"""What a log line may hold: fields that are on a list, with values that look like names, ids and numbers.

Everything else is dropped, so that no personal data gets into a log by way of a keyword argument.
"""

import linecache
import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, TypeAlias, cast

from fairlead.telemetry.errors import error_frames, error_kind

# What structlog calls EventDict. The library takes long to import, and half of the verbs write no log.
EventDict: TypeAlias = MutableMapping[str, Any]

# Every line has these.
_OF_EVERY_LINE = ("timestamp", "level", "event", "logger")

LOG_FIELDS = frozenset(_OF_EVERY_LINE) | frozenset(
    """
    correlation_id trace_id request_id job_id worker_id
    lead_id niche_id level_id provider_id subscription_id assignment_id notification_id endpoint_id dead_letter_id
    export_id
    niche level_name queue task channel kind action outcome reason result state resolution
    error frames at
    attempt attempts seq journal_seq revision version
    count lead_count assignment_count job_count niche_count difference_count checked_count failure_count
    seconds wait_seconds timeout_seconds delay_seconds age_seconds retry_at
    method route status_code host port process_id signal dry_run
    """.split()
)
"""The names of the fields that a log line can have. A field that is added here must never hold personal data."""

# No @, quotes, percent or control characters: no address, no JSON, no SQL, nothing from a URL's query.
_PLAIN = re.compile(r"[\w .,:;/()\[\]<>=+-]{0,200}")
_ID = re.compile(r"[A-Za-z0-9._:-]{1,100}")
_PLACEHOLDER = re.compile(r"%(?:\(\w+\))?[#0\- +]*(?:\d+|\*)?(?:\.(?:\d+|\*))?[a-zA-Z]")
_WITHHELD = "(withheld)"
_MOST_ITEMS = 100


def only_known_fields(_logger: Any, _method: str, fields: EventDict) -> EventDict:
    """A structlog processor: what is not on the list, or does not look like a name, an id or a number, is gone.

    What every line has comes first, for people who read along.
    """
    first = {name: fields[name] for name in _OF_EVERY_LINE if name in fields}
    return first | {name: value for name, value in fields.items() if name in LOG_FIELDS and _is_fit(name, value)}


def without_error_text(_logger: Any, _method: str, fields: EventDict) -> EventDict:
    """A structlog processor: an exception becomes `error` (its kind) and `frames` (where); its text is gone."""
    exception = _exception(fields.pop("exc_info", None))
    if exception is not None:
        fields["error"] = error_kind(exception)
        fields["frames"] = error_frames(exception)
    return fields


def without_library_text(_logger: Any, _method: str, fields: EventDict) -> EventDict:
    """A structlog processor for what libraries log: their words stay, what they put into them does not.

    A library's message may repeat an exception's text, a row or an address. Its template is source text and harmless;
    of the arguments only numbers and kinds of errors are filled in. A message that was put together before it was
    logged is replaced by where it was logged.
    """
    record = cast("logging.LogRecord", fields["_record"])
    fields["event"] = _library_event(record, fields.pop("positional_args", None))
    fields["at"] = f"{record.module}:{record.lineno}"
    return fields


def _exception(exc_info: object) -> BaseException | None:
    if isinstance(exc_info, BaseException):
        return exc_info
    if isinstance(exc_info, tuple):
        found: object = cast("tuple[object, ...]", exc_info)[1]
        return found if isinstance(found, BaseException) else None
    if exc_info:
        return sys.exc_info()[1]
    return None


def _is_fit(name: str, value: object) -> bool:
    if value is None or isinstance(value, bool | int | float):
        return True
    if isinstance(value, str):
        return name in _OF_EVERY_LINE or (_ID if name.endswith("_id") else _PLAIN).fullmatch(value) is not None
    if isinstance(value, list | tuple):
        items = cast("list[object] | tuple[object, ...]", value)
        return len(items) <= _MOST_ITEMS and all(isinstance(item, str) and _PLAIN.fullmatch(item) for item in items)
    return False


def _library_event(record: logging.LogRecord, arguments: object) -> str:
    template: object = record.msg
    if isinstance(template, BaseException):
        return error_kind(template)
    if not isinstance(template, str):
        return _WITHHELD
    if arguments:
        return _filled_in(template, arguments)
    return template if _stands_in_source(template, record) else _WITHHELD


def _filled_in(template: str, arguments: object) -> str:
    if not isinstance(arguments, tuple):
        return _PLACEHOLDER.sub(_WITHHELD, template)
    remaining = iter(cast("tuple[object, ...]", arguments))
    return _PLACEHOLDER.sub(lambda _: _argument(next(remaining, None)), template)


def _argument(value: object) -> str:
    if isinstance(value, BaseException):
        return error_kind(value)
    return str(value) if isinstance(value, int | float) else _WITHHELD


def _stands_in_source(text: str, record: logging.LogRecord) -> bool:
    """Whether the text is a literal of the very line that logged it: then it cannot hold personal data."""
    lines = "".join(linecache.getline(record.pathname, record.lineno + offset) for offset in range(3))
    return f'"{text}"' in lines or f"'{text}'" in lines
