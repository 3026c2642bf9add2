"""Windows whose every error, breach of the policy and request is noted."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, expect

from tests.browser.site import Site, window

_AXE = Axe()
COLOUR_RULES = ("color-contrast", "link-in-text-block")
_REFUSED = "Failed to load resource: the server responded with a status of 4"
"""The browser says so for every refusal of the API, also for those that the page shows well."""
_CUT = "Failed to load resource: net::ERR_CONNECTION_RESET"
"""It says so where a test cut the connection; the server never does."""


class Visit(Protocol):
    """Opens a window: `visit(token, dark=True, phone=True, zone="Europe/Lisbon")`."""

    def __call__(
        self, token: str | None = None, *, dark: bool = False, phone: bool = False, zone: str = "UTC"
    ) -> Page: ...


@dataclass
class Watched:
    """All windows of one test."""

    browser: Browser
    site: Site
    faults: list[str] = field(default_factory=list)
    _contexts: list[BrowserContext] = field(default_factory=list)

    def open(self, token: str | None = None, *, dark: bool = False, phone: bool = False, zone: str = "UTC") -> Page:
        """A window of its own, with cookies of its own."""
        context = window(self.browser, self.site, token, dark=dark, phone=phone, zone=zone)
        self._contexts.append(context)
        context.on("request", self._note_request)
        page = context.new_page()
        page.on("console", self._note_message)
        page.on("pageerror", lambda error: self.faults.append(f"error: {error}"))
        return page

    def close(self) -> None:
        """All windows are closed. Fails if there was a fault."""
        for context in self._contexts:
            context.close()
        assert not self.faults, self.faults

    def _note_message(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not message.text.startswith((_REFUSED, _CUT)):
            self.faults.append(f"{message.type}: {message.text}")

    def _note_request(self, request: Request) -> None:
        address = urlsplit(request.url)
        is_ours = address.netloc == urlsplit(self.site.address).netloc
        # A test that plays another site does so under this name; the console has the address.
        if not is_ours and address.scheme not in ("data", "blob") and address.hostname != "localhost":
            self.faults.append(f"asked another server: {address.netloc}")


def await_script(page: Page, name: str) -> None:
    """The page's own script listens; it comes after the page's load event."""
    expect(page.locator(f"[data-module='{name}'][data-started]")).to_be_attached()


def hindrances(page: Page) -> list[str]:
    """What axe finds on the page as it is now, by rule, with the first place of each; [] if nothing."""
    return _found(page, {"resultTypes": ["violations"]})


def hindrances_of_colour(page: Page) -> list[str]:
    """The same, by the rules that look at colours, which are all that a dark page has of its own."""
    return _found(page, {"resultTypes": ["violations"], "runOnly": {"type": "rule", "values": [*COLOUR_RULES]}})


def _found(page: Page, options: Mapping[str, Any]) -> list[str]:
    found = _AXE.run(page, options=dict(options)).response["violations"]
    return [f"{each['id']}: {each['nodes'][0]['target']} ({each['help']})" for each in found]
