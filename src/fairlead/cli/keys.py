"""`fairlead keys`: API keys, for machines."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

import typer

from fairlead.cli.marketplace import marketplace
from fairlead.cli.output import print_json, say, say_aside, table
from fairlead.core.canonical import timestamp_text
from fairlead.core.errors import BadInput
from fairlead.flows.access.api_keys import ListedKey, create_api_key, list_api_keys, revoke_api_key
from fairlead.flows.access.users import find_user
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from fairlead.store.lookups import provider_id_of

app = typer.Typer(help="API keys: let machines in, within scopes.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON, for programs.")]
OfUser = Annotated[str | None, typer.Option("--user", help="The operator whose key it is (email or id).")]
OfProvider = Annotated[str | None, typer.Option("--provider", help="The provider whose key it is (email or id).")]


@app.command()
def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What the key is for.", show_default=False)],
    scopes: Annotated[
        list[str], typer.Option("--scope", help="What it may do, such as intake:write; may be repeated.")
    ],
    user: OfUser = None,
    provider: OfProvider = None,
    days: Annotated[int | None, typer.Option(help="It expires after so many days; without this, never.")] = None,
    as_json: AsJson = False,
) -> None:
    """Make a key, which is shown once. It may do what its scopes say, as far as its owner may.

    Nothing that needs a second factor of its own (moving money by hand, users, keys) is within reach of a key. With the
    scope payments:record it records deposits that were made elsewhere.

    Examples:

        fairlead keys create website --user ann@example.com --scope intake:write --days 365

        fairlead keys create crm --provider sales@example.com --scope own:read
    """
    if (user is None) == (provider is None):
        raise BadInput(["say whose it is: --user EMAIL or --provider EMAIL"])
    with marketplace() as database:
        user_id, provider_id = _owner(database, user, provider)
        made = create_api_key(
            database, name, scopes, OPERATOR, user_id=user_id, provider_id=provider_id, lifetime_days=days
        )
    if as_json:
        expires_at = made.expires_at and timestamp_text(made.expires_at)
        print_json({"key_id": made.key_id, "prefix": made.prefix, "key": made.text, "expires_at": expires_at})
    else:
        say(made.text)
        say_aside("it is shown only now: keep it where the machine reads it, and nowhere else")


@app.command("list")
def list_(
    user: OfUser = None,
    provider: OfProvider = None,
    show_all: Annotated[bool, typer.Option("--all", help="Also those that were revoked.")] = False,
    as_json: AsJson = False,
) -> None:
    """List keys, the newest first. Their secrets are not known.

    Example: fairlead keys list --provider sales@example.com --all
    """
    with marketplace() as database:
        user_id, provider_id = _owner(database, user, provider)
        found = list_api_keys(database, user_id=user_id, provider_id=provider_id, show_all=show_all)
    if as_json:
        print_json([_for_programs(each) for each in found])
    elif found:
        columns = ("key", "name", "scopes", "of", "last used", "expires", "state", "id")
        table("", columns, [_row(each) for each in found])
    else:
        say("No API keys.")


@app.command()
def revoke(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="The key's id.", show_default=False)],
    as_json: AsJson = False,
) -> None:
    """Revoke a key: it opens nothing from now on.

    Example: fairlead keys revoke 01900000-0000-7000-8000-000000000000
    """
    with marketplace() as database:
        took_effect = revoke_api_key(database, key_id, OPERATOR)
    if as_json:
        print_json({"key_id": key_id, "took_effect": took_effect})
    else:
        say("the key is revoked" if took_effect else "nothing to do: the key was revoked already")


def _owner(database: Database, user: str | None, provider: str | None) -> tuple[str | None, str | None]:
    user_id = None if user is None else find_user(database, user).user_id
    if provider is None:
        return user_id, None
    with database.snapshot() as conn:
        return user_id, provider_id_of(conn, provider)


def _for_programs(key: ListedKey) -> dict[str, Any]:
    return {
        name: timestamp_text(value) if isinstance(value, datetime) else value for name, value in asdict(key).items()
    }


def _row(key: ListedKey) -> tuple[object, ...]:
    owner = f"user {key.user_id}" if key.user_id else f"provider {key.provider_id}"
    state = "revoked" if key.revoked_at else "active"
    scopes = " ".join(key.scopes)
    return key.prefix, key.name, scopes, owner, _day(key.last_used_at), _day(key.expires_at), state, key.key_id


def _day(moment: datetime | None) -> str:
    return "" if moment is None else f"{moment:%Y-%m-%d}"
