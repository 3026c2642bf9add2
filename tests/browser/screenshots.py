"""Pictures of pages: `python -m tests.browser.screenshots FOLDER [operator:/leads provider:/portal/inbox :/login ...]`.

Each page light, dark and on a phone; without pages, all that PAGES, EMPTY_PAGES and ERROR_PAGES list, and an operator's
first day. `{lead_id}` and the like in an address are of the marketplace of `showcase`.
"""

import hashlib
import os
import sys
from base64 import b64decode
from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from playwright.sync_api import Browser, Page

from fairlead.cli import demo
from fairlead.console.routes.operator import live
from fairlead.flows.access.first_operator import make_setup_link
from fairlead.flows.intake.own_request import link_to_request
from fairlead.store import migrations
from fairlead.store.connection import Database
from fairlead.store.embedded.scratch import scratch_cluster
from fairlead.store.leads.rows import clock
from fairlead.store.schema import migrate
from tests.browser.pages import EMPTY_PAGES, ERROR_PAGES, PAGES
from tests.browser.picture_steps import STEPS, first_day
from tests.browser.showcase import Showcase, seat_viewers
from tests.browser.showcase_dump import fill_database
from tests.browser.site import DESK, PHONE, Site, chromium, serving, window
from tests.flows.access.people import enrolled_admin, value
from tests.quick_passwords import use_quick_passwords

LOOKS = (("light", False, False), ("dark", True, False), ("phone", False, True))
MOST_PIXELS_HIGH = 1400
"""What of a longer page is below is not in the picture."""
QUALITY = 42


def names_of(database: Database, showcase: Showcase) -> Mapping[str, str]:
    """What may stand in braces in an address."""
    return {
        "lead_id": value(database, "select id::text from leads where status = 'distributed' order by id desc limit 1"),
        "pending_lead_id": value(database, "select id::text from leads where status = 'pending_approval' limit 1"),
        "niche_id": value(database, "select id::text from niches where slug = 'vps-hosting'"),
        "provider_id": showcase.provider_id,
        "request_token": _request_token(database),
        "month": f"{datetime.now(UTC):%Y-%m}",
        "receipt_number": value(
            database,
            "select max(number)::text from receipts where provider_id = %s and kind = 'receipt'",
            showcase.provider_id,
        ),
        "request_id": value(
            database, "select id::text from payment_requests where state = 'pending' order by id limit 1"
        ),
        "setup_id": value(database, "select id::text from saved_methods where state = 'open' order by id limit 1"),
        "export_id": value(database, "select id::text from exports where state = 'ready' order by id limit 1"),
        "dead_letter_id": value(database, "select id::text from dead_letters where resolved_at is null limit 1"),
        "notification_id": value(
            database, "select id::text from notifications order by (state = 'failed') desc, id limit 1"
        ),
        "endpoint_id": value(
            database, "select id::text from webhook_endpoints where deleted_at is null order by id limit 1"
        ),
        "user_id": showcase.provider.user_id,
        "kind": "lead_assigned",
        "niche_level_id": value(
            database,
            "select l.id::text from competition_levels l join niches n on n.id = l.niche_id "
            "where n.slug = 'vps-hosting' order by l.order_position limit 1",
        ),
        "level_id": value(
            database,
            "select id::text from competition_levels where id not in "
            "(select competition_level_id from subscriptions where provider_id = %s) order by id limit 1",
            showcase.provider_id,
        ),
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


def _request_token(database: Database) -> str:
    """A link to the request of a consumer."""
    with database.transaction() as conn:
        lead_id = value(database, "select lead_id::text from lead_intakes limit 1")
        url = link_to_request(conn, lead_id, "", clock(conn))
    assert url is not None
    return url.partition("#")[2]


def take(site: Site, showcase: Showcase, folder: Path, pages: list[str]) -> None:
    """One file for each page and look, named after its address."""
    names = names_of(site.database, showcase)
    tokens = {"": None, "operator": showcase.operator.token, "provider": showcase.provider.token}
    with chromium() as browser:
        for who, token in tokens.items():
            own = [each.partition(":")[2] for each in pages if each.partition(":")[0] == who]
            _take_all(browser, site, token, folder, {file_stem(each): each.format_map(names) for each in own})


def take_errors(site: Site, showcase: Showcase, folder: Path) -> None:
    """What stands instead of a page that the visitor may not see, and of one that failed."""
    tokens = {"operator": showcase.operator.token, "provider": showcase.provider.token}
    with chromium() as browser, pytest.MonkeyPatch.context() as patches:
        patches.setattr(live, "niches_of", None)  # so that the page of what happens fails
        for stem, page in ERROR_PAGES.items():
            who, _, address = page.partition(":")
            _take_all(browser, site, tokens[who], folder, {stem: address}, acted=False)


def take_empty(site: Site, folder: Path) -> None:
    """The same of a marketplace in which there is nothing yet, first before its first operator."""
    link = make_setup_link(site.database)
    assert link is not None
    folder.mkdir(parents=True, exist_ok=True)
    with chromium() as browser:
        page = window(browser, site).new_page()
        for stem, part in first_day(page, link.token):
            if stem == "first-steps":
                token = enrolled_admin(site.database).token
                own = {
                    each: page.partition(":")[2] for each, page in EMPTY_PAGES.items() if page.startswith("operator:")
                }
                _take_all(browser, site, token, folder, own)
            for look, dark, phone in LOOKS:
                page.emulate_media(color_scheme="dark" if dark else "light")
                page.set_viewport_size(PHONE if phone else DESK)
                _photograph(page, folder / f"{stem}-{look}.webp", part)
            page.emulate_media(color_scheme="light")
            page.set_viewport_size(DESK)


def _take_all(
    browser: Browser, site: Site, token: str | None, folder: Path, pages: Mapping[str, str], *, acted: bool = True
) -> None:
    """The pages, whose addresses stand under the beginnings of their files' names, as who has the session sees them.

    `acted`: what STEPS has for a page is done on it first.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for look, dark, phone in LOOKS:
        context = window(browser, site, token, dark=dark, phone=phone)
        page = context.new_page()
        page.on("console", lambda message: print("console:", message.text))
        page.on("pageerror", lambda error: print("error:", error))
        for stem, address in pages.items():
            page.goto(address)
            page.wait_for_load_state("networkidle")
            if acted and (step := STEPS.get(address.partition("?")[0])):
                step(page, site.database)
            picture = folder / f"{stem}-{look}.webp"
            _photograph(page, picture)
            print(picture, flush=True)
        context.close()


def file_stem(address: str) -> str:
    """What the files of a page begin with, whatever it is asked."""
    return (
        address.partition("?")[0].partition("#")[0].strip("/").replace("/", "-").replace("{", "").replace("}", "")
        or "home"
    )


def _photograph(page: Page, picture: Path, part: str | None = None) -> None:
    """The page from its top, as high as it is or as is allowed; with the selector of a part, where that stands."""
    shown = page.viewport_size
    assert shown is not None
    high = min(page.evaluate("document.documentElement.scrollHeight"), MOST_PIXELS_HIGH)
    page.set_viewport_size({"width": shown["width"], "height": max(high, shown["height"])})
    if part is None:
        page.evaluate("scrollTo(0, 0)")
    else:
        page.locator(part).evaluate("each => each.scrollIntoView({ block: 'center' })")
    session = page.context.new_cdp_session(page)
    taken = session.send("Page.captureScreenshot", {"format": "webp", "quality": QUALITY})
    picture.write_bytes(b64decode(taken["data"]))
    session.detach()
    page.set_viewport_size(shown)


@contextmanager
def showcase_database(dump: Path | None = None) -> Generator[Database]:
    """A database with the marketplace of `showcase`, on a server of its own, gone afterwards.

    With SHOWCASE_SERVER, a superuser's address, on that server: filled once for each state of schema and showcase, and
    copied for each run. With `dump`, what several servers are filled from is made once, see `fill_database`.
    """
    server = os.environ.get("SHOWCASE_SERVER")
    with ExitStack() as until_the_end:
        url = server or until_the_end.enter_context(scratch_cluster()).superuser_url
        filled, name = f"showcase_{_state()}", f"pictures_{os.getpid()}"
        with psycopg.connect(url, autocommit=True) as conn:
            if conn.execute("select from pg_database where datname = %s", (filled,)).fetchone() is None:
                conn.execute(f"create database {filled}_new".encode())
                fill_database(_named(url, f"{filled}_new"), dump)
                conn.execute(f"alter database {filled}_new rename to {filled}".encode())
            conn.execute(f"create database {name} template {filled} strategy file_copy".encode())
            try:
                with Database(_named(url, name), "fairlead") as database:
                    yield database
            finally:
                conn.execute(f"drop database {name} with (force)".encode())


def _named(url: str, name: str) -> str:
    return url.rsplit("/", 1)[0] + f"/{name}"


def _state() -> str:
    """The same for the same schema and the same showcase."""
    digest = hashlib.sha256()
    baseline = Path(migrations.__file__).parent / "baseline"
    demo_files = sorted(each for each in Path(demo.__file__).parent.iterdir() if each.suffix in (".py", ".toml"))
    for each in (
        *sorted(baseline.glob("*.sql")),
        *demo_files,
        *sorted(Path(__file__).parent.glob("showcase*.py")),
        Path(__file__).with_name("troubles.py"),
    ):
        digest.update(each.read_bytes())
    return digest.hexdigest()[:12]


@contextmanager
def empty_database() -> Generator[Database]:
    """A database with the tables and nothing in them, on a server of its own."""
    with scratch_cluster() as cluster, Database(cluster.superuser_url, "fairlead") as database:
        migrate(database)
        yield database


def main(folder: str, *pages: str) -> None:
    """All of it, with passwords that cost nothing. `empty`: the first day; `errors`: pages of errors."""
    chosen = list(pages) or [*PAGES, "empty", "errors"]
    with pytest.MonkeyPatch.context() as patches:
        use_quick_passwords(patches)
        if "empty" in chosen:
            with empty_database() as database, serving(database) as site:
                take_empty(site, Path(folder))
        if rest := [each for each in chosen if each != "empty"]:
            with showcase_database() as database:
                showcase = seat_viewers(database)
                with serving(database) as site:
                    take(site, showcase, Path(folder), [each for each in rest if each != "errors"])
                    if "errors" in rest:
                        take_errors(site, showcase, Path(folder))


if __name__ == "__main__":
    main(*sys.argv[1:])
