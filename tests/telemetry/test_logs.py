"""Log lines: their form, what they carry along, and that no person's data is in any of them."""

import asyncio
import io
import json
import logging
import re
import subprocess
import sys
import threading
from collections.abc import Generator
from typing import Any

import psycopg
import pytest
import structlog

from fairlead.store.connection import Database
from fairlead.telemetry.logs import (
    checked_correlation_id,
    correlation,
    current_correlation_id,
    get_logger,
    set_up_logs,
)

CANARIES = {
    "contact_name": "Wilhelmina Canary",
    "contact_email": "wilhelmina@canary.example",
    "contact_phone": "+49 170 5550123",
    "attributes": {"city": "Canarytown", "iban": "DE00CANARY"},
    "smtp_password": "canary-hunter2",
    "database_url": "postgresql://canary:canary-secret@canary.example/x",
}
TRACES_OF_CANARIES = ("canary", "wilhelmina", "5550123")


@pytest.fixture
def output() -> Generator[io.StringIO]:
    """What is logged in a test; afterwards logging is as it was."""
    root = logging.getLogger()
    before = (root.handlers[:], root.level, sys.excepthook, threading.excepthook, sys.unraisablehook)
    levels = {name: logging.getLogger(name).level for name in logging.root.manager.loggerDict}
    stream = io.StringIO()
    set_up_logs("debug", "json", stream)
    yield stream
    root.handlers[:], root.level, sys.excepthook, threading.excepthook, sys.unraisablehook = before
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


def lines(output: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output.getvalue().splitlines()]


def line(output: io.StringIO) -> dict[str, Any]:
    return lines(output)[-1]


def assert_no_canary(text: str) -> None:
    assert not [trace for trace in TRACES_OF_CANARIES if trace in text.lower()], text


def test_a_line_says_when_what_and_who(output: io.StringIO) -> None:
    get_logger("fairlead.flows.distribute").info("lead distributed", outcome="success", seconds=0.25, dry_run=False)
    seen = line(output)
    assert list(seen)[:4] == ["timestamp", "level", "event", "logger"]
    assert seen.pop("timestamp").endswith("Z")
    assert seen == {
        "event": "lead distributed",
        "level": "info",
        "logger": "fairlead.flows.distribute",
        "outcome": "success",
        "seconds": 0.25,
        "dry_run": False,
    }


def test_levels_below_the_chosen_one_are_silent(output: io.StringIO) -> None:
    set_up_logs("warning", "json", output)
    log = get_logger("fairlead.x")
    log.info("quiet")
    log.warning("loud")
    assert [each["event"] for each in lines(output)] == ["loud"]


def test_setting_up_again_does_not_write_twice(output: io.StringIO) -> None:
    set_up_logs("info", "json", output)
    get_logger("fairlead.x").info("once")
    assert len(lines(output)) == 1


def test_for_people_it_is_one_line_of_words(output: io.StringIO) -> None:
    set_up_logs("info", "console", output)
    get_logger("fairlead.x").info("lead distributed", outcome="partial", contact_name="Wilhelmina Canary")
    assert re.search("lead distributed .*outcome=partial", output.getvalue())
    assert "\x1b" not in output.getvalue()  # no colours where there is no terminal
    assert_no_canary(output.getvalue())


@pytest.mark.parametrize("name", CANARIES)
def test_a_field_that_is_not_listed_is_dropped(output: io.StringIO, name: str) -> None:
    get_logger("fairlead.x").warning("bird", **{name: CANARIES[name]})
    assert_no_canary(output.getvalue())
    assert name not in line(output)


@pytest.mark.parametrize("name", ["contact_email", "attributes", "database_url"])
def test_a_listed_field_does_not_take_everything(output: io.StringIO, name: str) -> None:
    """An address, an object, a URL with a password: none of them looks like a name, an id or a number."""
    value = CANARIES[name]
    get_logger("fairlead.x").warning("bird", reason=value, lead_id=value, outcome=[value])
    assert_no_canary(output.getvalue())
    assert not {"reason", "lead_id", "outcome"} & line(output).keys()


@pytest.mark.parametrize("value", ["+49 170 5550123", "Wilhelmina Canary", "a'b", "x" * 101, ""])
def test_an_id_looks_like_an_id(output: io.StringIO, value: str) -> None:
    get_logger("fairlead.x").warning("bird", lead_id=value, job_id="7")
    assert "lead_id" not in line(output)
    assert line(output)["job_id"] == "7"


@pytest.mark.parametrize("value", ["a\nb", "50 %", '{"a": 1}', "x" * 201, b"x"])
def test_words_look_like_words(output: io.StringIO, value: object) -> None:
    get_logger("fairlead.x").warning("bird", reason=value, state="active (2), 0.5 s")
    assert "reason" not in line(output)
    assert line(output)["state"] == "active (2), 0.5 s"


def test_ids_in_context_do_not_bring_data_along(output: io.StringIO) -> None:
    with structlog.contextvars.bound_contextvars(contact_email="wilhelmina@canary.example", lead_id="0190-a"):
        get_logger("fairlead.x").info("bird")
        logging.getLogger("some.library").warning("bird")
    assert [each.get("lead_id") for each in lines(output)] == ["0190-a", "0190-a"]
    assert_no_canary(output.getvalue())


def _fail_with_canaries() -> None:
    try:
        raise ValueError("wilhelmina@canary.example")
    except ValueError as error:
        raise RuntimeError("Wilhelmina Canary, +49 170 5550123") from error


def test_of_an_exception_kind_and_place_are_told_and_no_word(output: io.StringIO) -> None:
    try:
        _fail_with_canaries()
    except RuntimeError:
        get_logger("fairlead.x").exception("bird")
        logging.getLogger("some.library").exception("bird")
    for seen in lines(output):
        assert seen["error"] == "RuntimeError from ValueError"
        assert any(frame.endswith(" _fail_with_canaries") for frame in seen["frames"])
        assert "from ValueError" in seen["frames"]
    assert_no_canary(output.getvalue())


def test_a_database_error_repeats_a_row_and_its_log_does_not(output: io.StringIO, database: Database) -> None:
    with pytest.raises(psycopg.errors.CheckViolation) as caught, database.transaction() as conn:
        conn.execute(
            "insert into providers (id, name, email, email_key, status, created_at) values (gen_random_uuid(), "
            "'Wilhelmina Canary', 'wilhelmina@canary.example', 'wilhelmina@canary.example', 'canary', now())"
        )
    assert "wilhelmina@canary.example" in str(caught.value)  # else this test would prove nothing
    get_logger("fairlead.x").error("bird", exc_info=caught.value)
    assert line(output)["error"] == "CheckViolation 23514"
    assert_no_canary(output.getvalue())


def test_an_uncaught_exception_is_told_like_every_other() -> None:
    program = """
import sys, threading
from fairlead.telemetry.logs import set_up_logs
set_up_logs("info", "json")
def fail(): raise ValueError("wilhelmina@canary.example")
class Dropped:
    def __del__(self): fail()
Dropped()
thread = threading.Thread(target=fail)
thread.start(); thread.join()
fail()
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert_no_canary(done.stdout + done.stderr)
    assert [json.loads(each)["error"] for each in done.stderr.splitlines()] == ["ValueError"] * 3


def test_before_anything_is_set_up_the_list_holds_too() -> None:
    program = """
from fairlead.telemetry.logs import get_logger
get_logger("fairlead.x").warning("bird", contact_email="wilhelmina@canary.example", lead_id="0190-a")
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "0190-a" in done.stderr
    assert done.stdout == ""
    assert_no_canary(done.stderr)


def test_a_line_that_cannot_be_written_does_not_bring_its_arguments_to_the_terminal() -> None:
    program = """
import logging, sys
from fairlead.telemetry.logs import set_up_logs
class Narrow:
    def __init__(self): self.texts = []
    def write(self, text):
        if "could not be written" not in text: raise ValueError("wilhelmina@canary.example")
        sys.stdout.write(text)
    def flush(self): pass
    def isatty(self): return False
set_up_logs("info", "json", Narrow())
logging.getLogger("some.library").warning("bird %s", "wilhelmina@canary.example")
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "could not be written: ValueError" in done.stdout
    assert_no_canary(done.stdout + done.stderr)


def test_a_librarys_words_stay_and_what_it_put_into_them_does_not(output: io.StringIO) -> None:
    log = logging.getLogger("some.library")
    address = "wilhelmina@canary.example"
    log.warning("connecting to %s failed %d times: %s", address, 3, OSError(address))
    log.warning("%(who)s is gone", {"who": address})
    log.warning(f"put together before: {address}")
    log.warning("a fixed text")
    log.error(OSError(address))  # noqa: TRY400, RUF100
    assert [each["event"] for each in lines(output)] == [
        "connecting to (withheld) failed 3 times: OSError",
        "(withheld) is gone",
        "(withheld)",
        "a fixed text",
        "OSError",
    ]
    assert lines(output)[2]["at"].startswith("test_logs:")
    assert_no_canary(output.getvalue())


def test_libraries_are_quiet_unless_something_is_wrong(output: io.StringIO) -> None:
    for name in ("psycopg.pool", "httpx2", "uvicorn.access", "uvicorn.error", "asyncio"):
        logging.getLogger(name).info("chatter")
        logging.getLogger(name).warning("trouble")
    assert [each["event"] for each in lines(output)] == ["trouble"] * 5


def test_a_correlation_holds_in_the_block_and_in_threads_of_it(output: io.StringIO) -> None:
    log = get_logger("fairlead.x")

    async def as_the_worker_does() -> None:
        await asyncio.to_thread(log.info, "inside")

    with correlation("abc", lead_id="0190-a", niche_id=None) as chosen, correlation(chosen, queue="email"):
        assert current_correlation_id() == "abc"
        asyncio.run(as_the_worker_does())
    log.info("outside")
    inside, outside = lines(output)
    assert {name: inside.get(name) for name in ("correlation_id", "lead_id", "queue")} == {
        "correlation_id": "abc",
        "lead_id": "0190-a",
        "queue": "email",
    }
    assert "niche_id" not in inside
    assert "correlation_id" not in outside
    assert current_correlation_id() is None


def test_who_brings_no_id_gets_a_new_one() -> None:
    with correlation(None) as first, correlation(None) as second:
        assert first != second
        assert checked_correlation_id(first) == first


@pytest.mark.parametrize("text", [None, "", "a b", "x" * 101, "a\nb", "wilhelmina@canary.example", "ä"])
def test_not_everything_can_be_a_correlation_id(text: str | None) -> None:
    assert checked_correlation_id(text) is None
