"""Two providers at their portals, as pages: each page as its text, and which address it asks for."""

import re
from html import unescape

from starlette.testclient import TestClient

from fairlead.store.connection import Database
from tests.api.asking import a_provider
from tests.api.portal import Portal
from tests.console.visiting import console
from tests.flows.sales import sell


def visit_portal(database: Database) -> Portal:
    """As `open_portal`, on the console."""
    sale = sell(database)
    app = console(database, webhook_allow_private=True)
    sam = a_provider(app, database, sale.anchor_id)
    return Portal(app, sale, sam, a_provider(app, database, sale.bowline_id, "sales@bowline.example"))


def shown(client: TestClient, address: str) -> str:
    """The words of the page, which has to be one."""
    answer = client.get(address, headers={"Accept": "text/html"})
    assert answer.status_code == 200, answer.text
    return words_of(answer.text)


def words_of(html: str) -> str:
    """What the page says, without its tags, in one line."""
    body = html[html.index("<main") : html.index("</main>")]
    return " ".join(unescape(re.sub(r"<template.*?</template>|<[^>]+>", " ", body, flags=re.S)).split())
