"""Run a marketplace over HTTP, from nothing to refunds: its operator, providers, a partner and a consumer.

It needs a running `fairlead serve` with an empty database, and the link that lets the first operator in:

    export FAIRLEAD_ENCRYPTION_KEYS=$(openssl rand -base64 32) FAIRLEAD_PUBLIC_URL=http://127.0.0.1:8000
    export FAIRLEAD_MAIL_TRANSPORT=directory FAIRLEAD_MAIL_DIRECTORY=/tmp/mail
    export FAIRLEAD_COOKIE_OVER_HTTP=true FAIRLEAD_WEBHOOK_ALLOW_PRIVATE=true   # a developer's machine only
    mkdir -p /tmp/mail; fairlead migrate; fairlead serve &
    LINK=$(fairlead admin create ann@example.com --json | jq -r .invite.link)
    python examples/run_a_marketplace.py http://127.0.0.1:8000 ann@example.com "$LINK" /tmp/mail

It prints a line for each step and ends with the first that went otherwise than it should. What happens after the leads
were sold is in marketplace_aftermath.py, the client in marketplace_client.py.
"""

import secrets
import sys
import time
from pathlib import Path

from marketplace_aftermath import BIG, Market, Sold, after_the_sale
from marketplace_client import Caller, Feed, Json, Mail, Receiver, code_of, same, told, waited_for

FORM = {
    "version": 1,
    "fields": [
        {"key": "cores", "label": "Cores", "type": "number", "required": True},
        {"key": "region", "label": "Region", "type": "select", "options": ["north", "south"]},
    ],
}
LEVELS = {"bronze": (500, 3), "silver": (1000, 2), "gold": (2000, 1)}
ONCE_PER_ADDRESS = {
    "version": 1,
    "any_of": [["contact_email"]],
    "duplicate_window_days": 90,
    "scope": "niche",
    "action": "refuse",
}
LEADS = [(2, "north"), (4, "south"), (8, "north"), (16, "south"), (32, "north"), (1, "south")]
NORTHERN = {"version": 1, "rules": [{"field_key": "region", "operator": "eq", "value": "north"}]}
WISHES = {
    "anchor": {"gold": BIG, "silver": None},
    "bowline": {"gold": None, "bronze": NORTHERN},
    "cleat": {"silver": None, "bronze": None},
}


def operator_comes_in(site: str, email: str, link: str) -> tuple[Caller, str]:
    """The operator of the invitation is in, with a second factor, and a recovery code for the next time."""
    operator, password = Caller(site), secrets.token_urlsafe(20)
    operator.ask("POST", "/accounts/accept-invitation", {"token": link.split("#")[1], "password": password}, status=204)
    operator.ask("POST", "/session", {"email": email, "password": "not the password"}, status=401, code="login_refused")
    session = operator.ask("POST", "/session", {"email": email, "password": password})
    same("next step", session["next_step"], "enrolment")
    operator.ask("GET", "/admin/overview", status=403, code="enrolment_required")
    secret = operator.ask("POST", "/session/enrolment")["secret"]
    code = code_of(secret, time.time())
    recovery = operator.ask("POST", "/session/enrolment/confirm", {"code": code})["recovery_codes"]
    operator.ask("DELETE", "/session", status=204)
    operator.ask("GET", "/session", status=401, code="session_invalid")
    session = operator.ask("POST", "/session", {"email": email, "password": password})
    same("next step", session["next_step"], "second_factor")
    operator.ask("POST", "/session/second-factor", {"code": code}, status=401, code="code_refused")
    same("next step", operator.ask("POST", "/session/second-factor", {"code": recovery[0]})["next_step"], None)
    told("The operator set a password, enrolled a second factor, and came back with a recovery code.")
    return operator, session["user_id"]


def niche_opens(operator: Caller) -> tuple[str, dict[str, str]]:
    """There is a niche with a form, and three levels in the order gold, silver, bronze."""
    wanted: Json = {"slug": "hosting", "name": "Hosting", "form_schema": FORM}
    niche = operator.ask("POST", "/admin/niches", wanted, status=201)["niche"]["niche_id"]
    same("asked again", operator.ask("POST", "/admin/niches", wanted, status=201)["took_effect"], False)
    levels: dict[str, str] = {}
    for name, (price_cents, recipients) in LEVELS.items():
        wanted = {"name": name, "price_cents": price_cents, "max_recipients": recipients}
        levels[name] = operator.ask("POST", f"/admin/niches/{niche}/levels", wanted, status=201)["level"]["level_id"]
    order: Json = {"level_ids": [levels["gold"], levels["silver"], levels["bronze"]]}
    seen = operator.version(f"/admin/niches/{niche}/levels")
    answer = operator.ask("PUT", f"/admin/niches/{niche}/levels/order", order, seen=seen)
    same("order", [level["name"] for level in answer["items"]], ["gold", "silver", "bronze"])
    back = {"level_ids": list(levels.values())}
    operator.ask("PUT", f"/admin/niches/{niche}/levels/order", back, seen=seen, status=412, code="version_conflict")
    policy: Json = {"is_public": True, "approves": False, "duplicate_rule": ONCE_PER_ADDRESS}
    seen = operator.version(f"/admin/niches/{niche}/intake-policy")
    same("policy", operator.ask("PUT", f"/admin/niches/{niche}/intake-policy", policy, seen=seen)["is_public"], True)
    told("A niche is open: hosting, with a form, and the levels gold, silver and bronze.")
    return niche, levels


def providers_come_in(site: str, operator: Caller, mail: Mail) -> tuple[dict[str, str], dict[str, Caller]]:
    """Two providers were invited, a third registered and was approved; all three are logged in."""
    ids: dict[str, str] = {}
    for name in ("anchor", "bowline"):
        email = f"sales@{name}.example"
        answer = operator.ask("POST", "/admin/providers", {"email": email, "name": name}, status=201)
        ids[name] = answer["provider"]["provider_id"]
        invitation = {"email": email, "name": f"Sales of {name}"}
        operator.ask("POST", f"/admin/providers/{ids[name]}/invitations", invitation, status=201)
    Caller(site).ask("POST", "/accounts/register", {"email": "sales@cleat.example", "name": "cleat"}, status=202)
    callers = {name: comes_in(site, mail, f"sales@{name}.example") for name in ("anchor", "bowline", "cleat")}
    pending = [one for one in operator.every("/admin/providers") if one["status"] == "pending"]
    same("pending", [one["email"] for one in pending], ["sales@cleat.example"])
    ids["cleat"] = pending[0]["provider_id"]
    same("its profile", callers["cleat"].ask("GET", "/provider/profile")["status"], "pending")
    callers["cleat"].ask("PATCH", "/provider/profile", {}, seen="*", status=403, code="permission_missing")
    operator.ask("POST", f"/admin/providers/{ids['cleat']}/approve", {"memo": "checked in the register"})
    same("its profile", callers["cleat"].ask("GET", "/provider/profile")["status"], "active")
    told("Anchor and Bowline followed their invitations; Cleat registered by itself and was approved.")
    return ids, callers


def comes_in(site: str, mail: Mail, email: str) -> Caller:
    """A provider's user is logged in with a password that was set by the link in the mail."""
    provider, password = Caller(site), secrets.token_urlsafe(20)
    chosen = {"token": mail.token(email), "password": password}
    provider.ask("POST", "/accounts/accept-invitation", chosen, status=204)
    provider.ask("POST", "/accounts/accept-invitation", chosen, status=403, code="token_refused")
    same("next step", provider.ask("POST", "/session", {"email": email, "password": password})["next_step"], None)
    return provider


def money_comes_in(operator: Caller, ids: dict[str, str]) -> dict[str, int]:
    """Each provider has credit, once, however often it was asked for. The answer is the client's own book."""
    book: dict[str, int] = {}
    for name, provider_id in ids.items():
        path, credit = f"/admin/providers/{provider_id}/adjustments", credit_of(20_000)
        operator.ask("POST", path, credit, status=400, code="idempotency_key_missing")
        first = operator.ask("POST", path, credit, once=f"opening-{name}", status=201)
        same("asked again", operator.ask("POST", path, credit, once=f"opening-{name}", status=201), first)
        operator.ask("POST", path, credit_of(1), once=f"opening-{name}", status=422, code="idempotency_key_reused")
        book[name] = first["balance_after_cents"]
        same("balance", book[name], 20_000)
    told("Each provider was credited 200.00, once, though it was asked for twice.")
    return book


def credit_of(amount_cents: int) -> Json:
    return {"direction": "credit", "amount_cents": amount_cents, "memo": "opening balance, by bank transfer"}


def providers_subscribe(callers: dict[str, Caller], levels: dict[str, str], receiver: Receiver) -> dict[str, Json]:
    """Each provider has the subscriptions that it wished for, by provider and level; Anchor takes webhooks."""
    subscriptions: dict[str, Json] = {}
    for name, wishes in WISHES.items():
        offer = callers[name].ask("GET", "/provider/levels")["items"][0]["levels"]
        same("on offer", [(one["name"], one["own"]) for one in offer], [(level, None) for level in reversed(LEVELS)])
        for level, filter_rules in wishes.items():
            wish: Json = {"level_id": levels[level], "filter_rules": filter_rules}
            own = callers[name].ask("POST", "/provider/subscriptions", wish, status=201)
            same("is active", own["is_active"], True)
            subscriptions[f"{name} {level}"] = own
    nonsense = {"version": 1, "rules": [{"field_key": "colour", "operator": "eq", "value": "red"}]}
    path = f"/provider/levels/{levels['gold']}/filter-preview"
    refused = callers["anchor"].ask("POST", path, nonsense, status=422, code="input_invalid")
    same("what is wrong", [error["pointer"] for error in refused["errors"]], ["/rules/0/field_key"])
    endpoint = callers["anchor"].ask("POST", "/provider/webhook-endpoints", {"url": receiver.url}, status=201)
    receiver.secret = endpoint["secret"]
    trial = callers["anchor"].ask("POST", f"/provider/webhook-endpoints/{endpoint['endpoint_id']}/test")
    same("test delivery", (trial["is_delivered"], len(receiver.messages)), (True, 1))
    told("They looked at what is on offer and subscribed with filters; Anchor's own system takes webhooks.")
    return subscriptions


def leads_come_in(site: str, key: str, mail: Mail) -> list[str]:
    """Six leads came with the partner's key and one from the public; none came twice, and none that does not fit."""
    partner, public = Caller(site, key), Caller(site)
    ids: list[str] = []
    for number, (cores, region) in enumerate(LEADS):
        lead: Json = lead_of(f"lead{number}@example.com", cores, region)
        sent = partner.ask("POST", "/leads", lead, once=f"order-{number}", status=201)
        same("asked again", partner.ask("POST", "/leads", lead, once=f"order-{number}", status=201), sent)
        ids.append(sent["lead_id"])
    again = lead_of("LEAD0@example.com", 64, "north")
    refused = partner.ask("POST", "/leads", again, status=409, code="lead_duplicate")
    same("the earlier one", refused["duplicate_of"]["lead_id"], ids[0])
    misfit = lead_of("misfit@example.com", 4, "west")
    refused = partner.ask("POST", "/leads", misfit, status=422, code="input_invalid")
    same("what is wrong", [error["pointer"] for error in refused["errors"]], ["/attributes/region"])
    partner.ask("GET", "/admin/leads", status=403, code="permission_missing")
    told("A partner sent six leads. The one it sent twice is one; a duplicate and a misfit were refused.")

    lead = lead_of("ada@example.net", 6, "north")
    public.ask("POST", "/public/leads", lead, status=422, code="input_invalid")
    lead["consent"] = {"text": "I want to be called about an offer.", "source_url": "https://moving.example.com/offer"}
    sent = public.ask("POST", "/public/leads", lead, status=202)
    token = {"token": mail.token("ada@example.net")}
    same("confirmed", public.ask("POST", "/public/leads/confirm", token)["was_already"], False)
    same("confirmed again", public.ask("POST", "/public/leads/confirm", token)["was_already"], True)
    told("A consumer asked by the public form, and confirmed it by the link in the mail.")
    return [*ids, sent["lead_id"]]


def lead_of(email: str, cores: int, region: str) -> Json:
    attributes: Json = {"cores": cores, "region": region}
    return {"niche": "hosting", "attributes": attributes, "contact_name": "Ada Example", "contact_email": email}


def leads_are_judged(operator: Caller, leads: list[str]) -> list[str]:
    """One lead was approved by itself, one rejected, all others approved at once. The answer has those to be sold."""
    listed = list(operator.every("/admin/leads", niche="hosting", limit=3))
    same(
        "in the list",
        [(one["lead_id"], one["status"]) for one in listed],
        [(lead, "pending_approval") for lead in reversed(leads)],
    )
    approved = operator.ask("POST", f"/admin/leads/{leads[0]}/approve", once="approve-1")
    same("newly approved", approved["was_already"], False)
    same("asked again", operator.ask("POST", f"/admin/leads/{leads[0]}/approve", once="approve-1"), approved)
    operator.ask("POST", f"/admin/leads/{leads[5]}/reject", {"reason": "a test of our own"})
    nowhere = "01900000-0000-7000-8000-000000000000"
    answer = operator.ask("POST", "/admin/leads/bulk/approve", {"lead_ids": [*leads, nowhere]})
    results = {one["lead_id"]: (one["result"], one.get("code")) for one in answer["items"]}
    same("the rejected one", results[leads[5]], ("refused", "lead_rejected"))
    same("one that never was", results[nowhere], ("refused", "lead_unknown"))
    same("newly approved", answer["done_count"], 5)
    told("The operator approved one lead, rejected one, and approved the others together.")
    return [lead for lead in leads if lead != leads[5]]


def leads_are_sold(operator: Caller, leads: list[str], ids: dict[str, str], feed: Feed) -> list[Sold]:
    """Every lead was distributed, and each sale is one that form, filters, prices and slots allow."""
    sales: list[Sold] = []
    names = {provider_id: name for name, provider_id in ids.items()}
    for lead in leads:
        state = waited_for(f"the distribution of {lead}", lambda lead=lead: decided(operator, lead))
        answers = operator.ask("GET", f"/admin/leads/{lead}")["attributes"]
        items = list(operator.ask("GET", f"/admin/leads/{lead}/assignments")["items"])
        same("sales", len(items), state["assignments_created"])
        sold = [
            Sold(lead, one["assignment_id"], names[one["provider_id"]], one["level_name"], one["price_cents"])
            for one in items
        ]
        for one in sold:
            same("wanted", wants(WISHES[one.provider][one.level], answers), True)
            same("price", one.price_cents, LEVELS[one.level][0])
        same("buyers, each once", len({one.provider for one in sold}), len(sold))
        for level, (_, recipients) in LEVELS.items():
            same(f"slots of {level}", sum(one.level == level for one in sold) <= recipients, True)
        is_explained(operator, lead, ids, sold)
        sales += sold
    feed.wait_for("decision.recorded", len(leads))
    feed.wait_for("assignment.created", len(sales))
    told(f"{len(leads)} leads were sold {len(sales)} times, and the feed told each sale as it happened.")
    return sales


def decided(operator: Caller, lead: str) -> Json | None:
    state = operator.ask("GET", f"/admin/leads/{lead}/distribution-status")
    return state if state["last_attempt_status"] in ("success", "partial", "no_eligible", "failed") else None


def wants(filter_rules: Json | None, answers: Json) -> bool:
    """Whether a filter lets a lead through, by what docs/reference/filters.md says of the operators used here."""
    holds = {"gte": lambda said, asked: said >= asked, "eq": lambda said, asked: said == asked}
    rules = filter_rules["rules"] if filter_rules else []
    return all(holds[rule["operator"]](answers[rule["field_key"]], rule["value"]) for rule in rules)


def is_explained(operator: Caller, lead: str, ids: dict[str, str], sold: list[Sold]) -> None:
    """The explanation names exactly those who bought, and a reason for each other provider at every level it visited."""
    whole = operator.ask("GET", f"/admin/leads/{lead}/explain")
    same("decisions", len(whole["decisions"]), 1)
    recipients = [one["assignment_id"] for level in whole["decisions"][0]["levels"] for one in level["recipients"]]
    same("recipients", sorted(recipients), sorted(one.assignment_id for one in sold))
    for name, provider_id in ids.items():
        standings = operator.ask("GET", f"/admin/leads/{lead}/explain", query={"provider_id": provider_id})["levels"]
        same("levels", sorted(one["level_name"] for one in standings), sorted(WISHES[name]))
        for one in standings:
            same("received or a reason", one["received"], one["reason"] is None)
        bought = [one["assignment_id"] for one in standings if one["received"]]
        same("bought", bought, [one.assignment_id for one in sold if one.provider == name])


def main(site: str, email: str, link: str, mail_directory: str) -> None:
    """The whole story."""
    mail, receiver = Mail(Path(mail_directory)), Receiver()
    operator, user_id = operator_comes_in(site, email, link)
    niche, levels = niche_opens(operator)
    ids, callers = providers_come_in(site, operator, mail)
    book = money_comes_in(operator, ids)
    subscriptions = providers_subscribe(callers, levels, receiver)
    keys = {
        name: operator.ask("POST", "/admin/keys", {"name": name, "user_id": user_id, "scopes": scopes}, status=201)
        for name, scopes in {"partner": ["intake:write"], "watcher": ["leads:read", "reports:read"]}.items()
    }
    feed = Feed(site, keys["watcher"]["key"])
    leads = leads_are_judged(operator, leads_come_in(site, keys["partner"]["key"], mail))
    sales = leads_are_sold(operator, leads, ids, feed)
    for one in sales:
        book[one.provider] -= one.price_cents
    market = Market(site, operator, niche, levels, ids, callers, subscriptions, book, sales, keys, feed, receiver)
    after_the_sale(market)


if __name__ == "__main__":
    if len(sys.argv) != 5:
        raise SystemExit(__doc__)
    main(*sys.argv[1:])
