"""Struck at every statement of a request with a key, its effect is once, and its answer that of the only attempt."""

import pytest

from fairlead.api.idempotency import REPLAYED
from fairlead.store.connection import Database
from tests.api.asking import application, logged_in
from tests.chaos.proxy import Proxy, Strike, cut_before, swallow_answer
from tests.flows.access.people import enrolled_admin, rows
from tests.race.processes import opened

pytestmark = [pytest.mark.chaos, pytest.mark.slow]

NICHES = "/api/v1/admin/niches"


@pytest.mark.parametrize("how", ["cut", "answer lost"])
def test_a_request_whose_connection_breaks_at_any_statement_is_done_once(
    how: str, database: Database, database_url: str, proxy: Proxy
) -> None:
    strike = {"cut": cut_before, "answer lost": swallow_answer}[how]
    token, url = enrolled_admin(database).token, proxy.url(database_url)
    points = _create_niche(proxy, url, token, "calm")
    claimed = next(number for number, point in enumerate(points) if "insert into idempotency_keys" in point)
    commit = points.index("query: COMMIT", claimed)
    # Only a Query and a Sync are answered at once; within a pipeline an Execute is not.
    numbers = [
        number
        for number in range(claimed, commit + 1)
        if how != "answer lost" or not points[number].startswith("execute")
    ]
    for number in numbers:
        slug = f"struck-{number}"
        _create_niche(proxy, url, token, slug, number, strike)
        assert rows(database, "select count(*) from niches where slug = %s", slug) == [1], points[number]
    assert commit in numbers


def _create_niche(
    proxy: Proxy, url: str, token: str, slug: str, number: int | None = None, strike: Strike | None = None
) -> list[str]:
    """The points that the request met. It is answered, and as no repetition, which it is only the second time."""
    with opened(url) as relayed:
        ann = logged_in(application(relayed), token)
        assert ann.get("/api/v1/session").status_code == 200  # connected before anything is counted
        body, key = {"slug": slug, "name": slug}, {"Idempotency-Key": slug}
        points = proxy.watch(number, strike)
        first = ann.post(NICHES, json=body, headers=key)
        proxy.ignore()
        again = ann.post(NICHES, json=body, headers=key)
    assert (first.status_code, first.headers.get(REPLAYED)) == (201, None), f"{first.text} at {number}"
    assert (again.content, again.headers.get(REPLAYED)) == (first.content, "true")
    return points
