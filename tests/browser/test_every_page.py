"""Every page for its visitor: nothing in the way of people with disabilities, no error, no request to another server,
room on a narrow screen and at twice the size, a way by keys to everything, and no movement for who wants none.
"""

import os
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.screenshots import PAGES, names_of, showcase_database
from tests.browser.showcase import Showcase, seat_viewers
from tests.browser.site import Site, serving, window
from tests.browser.watched import Watched, hindrances
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
NARROW, ZOOMED = {"width": 360, "height": 740}, {"width": 640, "height": 400}
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
def shown(request: pytest.FixtureRequest) -> Generator[Shown]:
    """One marketplace for all the tests here, which only look at it."""
    with pytest.MonkeyPatch.context() as patches:
        use_quick_passwords(patches)
        if "SHOWCASE_SERVER" not in os.environ:
            patches.setenv("SHOWCASE_SERVER", request.getfixturevalue("server_url"))
        with showcase_database() as database:
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


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group[0].partition(":")[2])
def test_nothing_is_in_the_way_of_any_visitor(
    browser: Browser, shown: Shown, group: tuple[str, ...], dark: bool
) -> None:
    found: dict[str, list[str]] = {}
    for page in group:
        with opened(browser, shown, page, dark=dark) as at:
            if hindered := hindrances(at):
                found[page] = hindered
    assert not found


@pytest.mark.parametrize("size", [NARROW, ZOOMED], ids=["360 px", "200 %"])
@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group[0].partition(":")[2])
def test_no_page_is_wider_than_its_window(
    browser: Browser, shown: Shown, group: tuple[str, ...], size: dict[str, int]
) -> None:
    wider: dict[str, object] = {}
    for page in group:
        context = window(browser, shown.site, shown.token_of(page))
        at = context.new_page()
        at.set_viewport_size(size)  # pyright: ignore[reportArgumentType]
        go(at, shown, page)
        over = at.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        if over > 0:
            wider[page] = (
                over,
                at.evaluate(_TOO_WIDE),
            )
        context.close()
    assert not wider


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
    for page in MAIN_PAGES:
        context = window(browser, shown.site, shown.token_of(page))
        at = context.new_page()
        at.emulate_media(reduced_motion="reduce")
        go(at, shown, page)
        assert at.evaluate(_MOVING) == [], page
        context.close()
