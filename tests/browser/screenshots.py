"""Pictures of pages: `python -m tests.browser.screenshots FOLDER [operator:/leads provider:/portal/inbox :/login ...]`.

Each page light, dark and on a phone. Without pages, all that PAGES lists; `{lead_id}` and the like in an address are
of the marketplace of `showcase`.
"""

import hashlib
import os
import sys
from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
import pytest

from fairlead.store import migrations
from fairlead.store.connection import Database
from fairlead.store.embedded.scratch import scratch_cluster
from fairlead.store.schema import migrate
from tests.browser.showcase import Showcase, fill_marketplace, seat_viewers
from tests.browser.site import Site, chromium, serving, window
from tests.flows.access.people import value
from tests.quick_passwords import use_quick_passwords

PAGES = (
    ":/login",
    ":/forms/vps-hosting",
    ":/confirm-lead",
    "operator:/design",
    "operator:/account",
    "operator:/overview",
    "operator:/fairness",
    "operator:/analytics",
    "operator:/operations",
    "operator:/operations/dead-letters",
    "operator:/operations/audit",
    "operator:/settings",
    "operator:/settings/people",
    "operator:/settings/keys",
    "provider:/portal/inbox",
    "provider:/portal/leads/{assignment_id}",
    "provider:/portal/more",
    "provider:/portal/subscriptions",
    "provider:/portal/subscriptions/{subscription_id}",
    "provider:/portal/balance",
    "provider:/portal/deliveries",
    "provider:/portal/settings",
)


def names_of(database: Database, showcase: Showcase) -> Mapping[str, str]:
    """What may stand in braces in an address."""
    return {
        "lead_id": value(database, "select id::text from leads where status = 'distributed' order by id desc limit 1"),
        "pending_lead_id": value(database, "select id::text from leads where status = 'pending_approval' limit 1"),
        "niche_id": value(database, "select id::text from niches where slug = 'vps-hosting'"),
        "provider_id": showcase.provider_id,
        "subscription_id": value(
            database,
            "select id::text from subscriptions where provider_id = %s order by id limit 1",
            showcase.provider_id,
        ),
        "assignment_id": value(
            database,
            "select id::text from assignments where provider_id = %s order by id desc limit 1",
            showcase.provider_id,
        ),
    }


def take(site: Site, showcase: Showcase, folder: Path, pages: list[str]) -> None:
    """One file for each page and look, named after its address."""
    folder.mkdir(parents=True, exist_ok=True)
    names = names_of(site.database, showcase)
    tokens = {"": None, "operator": showcase.operator.token, "provider": showcase.provider.token}
    with chromium() as browser:
        for each in pages:
            who, _, address = each.partition(":")
            for look, dark, phone in (("light", False, False), ("dark", True, False), ("phone", False, True)):
                context = window(browser, site, tokens[who], dark=dark, phone=phone)
                page = context.new_page()
                page.on("console", lambda message: print("console:", message.text))
                page.on("pageerror", lambda error: print("error:", error))
                page.goto(address.format_map(names))
                page.wait_for_load_state("networkidle")
                name = address.strip("/").replace("/", "-").replace("{", "").replace("}", "") or "home"
                page.screenshot(path=folder / f"{name}-{look}.png", full_page=True)
                print(folder / f"{name}-{look}.png")
                context.close()


@contextmanager
def showcase_database() -> Generator[Database]:
    """A database with the marketplace of `showcase`, on a server of its own, gone afterwards.

    With SHOWCASE_SERVER, a superuser's address, on that server: filled once for each state of schema and showcase, and
    copied for each run.
    """
    server = os.environ.get("SHOWCASE_SERVER")
    with ExitStack() as until_the_end:
        url = server or until_the_end.enter_context(scratch_cluster()).superuser_url
        filled, name = f"showcase_{_state()}", f"pictures_{os.getpid()}"
        with psycopg.connect(url, autocommit=True) as conn:
            if conn.execute("select from pg_database where datname = %s", (filled,)).fetchone() is None:
                conn.execute(f"create database {filled}_new".encode())
                with Database(_named(url, f"{filled}_new"), "fairlead") as database:
                    migrate(database)
                    fill_marketplace(database)
                conn.execute(f"alter database {filled}_new rename to {filled}".encode())
            conn.execute(f"create database {name} template {filled} strategy file_copy".encode())
            with Database(_named(url, name), "fairlead") as database:
                yield database
            conn.execute(f"drop database {name} with (force)".encode())


def _named(url: str, name: str) -> str:
    return url.rsplit("/", 1)[0] + f"/{name}"


def _state() -> str:
    """The same for the same schema and the same showcase."""
    digest = hashlib.sha256()
    baseline = Path(migrations.__file__).parent / "baseline"
    for each in (*sorted(baseline.glob("*.sql")), Path(__file__).with_name("showcase.py")):
        digest.update(each.read_bytes())
    return digest.hexdigest()[:12]


def main(folder: str, *pages: str) -> None:
    """All of it, with passwords that cost nothing."""
    with pytest.MonkeyPatch.context() as patches, showcase_database() as database:
        use_quick_passwords(patches)
        showcase = seat_viewers(database)
        with serving(database) as site:
            take(site, showcase, Path(folder), list(pages) or list(PAGES))


if __name__ == "__main__":
    main(*sys.argv[1:])
