"""The console on a real port, with a browser that can look at it."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

from playwright.sync_api import Browser, BrowserContext, ViewportSize, expect, sync_playwright

from fairlead.api.serve import serve_in_thread
from fairlead.api.session_cookie import DEVELOPMENT_COOKIE
from fairlead.console.application import console_application
from fairlead.settings import Settings
from fairlead.store.connection import Database
from tests.api.asking import SECRET_KEYS
from tests.waiting import PATIENCE_SECONDS

CHROMIUM = "/usr/bin/chromium"
_SWITCHES = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
"""Nothing that the browser does by itself goes to the network."""

PHONE: ViewportSize = {"width": 390, "height": 844}
DESK: ViewportSize = {"width": 1400, "height": 1000}


@dataclass(frozen=True)
class Site:
    """Where it is."""

    address: str
    database: Database


@contextmanager
def serving(database: Database) -> Generator[Site]:
    """The console answers on a port of its own, as on a developer's machine."""
    settings = Settings.model_validate({"encryption_keys": SECRET_KEYS, "cookie_over_http": True})
    with serve_in_thread(console_application(database, settings), "127.0.0.1", 0) as served:
        yield Site(f"http://127.0.0.1:{served.port}", database)


expect.set_options(timeout=1000 * PATIENCE_SECONDS)
"""What must come is waited for as long as anywhere in the tests: a busy machine takes its time."""


@contextmanager
def chromium() -> Generator[Browser]:
    """The system's Chromium, without a window."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=_SWITCHES)
        yield browser
        browser.close()


def window(
    browser: Browser,
    site: Site,
    token: str | None = None,
    *,
    dark: bool = False,
    phone: bool = False,
    zone: str = "UTC",
) -> BrowserContext:
    """A window of its own, logged in with the session's token if one is given."""
    context = browser.new_context(
        base_url=site.address,
        color_scheme="dark" if dark else "light",
        viewport=PHONE if phone else DESK,
        timezone_id=zone,
        locale="en-GB",
        has_touch=phone,
    )
    context.set_default_timeout(1000 * PATIENCE_SECONDS)
    cookies = [{"name": "time_zone", "value": zone.replace("/", "%2F"), "url": site.address}]
    if token is not None:
        cookies.append({"name": DEVELOPMENT_COOKIE, "value": token, "url": site.address})
    context.add_cookies(cookies)  # pyright: ignore[reportArgumentType]
    return context
