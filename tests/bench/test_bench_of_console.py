"""The measurement of the console's pages runs, asks all that there are, and none answers with an error."""

import re
from pathlib import Path

import pytest

from bench.console import NAMED, NOT_ASKED, pages_of_routes
from tests.bench.measuring import measured

ROOT = Path(__file__).parents[2]
PERMISSIONS = ROOT / "tests" / "console" / "page_permissions.txt"


def test_every_page_is_asked_or_has_a_reason_not_to_be() -> None:
    known = {line.split(":")[0] for line in PERMISSIONS.read_text(encoding="utf-8").splitlines()}
    assert {*pages_of_routes()} == known - NOT_ASKED.keys()
    named = {name for page in pages_of_routes() for name in re.findall(r"\{(\w+)\}", page)}
    assert named <= {*NAMED}, "an address names what bench.console has no id of"


@pytest.mark.slow
def test_every_page_is_answered(tmp_path: Path) -> None:
    report, _ = measured(tmp_path, "console")
    assert report["rows"]["leads"] == 120
    asked = {each["page"].partition(",")[0] for each in report["pages"]}
    assert asked == {*pages_of_routes()}
    assert all(each["html_bytes"] > 0 for each in report["pages"])
