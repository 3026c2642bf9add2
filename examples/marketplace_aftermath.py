"""What happens in a marketplace after its leads were sold: inbox, bad leads, refunds, sums, changes, and leaving."""

from collections import Counter
from dataclasses import dataclass

from marketplace_client import Caller, Feed, Json, Receiver, same, told, waited_for

BIG = {"version": 1, "rules": [{"field_key": "cores", "operator": "gte", "value": 4}]}


@dataclass(frozen=True, slots=True)
class Sold:
    """A lead that a provider bought."""

    lead_id: str
    assignment_id: str
    provider: str
    level: str
    price_cents: int


@dataclass(frozen=True, slots=True)
class Market:
    """The marketplace as the client knows it. `book` has its own sums: what each provider should have, in cents."""

    site: str
    operator: Caller
    niche: str
    levels: dict[str, str]
    ids: dict[str, str]
    callers: dict[str, Caller]
    subscriptions: dict[str, Json]
    book: dict[str, int]
    sales: list[Sold]
    keys: dict[str, Json]
    feed: Feed
    receiver: Receiver

    def subscription(self, wish: str) -> str:
        """The id of a subscription, such as `anchor gold`."""
        return self.subscriptions[wish]["subscription_id"]

    def bought_by(self, provider: str) -> list[Sold]:
        """What a provider bought, in the order of the decisions."""
        return [one for one in self.sales if one.provider == provider]


def after_the_sale(market: Market) -> None:
    """The rest of the story, chapter by chapter."""
    webhooks_arrive(market)
    providers_answer(market)
    refunded = bad_leads_are_decided(market)
    sums_agree(market, refunded)
    everything_is_on_record(market, refunded)
    price_changes(market)
    form_changes(market)
    provider_is_suspended(market)
    access_ends(market)


def webhooks_arrive(market: Market) -> None:
    """Each of Anchor's leads arrived at its own system, once."""
    bought = sorted(one.lead_id for one in market.bought_by("anchor"))
    waited_for("the webhooks", lambda: len(market.receiver.leads()) >= len(bought) or None)
    same("webhooks", sorted(market.receiver.leads()), bought)
    told(f"Anchor's own system got its {len(bought)} leads, signed with the secret that only it was shown.")


def providers_answer(market: Market) -> None:
    """Anchor saw and accepted a lead, rejected one, and reported one as bad; so did Cleat."""
    anchor, bowline = market.callers["anchor"], market.callers["bowline"]
    accepted, rejected, reported, *_ = market.bought_by("anchor")
    inbox = list(anchor.every("/provider/assignments", limit=2))
    same("inbox", {one["assignment_id"] for one in inbox}, {one.assignment_id for one in market.bought_by("anchor")})
    same("unviewed", anchor.ask("GET", "/provider/assignments/unviewed-count")["unviewed_count"], len(inbox))
    path = f"/provider/assignments/{accepted.assignment_id}"
    bowline.ask("GET", path, status=404, code="assignment_unknown")
    same("not seen by looking", anchor.ask("GET", path)["viewed_at"], None)
    seen = anchor.ask("POST", f"{path}/view")
    same("the same when seen again", anchor.ask("POST", f"{path}/view")["viewed_at"], seen["viewed_at"])
    same("unviewed", anchor.ask("GET", "/provider/assignments/unviewed-count")["unviewed_count"], len(inbox) - 1)
    same("accepted", anchor.ask("POST", f"{path}/accept")["status"], "accepted")
    anchor.ask("POST", f"{path}/reject", {"reason": "second thoughts"}, status=409, code="assignment_accepted")
    path = f"/provider/assignments/{rejected.assignment_id}"
    same("rejected", anchor.ask("POST", f"{path}/reject", {"reason": "too far away"})["status"], "rejected")
    for one, reason in ((reported, "unreachable"), (market.bought_by("cleat")[0], "not_interested")):
        path, report = f"/provider/assignments/{one.assignment_id}/report", {"reason": reason}
        provider = market.callers[one.provider]
        same("reported", provider.ask("POST", path, report)["assignment_id"], one.assignment_id)
        provider.ask("POST", path, report, status=409, code="bad_lead_reported")
    bowline.ask("POST", path, {"reason": "spam"}, status=404, code="assignment_unknown")
    fared = anchor.ask("POST", f"/provider/levels/{market.levels['gold']}/filter-preview", BIG)
    # A count below ten would tell what a single lead said: the preview holds it back.
    same("filter preview", (fared["matched_count"], fared["lead_count"]), (None, 6))
    told("Providers looked into their inboxes, accepted one lead, rejected one, and reported two as bad.")


def bad_leads_are_decided(market: Market) -> list[Sold]:
    """One report was accepted and one rejected, one sale refunded by hand, one lead marked as bad: who got money back."""
    operator, book = market.operator, market.book
    reports = {one["provider_name"]: one["assignment_id"] for one in operator.every("/admin/bad-lead-reports")}
    same("who reported", sorted(reports), ["anchor", "cleat"])
    memo = {"memo": "decided after a call with both"}
    path = f"/admin/bad-lead-reports/{reports['anchor']}"
    decision = operator.ask("POST", f"{path}/accept", memo, once="report-1")
    same("decision", (decision["decision"], decision["refund"]["assignment_id"]), ("accepted", reports["anchor"]))
    same("asked again", operator.ask("POST", f"{path}/accept", memo, once="report-1"), decision)
    operator.ask("POST", f"{path}/reject", memo, once="report-2", status=409, code="bad_lead_decided")
    path = f"/admin/bad-lead-reports/{reports['cleat']}"
    same("decision", operator.ask("POST", f"{path}/reject", memo, once="report-3")["refund"], None)
    same("reports that wait", list(operator.every("/admin/bad-lead-reports")), [])

    by_hand = market.bought_by("cleat")[1]
    path = f"/admin/assignments/{by_hand.assignment_id}/refund"
    same("refund", operator.ask("POST", path, memo, once="refund-1")["amount_cents"], by_hand.price_cents)
    operator.ask("POST", path, memo, once="refund-2", status=409, code="assignment_refunded")

    back = [one for one in market.sales if one.assignment_id in (reports["anchor"], by_hand.assignment_id)]
    bad = market.sales[-1].lead_id
    others = [one for one in market.sales if one.lead_id == bad and one not in back]
    marked = operator.ask("POST", f"/admin/leads/{bad}/mark-bad", memo, once="bad-1")
    same("refunds", {one["assignment_id"] for one in marked["refunds"]}, {one.assignment_id for one in others})
    marked = operator.ask("POST", f"/admin/leads/{bad}/mark-bad", memo, once="bad-2")
    same("marked again", (marked["was_already"], marked["refunds"]), (True, []))
    back += others
    for one in back:
        book[one.provider] += one.price_cents
    market.feed.wait_for("assignment.refunded", len(back))
    told(f"The operator accepted one report, rejected the other, and gave the price back {len(back)} times, each once.")
    return back


def sums_agree(market: Market, refunded: list[Sold]) -> None:
    """Ledgers, balances, statements, overview, revenue and export all say what the client's own book says."""
    operator, always = (
        market.operator,
        {"created_from": "2000-01-01T00:00:00Z", "created_before": "2100-01-01T00:00:00Z"},
    )
    exported = operator.lines("/admin/exports/ledger")
    for name, provider_id in market.ids.items():
        entries = list(market.callers[name].every("/provider/ledger", limit=3))
        same("numbered", [one["seq"] for one in entries], list(range(len(entries), 0, -1)))
        same("ledger", sum(one["amount_cents"] for one in entries), market.book[name])
        seen_by_operator = list(operator.every(f"/admin/providers/{provider_id}/ledger"))
        same(
            "operator's ledger",
            [one["amount_cents"] for one in seen_by_operator],
            [one["amount_cents"] for one in entries],
        )
        same("balance", market.callers[name].ask("GET", "/provider/profile")["balance_cents"], market.book[name])
        same("newest entry", entries[0]["balance_after_cents"], market.book[name])
        statement = market.callers[name].ask("GET", "/provider/ledger/statement", query=always)
        same("closing balance", statement["closing_balance_cents"], market.book[name])
        totals = {one["kind"]: one["amount_cents"] for one in statement["totals"]}
        same("bought", totals["lead_purchase"], -sum(one.price_cents for one in market.bought_by(name)))
        rows = [row for row in exported if row["provider_id"] == provider_id]
        same("export", sum(int(row["amount_cents"]) for row in rows), market.book[name])
    overview = operator.ask("GET", "/admin/overview")
    same("all balances", overview["balances_cents"], sum(market.book.values()))
    same("all movements", overview["ledger_total_cents"], sum(market.book.values()))
    revenue = operator.ask("GET", "/admin/reports/revenue")["items"]
    gross, back = sum(one.price_cents for one in market.sales), sum(one.price_cents for one in refunded)
    same("gross", sum(one["gross_cents"] for one in revenue), gross)
    same("net", sum(one["net_cents"] for one in revenue), gross - back)
    told(f"All sums agree with the client's own: sold for {gross / 100:.2f}, given back {back / 100:.2f}.")


def everything_is_on_record(market: Market, refunded: list[Sold]) -> None:
    """The audit log tells each thing that was done with money, reports count the same, and no job waits or was given up."""
    operator = market.operator
    events = list(operator.every("/admin/audit-events", limit=200))
    done = Counter(event["action"] for event in events)
    same("credits", done["balance.credited"], len(market.ids))
    same("approvals", done["lead.approved"], len({one.lead_id for one in market.sales}))
    same("refunds", done["assignment.refunded"], len(refunded))
    same("strangers", done["login.refused"], 1)
    by_export = Counter(event["action"] for event in operator.lines("/admin/exports/audit-events"))
    same("missing in the export", done - by_export, Counter())
    fairness = operator.ask("GET", "/admin/reports/fairness", query={"niche": "hosting"})["items"]
    same("each level began as often", {one["starts"] for one in fairness}, {2})
    same("assignments", sum(one["assignments"] for one in fairness), len(market.sales))
    fill = operator.ask("GET", "/admin/reports/fill-rate", query={"niche": "hosting"})["items"]
    same("slots", sum(one["filled_slots"] for one in fill), len(market.sales))
    activity = operator.ask("GET", "/admin/reports/provider-activity")["items"]
    for one in activity:
        same("received", one["received_count"], len(market.bought_by(one["provider_name"])))
    same("refunded", sum(one["refunded_count"] for one in activity), len(refunded))
    funnel = operator.ask("GET", "/admin/reports/funnel")["items"]
    same("received", sum(one["received_count"] for one in funnel), 7)
    same("bad", sum(one["bad_count"] for one in funnel), 1)
    waited_for("quiet queues", lambda: all_is_done(operator))
    same("dead letters", list(operator.every("/admin/dead-letters")), [])
    told("Audit log, reports and queues tell the same story; nothing waits and nothing was given up.")


def all_is_done(operator: Caller) -> bool | None:
    queues = operator.ask("GET", "/admin/queues")["items"]
    return all(one["waiting_count"] == one["running_count"] == 0 for one in queues) or None


def price_changes(market: Market) -> None:
    """Gold costs more from now on; an operator who had seen the old price could not overwrite the new one."""
    operator, path = market.operator, f"/admin/levels/{market.levels['gold']}"
    seen = operator.version(path)
    operator.ask("PATCH", path, {"price_cents": 2500}, status=428, code="precondition_required")
    changed = operator.ask("PATCH", path, {"price_cents": 2500, "memo": "as announced"}, seen=seen)
    same("price", (changed["level"]["price_cents"], changed["level"]["max_recipients"]), (2500, 1))
    operator.ask("PATCH", path, {"price_cents": 1500}, seen=seen, status=412, code="version_conflict")
    same("price", operator.ask("GET", path)["price_cents"], 2500)
    debit = {"direction": "debit", "amount_cents": market.book["bowline"], "memo": "paid out as agreed"}
    path = f"/admin/providers/{market.ids['bowline']}/adjustments"
    stopped = operator.ask("POST", path, debit, once="pay-out", status=201)["deactivated_subscription_ids"]
    same("stopped", sorted(stopped), sorted(market.subscription(f"bowline {level}") for level in ("gold", "bronze")))
    operator.ask("POST", path, debit, once="pay-out-2", status=409, code="insufficient_balance")
    credit = debit | {"direction": "credit", "memo": "paid in again"}
    started = operator.ask("POST", path, credit, once="pay-in", status=201)["reactivated_subscription_ids"]
    same("started", sorted(started), sorted(stopped))
    told("Gold costs 25.00 now. Without money Bowline's subscriptions stopped, and with it they started again.")


def form_changes(market: Market) -> None:
    """A form that no longer asks for cores stopped the filter that needs them, until the old form was back."""
    operator, path = market.operator, f"/admin/niches/{market.niche}/form"
    concerned = market.subscription("anchor gold")
    form = operator.ask("GET", path)["form_schema"]
    shorter = {"form_schema": form | {"fields": [one for one in form["fields"] if one["key"] != "cores"]}}
    tried = operator.ask("POST", f"{path}/preview", shorter)
    same("would stop", [one["subscription_id"] for one in tried["invalidated"]], [concerned])
    seen = operator.version(path)
    made = operator.ask("PUT", path, shorter | {"memo": "cores are not asked for"}, seen=seen)
    same("stopped", [one["subscription_id"] for one in made["invalidated"]], [concerned])
    own = f"/provider/subscriptions/{concerned}"
    same("as Anchor sees it", market.callers["anchor"].ask("GET", own)["filter_is_valid"], False)
    operator.ask("PUT", path, {"form_schema": form}, seen=seen, status=412, code="version_conflict")
    back = operator.ask("POST", f"{path}/versions/1/restore", {"memo": "they do ask"}, seen=operator.version(path))
    same("fits again", back["validated_subscription_ids"], [concerned])
    same("as Anchor sees it", market.callers["anchor"].ask("GET", own)["filter_is_valid"], True)
    told("A shorter form stopped one filter, as its preview had said; the old form brought it back.")


def provider_is_suspended(market: Market) -> None:
    """Cleat, suspended, can look and do nothing else, with its session and with its key."""
    cleat, path = market.callers["cleat"], f"/provider/subscriptions/{market.subscription('cleat silver')}/pause"
    wish = {"name": "crm", "scopes": ["own:read", "own:write"], "lifetime_days": 1}
    crm = Caller(market.site, cleat.ask("POST", "/provider/keys", wish, status=201)["key"])
    same("active", crm.ask("GET", "/provider/profile")["status"], "active")
    market.operator.ask("POST", f"/admin/providers/{market.ids['cleat']}/suspend", {"memo": "unpaid invoices"})
    for caller in (cleat, crm):
        same("suspended", caller.ask("GET", "/provider/profile")["status"], "suspended")
        caller.ask("POST", path, status=403, code="permission_missing")
    market.feed.wait_for("provider.changed", 1)
    told("Cleat was suspended: from that moment it can look and do nothing else, neither by hand nor by its key.")


def access_ends(market: Market) -> None:
    """Keys and sessions open nothing any more, and a watcher that had one was shown out."""
    for name in ("partner", "watcher"):
        market.operator.ask("DELETE", f"/admin/keys/{market.keys[name]['key_id']}", status=204)
    partner = Caller(market.site, market.keys["partner"]["key"])
    partner.ask("POST", "/leads", {"niche": "hosting", "attributes": {}}, status=401, code="api_key_invalid")
    same("feed", waited_for("the end of the feed", lambda: market.feed.ended_with), 4401)
    for caller in (market.operator, *market.callers.values()):
        caller.ask("DELETE", "/session", status=204)
        caller.ask("GET", "/session", status=401, code="session_invalid")
    told("Keys were revoked, the feed ended with the key that opened it, and every user logged out.")
