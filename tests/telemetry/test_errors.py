"""What is said of an exception: its kind, never its text."""

import psycopg

from fairlead.core.errors import Refused, Unavailable
from fairlead.telemetry.errors import error_frames, error_kind


def test_an_error_is_named_by_its_kind_and_code() -> None:
    assert error_kind(ValueError("canary")) == "ValueError"
    assert error_kind(Refused("lead_unknown", "canary")) == "Refused lead_unknown"
    assert error_kind(psycopg.errors.DeadlockDetected("canary")) == "DeadlockDetected 40P01"
    with_cause = Unavailable("canary")
    with_cause.__cause__ = psycopg.errors.AdminShutdown("canary")
    assert error_kind(with_cause) == "Unavailable from AdminShutdown 57P01"
    assert error_kind(SystemExit("canary@canary.example")) == "SystemExit"
    assert error_frames(ValueError("canary")) == []
