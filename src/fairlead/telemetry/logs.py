"""Logs: one line per event on standard error, for programs (JSON) or for people, and nothing personal in any of them.

    log = get_logger(__name__)
    with correlation(lead.correlation_id, lead_id=lead.lead_id):
        log.info("lead distributed", outcome="success", seconds=0.012)

The event is a fixed text; what varies goes into fields, and only fields that `LOG_FIELDS` names are written.
"""

import logging
import re
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import Literal, TextIO

import structlog
from structlog.stdlib import BoundLogger, ProcessorFormatter
from structlog.types import EventDict, Processor, WrappedLogger
from uuid_utils.compat import uuid7

from fairlead.telemetry.errors import error_kind
from fairlead.telemetry.log_fields import LOG_FIELDS, only_known_fields, without_error_text, without_library_text
from fairlead.telemetry.traces import current_trace_id

__all__ = [
    "LOG_FIELDS",
    "checked_correlation_id",
    "correlation",
    "current_correlation_id",
    "error_kind",
    "get_logger",
    "new_correlation_id",
    "set_up_logs",
]

LogFormat = Literal["json", "console"]

_CORRELATION_ID = re.compile(r"[A-Za-z0-9._-]{1,100}")

# A library's own bookkeeping drowns ours, and HTTP libraries log whole addresses, which may hold a secret.
_LIBRARY_LEVELS = {
    "alembic": logging.WARNING,
    "asyncio": logging.WARNING,
    "httpcore2": logging.WARNING,
    "httpx2": logging.WARNING,
    "opentelemetry": logging.WARNING,
    "psycopg": logging.WARNING,
    "psycopg.pool": logging.WARNING,
    "uvicorn": logging.WARNING,
    "uvicorn.access": logging.WARNING,
    "uvicorn.error": logging.WARNING,
}


def _with_trace_id(_logger: WrappedLogger, _method: str, fields: EventDict) -> EventDict:
    if trace_id := current_trace_id():
        fields["trace_id"] = trace_id
    return fields


_COMMON: tuple[Processor, ...] = (
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    _with_trace_id,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    without_error_text,
)

# Here, not in set_up_logs: what is logged before, or by a command that sets nothing up, passes the list too.
structlog.configure(
    processors=[
        structlog.stdlib.filter_by_level,
        *_COMMON,
        only_known_fields,
        ProcessorFormatter.wrap_for_formatter,
    ],
    wrapper_class=BoundLogger,
    logger_factory=structlog.stdlib.LoggerFactory(),
)


class _Handler(logging.StreamHandler[TextIO]):
    """Does not print a record that could not be written: logging's own complaint would repeat its arguments."""

    def handleError(self, record: logging.LogRecord) -> None:
        exception = sys.exc_info()[1]
        kind = error_kind(exception) if exception else "?"
        try:
            self.stream.write(f"a log line of {record.module}:{record.lineno} could not be written: {kind}\n")
        except (OSError, ValueError):
            return  # the stream has no reader any more


def get_logger(name: str) -> BoundLogger:
    """A logger for this module (`__name__`). Keyword arguments become fields; those that are not listed are dropped."""
    return structlog.stdlib.get_logger(name)


def set_up_logs(level: str, log_format: LogFormat, stream: TextIO | None = None) -> None:
    """This process logs to `stream` (standard error when None), its libraries in the same form as itself.

    An exception that is not caught, in whichever thread, is logged like every other: kind and place, no text.
    Calling it again replaces what was set up before.
    """
    handler = _Handler(stream or sys.stderr)
    handler.setFormatter(_formatter(log_format, handler.stream))
    root = logging.getLogger()
    for previous in [each for each in root.handlers if isinstance(each, _Handler)]:
        root.removeHandler(previous)
    root.addHandler(handler)
    root.setLevel(level.upper())
    for name, least in _LIBRARY_LEVELS.items():
        # Handlers of its own would write past ours.
        library = logging.getLogger(name)
        library.handlers.clear()
        library.propagate = True
        library.setLevel(max(least, root.level))
    sys.excepthook = _log_uncaught
    threading.excepthook = lambda args: _log_uncaught(args.exc_type, args.exc_value, None)
    sys.unraisablehook = lambda args: _log_uncaught(args.exc_type, args.exc_value, None)


def _formatter(log_format: LogFormat, stream: TextIO) -> ProcessorFormatter:
    renderer: Processor = structlog.processors.JSONRenderer(sort_keys=False)
    if log_format == "console":
        renderer = structlog.dev.ConsoleRenderer(colors=stream.isatty())
    return ProcessorFormatter(
        foreign_pre_chain=[without_library_text, *_COMMON],
        processors=[ProcessorFormatter.remove_processors_meta, only_known_fields, renderer],
        use_get_message=False,
        pass_foreign_args=True,
    )


def _log_uncaught(kind: type[BaseException], exception: BaseException | None, _traceback: object) -> None:
    if issubclass(kind, KeyboardInterrupt | SystemExit):
        return
    get_logger("fairlead").critical("uncaught exception", error=kind.__name__, exc_info=exception)


@contextmanager
def correlation(correlation_id: str | None, **names: str | int | None) -> Generator[str]:
    """Everything logged in the block carries this id and these fields; yields the id (a new one for None).

    Holds in threads that copy the context (`asyncio.to_thread`), and not in those that do not. Nested blocks add to
    the outer one; a name that is None is left out.
    """
    chosen = correlation_id or new_correlation_id()
    given = {name: value for name, value in names.items() if value is not None}
    with structlog.contextvars.bound_contextvars(correlation_id=chosen, **given):
        yield chosen


def current_correlation_id() -> str | None:
    """The id of the block that this code runs in; None outside of any."""
    found = structlog.contextvars.get_contextvars().get("correlation_id")
    return found if isinstance(found, str) else None


def new_correlation_id() -> str:
    """An id that no other has; ids sort by the time they were made."""
    return str(uuid7())


def checked_correlation_id(text: str | None) -> str | None:
    """The text if it can be a correlation id (1 to 100 letters, digits, `.`, `_`, `-`), else None: make a new one."""
    return text if text is not None and _CORRELATION_ID.fullmatch(text) else None
