"""`fairlead templates`: shown, previewed, edited from files, restored."""

from pathlib import Path

import pytest

from fairlead.delivery.template_variables import KINDS
from fairlead.delivery.templates import default_template
from fairlead.store.connection import Database
from tests.cli.program import Program


@pytest.fixture
def fairlead(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Program:
    """The program on an empty marketplace."""
    return Program(monkeypatch, capsys, database_url)


def test_from_the_default_to_an_edit_and_back(fairlead: Program, tmp_path: Path) -> None:
    listed = fairlead("templates", "list", "--json").json
    assert [(each["kind"], each["version"], each["is_default"]) for each in listed if each["language"] == "en"] == [
        (kind, None, True) for kind in KINDS
    ]
    html = fairlead("templates", "show", "low_balance", "--part", "html").out
    assert html == default_template("low_balance").html
    file = tmp_path / "ours.html"
    file.write_text(html.replace("<body", "<!-- ours --><body", 1), encoding="utf-8")
    text = tmp_path / "ours.txt"
    text.write_text("Hello {{ provider_name }}: {{ balance_cents | money(currency) }}\n", encoding="utf-8")

    words = ("low_balance", "--html", str(file), "--text", str(text))
    seen = fairlead("templates", "preview", *words, "--json").json
    assert seen["text"].strip() == "Hello Example Services Ltd: 1,234.50 EUR"
    assert "Example Services Ltd" in fairlead("templates", "preview", *words).out
    assert "Hello" in fairlead("templates", "preview", *words, "--part", "text").out
    assert fairlead("templates", "show", "low_balance", "--json").json["version"] is None

    edited = fairlead("templates", "edit", *words, "--memo", "our tone")
    assert (edited.status, edited.out) == (0, "version 1 of low_balance is in use\n")
    again = fairlead("templates", "edit", *words, "--memo", "our tone")
    assert again.out == "low_balance is so already; nothing was changed\n"
    subject = fairlead("templates", "edit", "low_balance", "--subject", "Low!", "--memo", "short", "--json").json
    assert subject == {"kind": "low_balance", "version": 2, "took_effect": True}
    shown = fairlead("templates", "show", "low_balance", "--json").json
    assert (shown["subject"], shown["text"]) == ("Low!", text.read_text())
    assert [(each["version"], each["memo"]) for each in shown["versions"]] == [(2, "short"), (1, "our tone")]
    assert "threshold_cents" in [each["name"] for each in shown["variables"]]
    assert fairlead("templates", "show", "low_balance", "--version", "1", "--json").json["subject"] != "Low!"
    for_people = fairlead("templates", "show", "low_balance").out
    assert "our tone" in for_people
    assert "threshold_cents" in for_people

    assert fairlead("templates", "restore", "low_balance", "--version", "1").out.startswith("version 3 of")
    assert fairlead("templates", "restore", "low_balance", "--default").out.startswith("version 4 of")
    assert "4, the default" in fairlead("templates", "list").out


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_file_is_read_in_the_encoding_of_its_mark(fairlead: Program, tmp_path: Path, encoding: str) -> None:
    file = tmp_path / "ours.txt"
    file.write_bytes("Grüße {{ provider_name }}\r\n".encode(encoding))
    seen = fairlead("templates", "preview", "low_balance", "--text", str(file), "--part", "text")
    assert (seen.status, seen.out) == (0, "Grüße Example Services Ltd\n")


@pytest.mark.parametrize(
    ("words", "status", "line"),
    [
        (["show", "gossip"], 1, "there is no template 'gossip'"),
        (["show", "low_balance", "--version", "7"], 1, "has no version 7"),
        (["show", "low_balance", "--part", "head"], 2, "there is no part 'head'"),
        (["edit", "low_balance", "--memo", "x"], 2, "say what changes"),
        (["edit", "low_balance", "--memo", "x", "--html", "nowhere.html"], 2, "cannot read nowhere.html: No such file"),
        (["edit", "low_balance", "--memo", "x", "--subject", "{{ nobody }}"], 2, "subject"),
        (["restore", "low_balance"], 2, "say which"),
        (["restore", "low_balance", "--default", "--version", "1"], 2, "say which"),
    ],
)
def test_bad_input_gets_one_clear_line(fairlead: Program, words: list[str], status: int, line: str) -> None:
    result = fairlead("templates", *words)
    assert (result.status, result.out) == (status, "")
    assert line in result.err
    assert result.err.count("\n") == 1, result.err
