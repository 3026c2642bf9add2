"""`fairlead webhooks`: where providers' leads are sent, and how that goes."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated

import typer

from fairlead.cli.marketplace import marketplace
from fairlead.cli.moments import moment_in
from fairlead.cli.output import print_json, say, say_aside, table
from fairlead.core.canonical import timestamp_text
from fairlead.core.errors import BadInput, Refused
from fairlead.delivery.outcome import Sent
from fairlead.flows.notifications.endpoint_changes import EndpointChange
from fairlead.flows.notifications.replay import replay_endpoint
from fairlead.settings import load_settings
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from fairlead.store.lookups import provider_id_of
from fairlead.store.notifications.webhook_endpoints import ListedEndpoint, list_endpoints

# What speaks HTTP is imported by the verbs that need it: every other command would start noticeably later.

app = typer.Typer(help="Webhook endpoints: send providers their leads into their own systems.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON, for programs.")]
Provider = Annotated[str, typer.Argument(metavar="PROVIDER", help="The provider's id or email.")]
Reason = Annotated[str, typer.Option(help="Why, for the audit log; one line.")]


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List the providers' webhook endpoints and how they do.

    Example: fairlead webhooks list --json
    """
    with marketplace() as database, database.snapshot() as conn:
        found = list_endpoints(conn)
    if as_json:
        print_json([_for_programs(each) for each in found])
    elif found:
        columns = ("provider", "state", "failures", "waiting", "endpoint")
        table("", columns, [_for_people(each) for each in found], right=[2, 3])
    else:
        say("No webhook endpoints.")


@app.command()
def show(provider: Provider, as_json: AsJson = False) -> None:
    """Show a provider's webhook endpoint. Its secret is never shown again.

    Example: fairlead webhooks show sales@example.com
    """
    with marketplace() as database:
        found = _endpoint(database, provider)
    if as_json:
        print_json(_for_programs(found))
        return
    for name, value in _for_programs(found).items():
        if value is not None:
            say(f"{name:<16} {value}")


@app.command("set")
def set_(
    provider: Provider,
    url: Annotated[str, typer.Argument(metavar="URL", help="Where leads are sent, such as https://crm.example.com/in")],
    mapping: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="NAME=OURS", help="Send OURS as NAME, and only what is named; may be repeated."),
    ] = None,
    own_names: Annotated[bool, typer.Option("--own-names", help="Send everything under our own names.")] = False,
    as_json: AsJson = False,
) -> None:
    """Give a provider a webhook endpoint, or change the one that it has.

    A new one gets a secret, which is shown once: the receiver verifies deliveries with it. Without --map an endpoint
    keeps the names that it has.

    Examples:

        fairlead webhooks set sales@example.com https://crm.example.com/leads

        fairlead webhooks set sales@example.com https://crm.example.com/leads --map mail=contact_email --map id=lead_id
    """
    from fairlead.delivery.secret_box import secret_box
    from fairlead.flows.access.encryption_keys import with_encryption_keys
    from fairlead.flows.notifications.endpoints import set_webhook_endpoint

    if mapping and own_names:
        raise BadInput(["say which: --map NAME=OURS, or --own-names"])
    settings = load_settings()
    with marketplace(settings) as database:
        box = secret_box(with_encryption_keys(database, settings))
        provider_id = _provider_id(database, provider)
        field_mapping = _mapping(mapping) if mapping else None if own_names else _present_mapping(database, provider_id)
        allow_private = settings.webhook_allow_private
        done = set_webhook_endpoint(
            database, box, provider_id, url, field_mapping, OPERATOR, allow_private=allow_private
        )
    _answer(done, "the webhook endpoint is set", "the webhook endpoint is so already", as_json)
    if done.state != "active":
        say_aside(f"it is {done.state}: fairlead webhooks resume {provider} --reason ... makes it active")


@app.command()
def rotate(
    provider: Provider,
    finish: Annotated[bool, typer.Option("--finish", help="Retire the previous secret: the rotation is over.")] = False,
    as_json: AsJson = False,
) -> None:
    """Give a provider's endpoint a new secret; deliveries are signed with both until --finish.

    Examples:

        fairlead webhooks rotate sales@example.com

        fairlead webhooks rotate sales@example.com --finish
    """
    from fairlead.delivery.secret_box import secret_box
    from fairlead.flows.access.encryption_keys import with_encryption_keys
    from fairlead.flows.notifications.endpoint_secrets import retire_previous_secret, rotate_webhook_secret

    settings = load_settings()
    with marketplace(settings) as database:
        endpoint_id = _endpoint(database, provider).endpoint_id
        if finish:
            done = retire_previous_secret(database, endpoint_id, OPERATOR)
        else:
            box = secret_box(with_encryption_keys(database, settings))
            done = rotate_webhook_secret(database, box, endpoint_id, OPERATOR)
    if finish:
        _answer(done, "the previous secret is retired", "no rotation is under way", as_json)
    else:
        _answer(done, "deliveries are signed with both secrets until --finish", "", as_json)


@app.command()
def pause(provider: Provider, reason: Reason, as_json: AsJson = False) -> None:
    """Send nothing to a provider's endpoint until it is resumed; what waits is held back.

    Example: fairlead webhooks pause sales@example.com --reason "their maintenance"
    """
    from fairlead.flows.notifications.endpoints import pause_webhook_endpoint

    with marketplace() as database:
        done = pause_webhook_endpoint(database, _endpoint(database, provider).endpoint_id, reason, OPERATOR)
    _answer(done, "the webhook endpoint is paused", f"the webhook endpoint is {done.state} already", as_json)


@app.command()
def resume(provider: Provider, reason: Reason, as_json: AsJson = False) -> None:
    """Send to a provider's endpoint again, what was held back first.

    Example: fairlead webhooks resume sales@example.com --reason "they are back"
    """
    from fairlead.flows.notifications.endpoints import resume_webhook_endpoint

    with marketplace() as database:
        done = resume_webhook_endpoint(database, _endpoint(database, provider).endpoint_id, reason, OPERATOR)
    _answer(done, "the webhook endpoint is active", "the webhook endpoint is active already", as_json)


@app.command()
def remove(provider: Provider, as_json: AsJson = False) -> None:
    """Remove a provider's endpoint for good; what waits for it is skipped.

    Example: fairlead webhooks remove sales@example.com
    """
    from fairlead.flows.notifications.endpoints import remove_webhook_endpoint

    with marketplace() as database:
        done = remove_webhook_endpoint(database, _endpoint(database, provider).endpoint_id, OPERATOR)
    _answer(done, "the webhook endpoint is removed", "", as_json)


@app.command("test")
def send_test(provider: Provider, as_json: AsJson = False) -> None:
    """Send a provider's endpoint a test now, of no lead and no person, and say what it answered.

    Ends with status 1 when it did not take it.

    Example: fairlead webhooks test sales@example.com
    """
    from fairlead.delivery.secret_box import secret_box
    from fairlead.flows.access.encryption_keys import with_encryption_keys
    from fairlead.flows.notifications.endpoint_trial import try_webhook_endpoint

    settings = load_settings()
    with marketplace(settings) as database:
        endpoint_id = _endpoint(database, provider).endpoint_id
        box = secret_box(with_encryption_keys(database, settings))
        delivery = try_webhook_endpoint(database, box, endpoint_id, settings)
    is_sent = isinstance(delivery, Sent)
    if as_json:
        print_json({"endpoint_id": endpoint_id, "is_sent": is_sent, "answer": delivery.answer})
    else:
        say(f"{'taken' if is_sent else 'not taken'}: {delivery.answer}", style="green" if is_sent else "red")
    if not is_sent:
        raise typer.Exit(1)


@app.command()
def replay(
    provider: Provider,
    time_from: Annotated[
        str,
        typer.Option(
            "--from", metavar="TIME", help="From when on, such as 2026-03-01T14:00Z; without a zone it is UTC."
        ),
    ],
    as_json: AsJson = False,
) -> None:
    """Send a provider's endpoint again what it received, or missed, from then on.

    Each delivery keeps its webhook-id, by which a receiver knows what it has already.

    Example: fairlead webhooks replay sales@example.com --from 2026-03-01T14:00Z
    """
    moment = moment_in(time_from, "--from")
    with marketplace() as database:
        endpoint_id = _endpoint(database, provider).endpoint_id
        count = replay_endpoint(database, endpoint_id, moment, OPERATOR)
    if as_json:
        print_json({"endpoint_id": endpoint_id, "created_from": timestamp_text(moment), "replayed_count": count})
    else:
        say(f"{count:,} deliveries are sent again")


def _answer(done: EndpointChange, said: str, said_already: str, as_json: bool) -> None:
    if as_json:
        print_json({name: value for name, value in asdict(done).items() if name != "secret" or value is not None})
        return
    say(said if done.took_effect else said_already)
    if done.secret is not None:
        say(f"secret: {done.secret}")
        say_aside("this secret is shown only now: give it to the operator of the receiver")


def _provider_id(database: Database, id_or_email: str) -> str:
    with database.snapshot() as conn:
        return provider_id_of(conn, id_or_email)


def _endpoint(database: Database, id_or_email: str) -> ListedEndpoint:
    provider_id = _provider_id(database, id_or_email)
    with database.snapshot() as conn:
        found = list_endpoints(conn, provider_id)
    if not found:
        raise Refused("webhook_endpoint_unknown", f"provider {id_or_email!r} has no webhook endpoint")
    return found[0]


def _present_mapping(database: Database, provider_id: str) -> Mapping[str, str] | None:
    with database.snapshot() as conn:
        found = list_endpoints(conn, provider_id)
    return found[0].field_mapping if found else None


def _mapping(pairs: list[str]) -> dict[str, str]:
    mapping: dict[str, str] = {}
    for pair in pairs:
        name, equals, source = pair.partition("=")
        if not equals or not name or not source:
            raise BadInput([f"--map {pair}: must be NAME=OURS, such as mail=contact_email"])
        mapping[name] = source
    return mapping


def _for_programs(each: ListedEndpoint) -> dict[str, object]:
    return {
        **asdict(each),
        "failing_since": each.failing_since and timestamp_text(each.failing_since),
        "created_at": timestamp_text(each.created_at),
    }


def _for_people(each: ListedEndpoint) -> tuple[object, ...]:
    state = each.state if each.state_reason is None else f"{each.state}: {each.state_reason}"
    return each.provider_name, state, each.failure_count, each.waiting_count, each.endpoint_id
