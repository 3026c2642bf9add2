"""The page on talking to the API: its commands, in its order, with a real curl on a real server."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from fairlead.api.application import web_application
from fairlead.api.schemas.files import LONGEST_SECONDS
from fairlead.api.serve import serve_in_thread
from fairlead.flows.access.read_limits import (
    EXPORTS_OF_CALLER,
    OVERVIEWS_OF_CALLER,
    PREVIEWS_OF_PROVIDER,
    REPORTS_OF_CALLER,
    TRIALS_OF_PROVIDER,
)
from fairlead.settings import Settings
from fairlead.store.connection import Database
from fairlead.store.exports.slots import OPEN_AT_ONCE
from tests.api.asking import SECRET_KEYS
from tests.flows.access.people import rows

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "guide" / "api.md").read_text()
TOOLS = ("bash", "curl", "jq")

# The reader types the code; here it is the telephone.
TELEPHONE = """
read() { CODE=$(python -c 'import sys; from pyotp import TOTP; print(TOTP(sys.argv[1]).now())' "$SECRET"); }
"""


def script() -> str:
    """The page's commands. Those in a block of `bash` are refused, and the rest goes on."""
    blocks = re.findall(r"^```(sh|bash)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    return "\n".join(
        text if kind == "sh" else f"set +e +o pipefail\n{text}\nset -e -o pipefail" for kind, text in blocks
    )


@pytest.mark.skipif(not all(map(shutil.which, TOOLS)), reason="the page needs bash, curl and jq")
def test_every_command_of_the_page_does_what_it_says(database: Database, tmp_path: Path) -> None:
    # A request that is refused ends the script.
    (tmp_path / ".curlrc").write_text("fail-with-body\n")
    settings = Settings.model_validate({"encryption_keys": SECRET_KEYS})
    with serve_in_thread(web_application(database, settings), "127.0.0.1", 0) as server:
        environment = dict(os.environ) | {
            "SITE": f"http://127.0.0.1:{server.port}",
            "FAIRLEAD_DATABASE_URL": database.url,
            "CURL_HOME": str(tmp_path),
            "TMPDIR": str(tmp_path),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        }
        command = ["bash", "-euo", "pipefail", "-c", TELEPHONE + script()]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
    told = done.stdout.splitlines()
    assert [line for line in told if line in ('"enrolment"', '"second_factor"', "null")] == [
        '"enrolment"',
        '"second_factor"',
        "null",
    ]
    assert '  "code": "lead_unknown",' in told
    assert "order-4711" in told
    assert '"data.exported"' not in told, "an export is not in itself"
    assert rows(database, "select count(*) from leads") == [1]
    assert rows(database, "select subject from notification_templates") == ["New: {{ niche_name }}"]
    assert rows(database, "select name, expires_at is not null from api_keys") == [("trying the API", True)]


def test_the_limits_of_the_page_are_those_of_the_code() -> None:
    found = dict(re.findall(r"^\| ([a-z ]+) \| (\d+ \| \d+) s \|$", PAGE, re.MULTILINE))
    limits = {
        "exports": EXPORTS_OF_CALLER,
        "reports and statements": REPORTS_OF_CALLER,
        "overviews": OVERVIEWS_OF_CALLER,
        "filter previews of a provider": PREVIEWS_OF_PROVIDER,
        "test deliveries of a provider": TRIALS_OF_PROVIDER,
    }
    assert found == {name: f"{each.capacity} | {each.seconds_per_token:g}" for name, each in limits.items()}
    assert OPEN_AT_ONCE == 2, "the page says so in words"
    assert LONGEST_SECONDS == 30 * 60, "and half an hour"
