"""Which passwords will do, and how they are kept."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from fairlead.core.errors import BadInput, Unavailable
from fairlead.flows.access import passwords
from fairlead.flows.access.passwords import check_password, hash_password, is_password, needs_rehash


@pytest.fixture(autouse=True)
def password_costs() -> None:
    """Passwords cost here what they cost in a marketplace."""


EMAIL, NAME = "ann@example.com", "Ann of the Example"


@pytest.mark.parametrize(
    "password",
    [
        "mizzen topsail 4711",
        "only lower case and blanks",
        "eleven+one12",
        "\N{SAILBOAT}" * 4 + "\N{ANCHOR}" * 4 + "pässwört",
        "x1y2 mizzen topsail " * 6,
    ],
)
def test_length_is_what_counts(password: str) -> None:
    check_password(password, EMAIL, NAME)


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("", "12 to 128"),
        ("elevenchars", "12 to 128"),
        ("x1y2" * 32 + "z", "12 to 128"),
        ("password1234", "easy to guess"),
        ("PASSWORD1234", "easy to guess"),
        ("qwertyuiop12", "easy to guess"),
        ("123456789012", "easy to guess"),
        ("iloveyou1234", "easy to guess"),
        ("P4ssw0rd!P4ssw0rd!", "easy to guess"),
        ("unbelievable", "easy to guess"),
        ("1q2w3e4r5t6y", "easy to guess"),
        ("x1y2" * 32, "easy to guess"),
        ("ann@example.com1", "easy to guess"),
        ("Ann of the Example!", "easy to guess"),
        ("abababababababab", "easy to guess"),
        (" " * 20, "easy to guess"),
        ("ANN@example.com", "email"),
        ("ann of the example", "name"),
    ],
)
def test_what_will_not_do(password: str, why: str) -> None:
    with pytest.raises(BadInput, match=why) as caught:
        check_password(password, EMAIL, NAME)
    assert not password.strip() or password not in str(caught.value)


def test_ratings_side_by_side_know_their_own_user_alone() -> None:
    """Each of these passwords holds the name of another user, which does no harm, or of its own, which does."""
    names = [f"quindrel{letter}vostamik" for letter in "abcdefgh"]

    def refused(pair: tuple[str, str]) -> bool:
        password, name = pair
        try:
            check_password(password, name)
        except BadInput:
            return True
        return False

    pairs = [(f"{one}77", other) for one in names for other in names] * 5
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(refused, pairs)) == [one == f"{other}77" for one, other in pairs]


def test_argon2id_with_the_parameters_of_owasp() -> None:
    kept = hash_password("mizzen topsail 4711")
    assert kept.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert "mizzen" not in kept
    assert kept != hash_password("mizzen topsail 4711")
    assert not needs_rehash(kept)


def test_only_the_password_itself_is_right() -> None:
    kept = hash_password("mizzen topsail 4711")
    assert is_password(kept, "mizzen topsail 4711")
    assert not is_password(kept, "mizzen topsail 4712")
    assert not is_password(kept, "mizzen topsail 4711 ")
    assert not is_password(None, "mizzen topsail 4711")
    assert not is_password("$argon2id$nonsense", "mizzen topsail 4711")


def test_no_character_of_a_long_one_is_dropped() -> None:
    longest = "x1y2" * 32
    kept = hash_password(longest)
    assert is_password(kept, longest)
    assert not is_password(kept, longest + "z")
    assert not is_password(kept, longest[:-1])


def test_the_same_keys_give_the_same_password() -> None:
    assert is_password(hash_password("pa\N{COMBINING DIAERESIS}sswort twelve"), "pässwort twelve")


def test_the_stand_in_hash_costs_what_a_real_one_costs() -> None:
    stand_in = passwords._stand_in_hash()
    assert not needs_rehash(stand_in)
    assert len(stand_in) == len(hash_password("mizzen topsail 4711"))


def test_only_a_few_are_checked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    running, most = 0, 0
    lock = threading.Lock()

    class Watched:
        def hash(self, _text: str) -> str:
            nonlocal running, most
            with lock:
                running += 1
                most = max(most, running)
            time.sleep(0.03)
            with lock:
                running -= 1
            return ""

    monkeypatch.setattr(passwords, "_hasher", Watched())
    threads = [threading.Thread(target=hash_password, args=("x",)) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 3


def test_a_wait_for_too_long_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "_slots", threading.BoundedSemaphore(1))
    monkeypatch.setattr(passwords, "_PATIENCE_SECONDS", 0.01)
    with passwords._Slot(), pytest.raises(Unavailable, match="at once"):
        hash_password("mizzen topsail 4711")
    assert hash_password("mizzen topsail 4711")
