"""Canonical JSON is RFC 8785's, on the fast way and on the slow one; hashes are over exactly those bytes."""

import hashlib
from datetime import UTC, datetime, timedelta, timezone

import pytest
import rfc8785
from hypothesis import example, given
from hypothesis import strategies as st

from fairlead.core.canonical import (
    canonical_json,
    chain_hash,
    commit_to_attributes,
    timestamp_from_text,
    timestamp_text,
)
from fairlead.core.decision import Decision, LevelResult, Outcome, Recipient, RefusedCandidate
from fairlead.core.decision_entries import decision_payload
from fairlead.core.model import Level
from fairlead.core.refusals import InsufficientBalance

SAFE = 2**53 - 1
TEXTS = st.text(max_size=8) | st.sampled_from(
    [
        "",
        "1.0",
        "[1e5",
        ':-12345678901234567,"',
        '"',
        "\\",
        "\n\t\b\f\r",
        "\x00\x1f\x7f",
        "é",
        "€",
        "\U0001f600",
        "\ufb33",
    ]
)
NUMBERS = (
    st.integers(-SAFE, SAFE)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(
        [
            0,
            -0.0,
            0.1,
            1e21,
            1e-7,
            1.0,
            100.0,
            5e-324,
            10**15 - 1,
            10**15,
            -(10**15),
            SAFE,
            -SAFE,
            1e16,
            333333333.33333329,
        ]
    )
)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(TEXTS, VALUES, max_size=5))
@example({"a": -0.0, "b": [1e21, {"c": 1e-7}]})
@example({"\ufb33": 1, "\U0001f600": 2, "é": 3})
@example({"n": 10**15, "m": SAFE})
def test_the_bytes_are_those_of_the_reference(value: dict[str, object]) -> None:
    assert canonical_json(value) == rfc8785.dumps(value)  # type: ignore[arg-type]


@given(st.dictionaries(TEXTS, VALUES, min_size=2, max_size=5), st.randoms(use_true_random=False))
def test_the_order_in_which_keys_were_put_does_not_matter(value: dict[str, object], dice: object) -> None:
    items = list(value.items())
    dice.shuffle(items)  # type: ignore[attr-defined]
    assert canonical_json(dict(items)) == canonical_json(value)


NO_CANONICAL_FORM = [
    float("nan"),
    float("inf"),
    float("-inf"),
    SAFE + 1,
    -SAFE - 1,
    10**15 * 10**15,
    "\ud800",
    "a\udfffb",
]


@pytest.mark.parametrize("value", NO_CANONICAL_FORM)
@pytest.mark.parametrize("place", [lambda v: {"a": v}, lambda v: {"a": [1, v]}, lambda v: {"a": {"b": v, "c": 2}}])
def test_what_has_no_canonical_form_is_refused_wherever_it_stands(value: object, place: object) -> None:
    with pytest.raises(rfc8785.CanonicalizationError):
        canonical_json(place(value))  # type: ignore[operator]


def test_a_key_that_is_half_a_surrogate_pair_is_refused() -> None:
    with pytest.raises(ValueError, match="surrogates"):
        canonical_json({"\ud800": 1})


@given(st.binary(min_size=32, max_size=32), st.dictionaries(TEXTS, VALUES, max_size=3))
def test_a_link_is_the_hash_of_the_one_before_and_the_canonical_content(
    before: bytes, content: dict[str, object]
) -> None:
    expected = hashlib.sha256(before + rfc8785.dumps(content)).digest()  # type: ignore[arg-type]
    assert chain_hash(before, content) == expected


@given(st.binary(min_size=16, max_size=16), st.dictionaries(TEXTS, VALUES, max_size=3))
def test_a_commitment_binds_salt_and_attributes(salt: bytes, attributes: dict[str, object]) -> None:
    commitment = commit_to_attributes(salt, attributes)
    assert commitment == hashlib.sha256(salt + rfc8785.dumps(attributes)).hexdigest()  # type: ignore[arg-type]
    assert commitment != commit_to_attributes(bytes(16) if any(salt) else b"\x01" * 16, attributes)
    assert commitment != commit_to_attributes(salt, {**attributes, "more": 1} if "more" not in attributes else {})


ZONES = st.integers(-14, 14).map(lambda hours: timezone(timedelta(hours=hours)))


MOMENTS = st.datetimes(datetime(1990, 1, 1), datetime(9000, 1, 1), timezones=ZONES)  # noqa: DTZ001


@given(MOMENTS)
def test_an_instant_is_written_in_utc_with_six_decimals_and_read_back(moment: datetime) -> None:
    text = timestamp_text(moment)
    assert len(text) == len("2026-01-02T03:04:05.000000Z")
    assert timestamp_from_text(text) == moment
    assert timestamp_from_text(text).utcoffset() == timedelta(0)


@given(MOMENTS, MOMENTS)
def test_written_instants_sort_as_the_instants_do(one: datetime, other: datetime) -> None:
    assert (one < other) == (timestamp_text(one) < timestamp_text(other))


def test_a_decision_takes_the_fast_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is the one document that is written for every lead; the reference would take ten times as long."""
    level = Level("01900000-0000-7000-8000-000000000001", "gold", 5000, 2, 1, True)
    recipient = Recipient("a", "s", "p", 7, 5000, 3, -12_345_678, 999_999_999_999)
    refused = RefusedCandidate("s", "p", InsufficientBalance(4999, 5000))
    result = LevelResult(level, (recipient, recipient), (refused,), {"level_full": 12_000})
    moment = datetime(2026, 11, 24, 1, 14, 14, 123456, tzinfo=UTC)
    decision = Decision("n", 9, "l", "0" * 64, 1, moment, 1, 2, Outcome.SUCCESS, (result,))

    def too_slow(_: object) -> bytes:
        raise AssertionError("the reference was asked to write a decision")

    monkeypatch.setattr(rfc8785, "dumps", too_slow)
    assert b'"available_cents":4999' in canonical_json(decision_payload(decision))


def _by_strptime(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
    except ValueError:
        return None


@given(
    st.datetimes(timezones=st.just(UTC)).map(timestamp_text),
    st.lists(st.tuples(st.integers(0, 26), st.sampled_from("0129-T:.Z+W ")), max_size=3),
)
@example("2026-01-02T24:00:00.000000Z", [])
@example("2026-01-02T03:04:05.000+01Z", [])
@example("2026-01-02T03:04:60.000000Z", [])
@example("2026-W01-2T03:04:05.00000Z", [])
@example("20260102T030405.000007+0000Z", [])
@example("2026-01-02T03:04:05.07Z", [])
def test_a_timestamp_is_read_as_the_standard_library_reads_its_form(text: str, changes: list[tuple[int, str]]) -> None:
    for place, character in changes:
        text = text[:place] + character + text[place + 1 :]
    try:
        read = timestamp_from_text(text)
    except ValueError:
        read = None
    assert read == _by_strptime(text)
