"""The page that sets up a marketplace from a shell: its commands, in its order, with a real curl on a real server."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from fairlead.api.application import web_application
from fairlead.api.serve import serve_in_thread
from fairlead.settings import Settings
from fairlead.store.connection import Database
from tests.flows.access.people import add_admin
from tests.flows.sales import query

PAGE = Path(__file__).resolve().parents[2] / "docs" / "guide" / "configuring.md"
TOOLS = ("bash", "curl", "jq")


@pytest.mark.skipif(not all(map(shutil.which, TOOLS)), reason="the page needs bash, curl and jq")
def test_every_command_of_the_page_does_what_it_says(database: Database, tmp_path: Path) -> None:
    add_admin(database)
    # A request that is refused ends the script.
    (tmp_path / ".curlrc").write_text("fail-with-body\n")
    script = "\n".join(re.findall(r"^```sh\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL))
    assert script.count("curl ") > 20
    with serve_in_thread(web_application(database, Settings()), "127.0.0.1", 0) as server:
        environment = dict(os.environ) | {
            "SITE": f"http://127.0.0.1:{server.port}",
            "FAIRLEAD_DATABASE_URL": database.url,
            "CURL_HOME": str(tmp_path),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        }
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script], env=environment, capture_output=True, text=True, check=False
        )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
    assert "rules[0].field_key" in done.stdout, "trying the form tells which filter would not fit"
    assert query(database, "select name, price_cents, order_position from competition_levels order by 3") == [
        ("silver", 600, 1),
        ("gold", 2000, 2),
    ]
    assert query(database, "select max(version) from form_schema_versions") == [(3,)]
    assert query(database, "select name, status from providers") == [("Anchor Hosting", "active")]
    assert query(database, "select deactivation_reason, deleted_at is not null from subscriptions order by 2") == [
        ("insufficient_funds", False),
        ("insufficient_funds", True),
    ]
    assert query(database, "select bad_lead_window_days, reoffer_max_times from niches") == [(30, 5)]
