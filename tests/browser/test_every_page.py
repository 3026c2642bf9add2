"""Every page for its visitor: nothing in the way of people with disabilities, no error, no request to another server,
room on a narrow screen and at twice the size, a way by keys to everything, and no movement for who wants none.
"""

import os
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, ViewportSize

from fairlead.console.viewer import LANGUAGE_COOKIE
from tests.browser.pages import EMPTY_PAGES, PAGES
from tests.browser.screenshots import names_of, showcase_database
from tests.browser.showcase import Showcase, seat_viewers
from tests.browser.site import DESK, Site, serving, window
from tests.browser.watched import Watched, hindrances, hindrances_of_colour
from tests.flows.access.people import enrolled_admin
from tests.quick_passwords import use_quick_passwords

PAGES_AT_ONCE = 8
GROUPS = [PAGES[start : start + PAGES_AT_ONCE] for start in range(0, len(PAGES), PAGES_AT_ONCE)]
MAIN_PAGES = (
    ":/login",
    ":/forms/vps-hosting",
    "operator:/overview",
    "operator:/review",
    "operator:/leads",
    "operator:/leads/{lead_id}",
    "operator:/niches/{niche_id}",
    "operator:/providers/{provider_id}",
    "provider:/portal/inbox",
    "provider:/portal/leads/{assignment_id}",
    "provider:/portal/subscriptions/{subscription_id}",
)
SIZES: Mapping[str, ViewportSize] = {
    "360 pixels": {"width": 360, "height": 740},
    "200 %": {"width": 640, "height": 400},
}
"""The narrowest telephone; a window of 1280 pixels at 200 %."""

_REACHABLE = """() => {
  const all = document.querySelectorAll('a[href], button, input, select, textarea, summary, [tabindex="0"]');
  const seen = new Set();
  return [...all].filter((each) => {
    if (each.disabled || each.type === 'hidden' || !each.checkVisibility({ visibilityProperty: true })) return false;
    if (each.closest('dialog:not([open])') || each.tabIndex < 0) return false;
    if (each.type === 'radio') {
      const group = each.form ? [...document.querySelectorAll('form')].indexOf(each.form) + each.name : each.name;
      if (seen.has(group)) return false;
      seen.add(group);
      each.dataset.group = group;
    }
    return true;
  }).map((each, number) => { each.dataset.walk = number; return number; });
}"""
"""Marks what keys have to reach, one of each group of choices; returns the marks."""

_TOO_WIDE = """() => [...document.querySelectorAll('main *')].filter((each) =>
  each.getBoundingClientRect().right > document.documentElement.clientWidth + 1 && !each.closest('[tabindex="0"]')
).map((each) => each.outerHTML.slice(0, 90)).slice(0, 2)"""

_TO_THE_TOP = """() => {
  document.body.tabIndex = -1;
  document.body.focus();
  document.body.removeAttribute('tabindex');
}"""

_FOCUSED = """() => {
  const each = document.activeElement;
  if (!each || each === document.body) return null;
  const style = getComputedStyle(each);
  const shape = each.getBoundingClientRect();
  // Of a choice any button may have the focus that is chosen; of one that is drawn otherwise, what stands for it.
  const marked = each.type === 'radio' && each.dataset.walk === undefined
    ? [...document.querySelectorAll('[data-group]')].find((one) => one.name === each.name && one.form === each.form)
    : each;
  return { walk: marked?.dataset.walk ?? null, what: each.outerHTML.slice(0, 120),
           shows: parseFloat(style.outlineWidth) >= 1 || style.boxShadow !== 'none'
                  || each.closest('label, .search')?.matches(':focus-within') === true,
           inWindow: shape.bottom > 0 && shape.top < innerHeight };
}"""

_MOVING = """() => [...document.querySelectorAll('*')].filter((each) => {
  const style = getComputedStyle(each);
  const spans = `${style.transitionDuration},${style.animationDuration}`.split(',');
  return spans.some((each) => parseFloat(each) > 0.01);
}).map((each) => each.outerHTML.slice(0, 80)).slice(0, 3)"""


@dataclass
class Shown:
    """The showcase on a port, and what stands in braces in the addresses of its pages."""

    site: Site
    showcase: Showcase
    names: Mapping[str, str]

    def token_of(self, page: str) -> str | None:
        """The session of the page's visitor."""
        who = page.partition(":")[0]
        return {"": None, "operator": self.showcase.operator.token, "provider": self.showcase.provider.token}[who]

    def address_of(self, page: str) -> str:
        return page.partition(":")[2].format_map(self.names)


@pytest.fixture(scope="module")
def shown(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Generator[Shown]:
    """One marketplace for all the tests here, which only look at it, made once for all processes of the run."""
    is_alone = not hasattr(request.config, "workerinput")
    dump = None if is_alone else tmp_path_factory.getbasetemp().parent / "showcase.dump"
    with pytest.MonkeyPatch.context() as patches:
        use_quick_passwords(patches)
        if "SHOWCASE_SERVER" not in os.environ:
            patches.setenv("SHOWCASE_SERVER", request.getfixturevalue("server_url"))
        with showcase_database(dump) as database:
            showcase = seat_viewers(database)
            names = names_of(database, showcase)
            with serving(database) as site:
                yield Shown(site, showcase, names)


@contextmanager
def opened(browser: Browser, shown: Shown, page: str, **look: Any) -> Generator[Page]:
    """The page for its visitor, as it is when nothing is under way any more. At the end it had no fault."""
    watched = Watched(browser, shown.site)
    opened = watched.open(shown.token_of(page), **look)
    go(opened, shown, page)
    yield opened
    watched.close()


def go(opened: Page, shown: Shown, page: str) -> None:
    answer = opened.goto(shown.address_of(page))
    assert answer is None or answer.status == 200, page
    opened.wait_for_load_state("networkidle")


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group[0].partition(":")[2])
def test_nothing_is_in_the_way_of_any_visitor(browser: Browser, shown: Shown, group: tuple[str, ...]) -> None:
    """In light and in the dark, on a narrow telephone, in English and in German, and at twice the size.

    Each page is asked for once: what a page looks like follows from its style sheet, never from a script
    (tests/console/test_assets.py), so it is the same page whether it was dark or narrow from the beginning.
    """
    watched = Watched(browser, shown.site)
    windows: dict[str | None, Page] = {}
    in_german: dict[str | None, Page] = {}
    found: dict[str, list[str]] = {}
    for page in group:
        token = shown.token_of(page)
        at = windows[token] if token in windows else windows.setdefault(token, watched.open(token))
        go(at, shown, page)
        hindered = hindrances(at)
        at.emulate_media(color_scheme="dark", reduced_motion="reduce")  # no colour on its way to another
        hindered += [f"in the dark: {each}" for each in hindrances_of_colour(at)]
        at.emulate_media(color_scheme="light", reduced_motion="no-preference")
        for name, size in SIZES.items():
            at.set_viewport_size(size)
            hindered += [f"at {name}: {each}" for each in too_wide(at)]
        at.set_viewport_size(DESK)
        if token not in in_german:
            in_german[token] = _german_telephone(watched, token)
        hindered += [f"in German: {each}" for each in _too_wide_in_german(in_german[token], shown, page)]
        if hindered:
            found[page] = hindered
    watched.close()
    assert not found


def test_nothing_is_in_the_way_where_nothing_is_yet(browser: Browser, site: Site) -> None:
    watched = Watched(browser, site)
    at = watched.open(enrolled_admin(site.database).token)
    found: dict[str, list[str]] = {}
    for page in [each for each in EMPTY_PAGES.values() if each.startswith("operator:") and "none" not in each]:
        at.goto(page.partition(":")[2])
        at.wait_for_load_state("networkidle")
        hindered = hindrances(at)
        at.emulate_media(color_scheme="dark", reduced_motion="reduce")
        hindered += [f"in the dark: {each}" for each in hindrances_of_colour(at)]
        at.emulate_media(color_scheme="light", reduced_motion="no-preference")
        at.set_viewport_size(SIZES["360 pixels"])
        hindered += [f"at 360 pixels: {each}" for each in too_wide(at)]
        at.set_viewport_size(DESK)
        if hindered:
            found[page] = hindered
    watched.close()
    assert not found


def _german_telephone(watched: Watched, token: str | None) -> Page:
    """A window on the narrowest telephone, whose language has the longest words."""
    at = watched.open(token)
    at.context.add_cookies([{"name": LANGUAGE_COOKIE, "value": "de", "url": watched.site.address}])
    at.set_viewport_size(SIZES["360 pixels"])
    return at


def _too_wide_in_german(at: Page, shown: Shown, page: str) -> list[str]:
    at.goto(shown.address_of(page))
    assert at.locator("html").get_attribute("lang") == "de", page
    return too_wide(at)


def too_wide(page: Page) -> list[str]:
    """By how much the page is wider than its window, and by what; [] if it is not."""
    over = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return [f"{over} pixels too wide", *page.evaluate(_TOO_WIDE)] if over > 0 else []


@pytest.mark.parametrize("page", MAIN_PAGES)
def test_keys_reach_everything_and_show_where_they_are(browser: Browser, shown: Shown, page: str) -> None:
    with opened(browser, shown, page) as at:
        at.evaluate(_TO_THE_TOP)
        unreached = {str(number) for number in at.evaluate(_REACHABLE)}
        unseen: list[str] = []
        for _ in range(2 * len(unreached) + 20):
            at.keyboard.press("Tab")
            focused = at.evaluate(_FOCUSED)
            if focused is None:
                break
            unreached.discard(focused["walk"])
            if not (focused["shows"] and focused["inWindow"]):
                unseen.append(focused["what"])
        left = [at.locator(f'[data-walk="{each}"]').evaluate("e => e.outerHTML.slice(0, 120)") for each in unreached]
        assert (left, unseen) == ([], [])


def test_nothing_moves_for_who_wants_no_movement(browser: Browser, shown: Shown) -> None:
    windows: dict[str | None, Page] = {}
    for page in MAIN_PAGES:
        token = shown.token_of(page)
        if token not in windows:
            windows[token] = window(browser, shown.site, token).new_page()
            windows[token].emulate_media(reduced_motion="reduce")
        go(windows[token], shown, page)
        assert windows[token].evaluate(_MOVING) == [], page


def test_what_is_wrong_only_in_the_dark_or_in_a_narrow_window_is_found(browser: Browser) -> None:
    at = browser.new_page(viewport=DESK)
    at.set_content(
        '<html lang="en" style="color-scheme: light dark"><title>Wrong</title><main><h1>Wrong</h1>'
        '<p style="width: 500px; color: light-dark(#000, #333); background: light-dark(#fff, #222)">A sentence.</p>'
    )
    assert (hindrances(at), too_wide(at)) == ([], [])
    at.emulate_media(color_scheme="dark")
    assert [each.partition(":")[0] for each in hindrances_of_colour(at)] == ["color-contrast"]
    at.set_viewport_size(SIZES["360 pixels"])
    assert too_wide(at)[0].endswith("pixels too wide")
