"""`fairlead apply` as it is typed."""

import json
import sys
from pathlib import Path

import pytest

from fairlead.cli.program import main
from tests.flows.marketplaces import HOSTING


@pytest.fixture
def run(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """Runs the verb in this process on a file with the given text; gives status, output and errors."""
    monkeypatch.setenv("FAIRLEAD_DATABASE_URL", database_url)

    def run(text: str | bytes, *options: str) -> tuple[int, str, str]:
        file = tmp_path / "marketplace.toml"
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        monkeypatch.setattr(sys, "argv", ["fairlead", "apply", str(file), *options])
        with pytest.raises(SystemExit) as ended:
            main()
        output = capsys.readouterr()
        return int(ended.value.code or 0), output.out, output.err

    return run


def test_it_says_what_changes_and_then_that_nothing_does(run) -> None:
    status, tried, _ = run(HOSTING, "--dry-run")
    assert status == 0
    assert "would change: 1 marketplace, 1 niche, 2 level, 2 provider, 2 deposit, 4 subscription" in tried
    assert "nothing was changed" in tried
    status, applied, _ = run(HOSTING)
    assert status == 0
    assert "+ level hosting/gold: price_cents 2000, max_recipients 1, order_position 1, active true" in applied
    assert "changed: 1 marketplace, 1 niche" in applied
    assert run(HOSTING) == (0, "nothing to change\n", "")


def test_json_lists_every_change(run) -> None:
    run(HOSTING)
    status, output, _ = run('[[niche]]\nslug = "hosting"\nname = "Servers"', "--json")
    assert status == 0
    change = {"kind": "change", "entity": "niche", "name": "hosting", "old": {"name": "Hosting"}}
    assert json.loads(output) == {
        "dry_run": False,
        "currency": "EUR",
        "changes": [change | {"new": {"name": "Servers"}}],
        "warnings": [],
    }


def test_a_long_list_is_cut_and_counted(run) -> None:
    providers = "".join(f'[[provider]]\nemail = "p{n}@example.com"\nname = "P"\n' for n in range(23))
    _, output, _ = run(providers)
    assert output.count("+ provider") == 20
    assert "and 3 more of provider (--json lists them all)" in output


def test_mistakes_are_lines_on_standard_error(run) -> None:
    status, output, errors = run('[[niche]]\nslug = "a"\ncolour = 1\n[[provider]]\nemail = "[b]x[/b]"')
    assert (status, output) == (2, "")
    assert errors.splitlines() == [
        "error: niche[0].colour: has no meaning here",
        "error: provider[0].email: must be an email address such as ada@example.com",
    ]
    assert run(b"a = 1\nb = '\xe4'")[2].endswith("marketplace.toml: line 2 is not UTF-8 text\n")
    assert run(b"\xff\xfea")[2].endswith("marketplace.toml: line 1 is not UTF-16 text\n")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_a_file_is_read_in_the_encoding_of_its_mark(run, encoding: str) -> None:
    text = '[marketplace]\r\ncurrency = "EUR"\r\n[[niche]]\r\nslug = "a"\r\nname = "Körbe"\r\n'
    status, _, errors = run(text.encode(encoding))
    assert (status, errors) == (0, "")
    assert run(text) == (0, "nothing to change\n", "")


def test_a_file_that_is_not_there(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["fairlead", "apply", "nowhere.toml"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert capsys.readouterr().err == "error: cannot read nowhere.toml: No such file or directory\n"


def test_more_than_a_balance_holds_is_told_in_one_line_with_its_place(run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(HOSTING)[0] == 0
    monkeypatch.setattr("fairlead.core.ledger.MAX_BALANCE_CENTS", 5000)
    more = '[[provider]]\nemail = "anchor@example.com"\ndeposit = [{ external_id = "more", amount_cents = 1 }]\n'
    status, _, errors = run(more)
    assert status != 0
    [told] = [line for line in errors.splitlines() if "deposit" in line]
    assert "provider[0].deposit[0].amount_cents: 1 cents on top of 5000 are more than the 5000" in told
    assert "Traceback" not in errors


def test_a_filter_that_is_too_large_is_told_in_one_line_with_its_place(run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fairlead.core.filters.filter.MAX_FILTER_BYTES", 76)  # anchor's has 75, bowline's 80
    status, _, errors = run(HOSTING)
    assert status != 0
    [told] = [line for line in errors.splitlines() if "filter" in line]
    assert "provider[1].subscription[1].filter: a filter takes at most 76 bytes" in told
    assert "Traceback" not in errors


def test_postcodes_are_read_from_a_file_beside_and_from_nowhere_else(run, tmp_path: Path) -> None:
    """Nothing that the file names is read outside of its directory, whatever way leads there."""
    inside, outside = tmp_path / "tables", tmp_path.parent / "outside.csv"
    inside.mkdir()
    (inside / "de.csv").write_text("zip;lat;lon\n10115;52.5;13.4\n", encoding="utf-16")
    outside.write_text("10115,52.5,13.4")
    (tmp_path / "linked.csv").symlink_to(outside)

    def table(path: str) -> str:
        return f'[[postcode_table]]\nname = "de"\nfile = {json.dumps(path)}\n'

    status, output, _ = run(table("tables/de.csv"))
    assert status == 0
    assert "+ postcode_table de/1: postcode_count 1" in output
    for path in ("tables/../tables/de.csv", str(inside / "de.csv")):
        assert run(table(path)) == (0, "nothing to change\n", "")
    for path in ("../outside.csv", str(outside), "linked.csv"):
        where = "leads out of the directory of marketplace.toml, where the files that it names must lie"
        assert run(table(path)) == (2, "", f"error: postcode_table[0].file: {path!r} {where}\n")
    for path, words in (
        ("none.csv", "cannot read none.csv: No such file or directory"),
        ("tables", "cannot read tables: Is a directory"),
        ("a\0b", "cannot read 'a\\x00b': it is no path"),
    ):
        assert run(table(path)) == (2, "", f"error: postcode_table[0].file: {words}\n")
    (inside / "de.csv").write_bytes(b"10115,52.5,13.4\n\xff")
    assert run(table("tables/de.csv"))[2] == (
        "error: postcode_table[0].file: cannot read tables/de.csv: line 2 is not UTF-8 text\n"
    )


def test_a_price_limit_that_lets_no_lead_come_is_warned_of(run) -> None:
    run(HOSTING)

    def limited(cents: int) -> str:
        own = f'niche = "hosting", level = "gold", max_price_cents = {cents}'
        return f'[[provider]]\nemail = "anchor@example.com"\nsubscription = [{{ {own} }}]\n'

    words = "no lead comes: the least that the level asks is 2000 cents, and the most that is paid 1999"
    warning = f"provider[0].subscription[0].max_price_cents: {words}"
    assert run(limited(1999), "--dry-run")[2] == f"warning: {warning}\n"
    status, output, errors = run(limited(1999))
    assert (status, errors) == (0, f"warning: {warning}\n")
    assert "max_price_cents none -> 1999" in output
    assert json.loads(run(limited(1999), "--json")[1])["warnings"] == [warning]
    assert run(limited(2000))[2] == ""
