"""Every page has its pictures."""

from pathlib import Path

from tests.browser.pages import EMPTY_PAGES, NONE_TAKEN, PAGES

PERMISSIONS = Path(__file__).parents[1] / "console" / "page_permissions.txt"


NAMED_OTHERWISE = {"vps-hosting": "{slug}", "{niche_level_id}": "{level_id}", "{receipt_number}": "{number}"}
"""What the pictures' addresses name, by what the routes do."""


def test_every_page_is_photographed_or_said_not_to_be() -> None:
    addresses = {line.partition(":")[0] for line in PERMISSIONS.read_text().splitlines()}
    pages = {each for each in addresses if not each.endswith((".csv", ".js"))}
    photographed = {
        each.partition(":")[2].partition("#")[0].partition("?")[0] for each in (*PAGES, EMPTY_PAGES["setup"])
    }
    for shown, declared in NAMED_OTHERWISE.items():
        photographed = {each.replace(shown, declared) for each in photographed}
    assert photographed | set(NONE_TAKEN) == pages
    assert not photographed & set(NONE_TAKEN)


def test_all_pictures_together_stay_small() -> None:
    pictures = Path(__file__).parents[2] / "docs" / "screenshots"
    assert sum(each.stat().st_size for each in pictures.iterdir()) < 12_000_000
