"""`fairlead admin`: who operates the marketplace; the first of them, and the way back in for the last."""

import sys
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

import typer

from fairlead.cli.marketplace import marketplace
from fairlead.cli.output import print_json, say, say_aside, table
from fairlead.core.canonical import timestamp_text
from fairlead.core.errors import BadInput, Refused
from fairlead.core.permissions import Role
from fairlead.flows.access.encryption_keys import read_encryption_keys
from fairlead.flows.access.first_operator import make_setup_link
from fairlead.flows.access.invitations import create_admin
from fairlead.flows.access.one_time import OneTimeToken
from fairlead.flows.access.users import (
    ListedUser,
    UserChange,
    disable_user,
    enable_user,
    find_user,
    find_users,
    reset_second_factor,
)
from fairlead.settings import load_settings, local_url
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database

app = typer.Typer(help="Operators: let the first one in, and see to the others.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON, for programs.")]
Who = Annotated[str, typer.Argument(metavar="EMAIL", help="The operator's email or id.", show_default=False)]


@app.command()
def create(
    email: Annotated[str, typer.Argument(metavar="EMAIL", help="Where the operator is reached.", show_default=False)],
    name: Annotated[
        str | None, typer.Option(help="The operator's name; without it, what the email begins with.")
    ] = None,
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Take the password from standard input, one line.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Let an operator in. There is no default password: the answer is a link, good once, that sets one.

    With --password-stdin the password is set at once. Either way the first login sets up a second factor before
    anything else is open. Asking again for a user who has no password yet makes a new link in place of the old.

    Examples:

        fairlead admin create ann@example.com --name "Ann Example"

        pass show fairlead | fairlead admin create ann@example.com --password-stdin
    """
    settings = load_settings()
    password = _password() if password_stdin else None
    with marketplace(settings) as database:
        made = create_admin(database, email, name or email.partition("@")[0], OPERATOR, password=password)
    if as_json:
        print_json({"user_id": made.user_id, "status": made.status, "invite": _invite(made.invite, settings.site_url)})
    elif made.invite is None:
        say("the operator can log in, and sets up a second factor then")
    else:
        _say_invite(made.invite, settings.site_url)


@app.command("setup-link")
def make_link(as_json: AsJson = False) -> None:
    """Make the link that lets the first operator in, while there is none: good once, and for a day.

    An earlier one is over, also one that a server has printed at its start.

    Examples:

        fairlead admin setup-link

        docker compose exec web fairlead admin setup-link
    """
    settings = load_settings()
    with marketplace(settings) as database:
        if read_encryption_keys(database, settings).source == "none" and settings.database_url is not None:
            say_aside("FAIRLEAD_ENCRYPTION_KEYS is not set: the operator can set up no second factor until it is")
        link = make_setup_link(database)
    if link is None:
        raise Refused("setup_finished", "the marketplace has an operator already: fairlead admin list")
    site_url = settings.public_url or local_url(settings.http_host, settings.web_port)
    if as_json:
        print_json({"link": link.address(site_url), "token": link.token, "expires_at": timestamp_text(link.expires_at)})
        return
    say(link.address(site_url))
    say_aside(f"good once, until {link.expires_at:%Y-%m-%d %H:%M} UTC; it lets the first operator in")


@app.command("list")
def list_(
    show_all: Annotated[bool, typer.Option("--all", help="Also the users of providers.")] = False,
    as_json: AsJson = False,
) -> None:
    """List the operators, and how they log in.

    Example: fairlead admin list --json
    """
    with marketplace() as database:
        found = find_users(database, None if show_all else Role.ADMIN)
    if as_json:
        print_json([_for_programs(each) for each in found])
    elif found:
        columns = ("email", "name", "role", "status", "second factor", "last login", "id")
        table("", columns, [_row(each) for each in found])
    else:
        say("No operators: fairlead admin create EMAIL lets the first one in.")


@app.command("reset-factor")
def reset_factor(who: Who, as_json: AsJson = False) -> None:
    """Let an operator begin again whose second factor is lost: the answer is a link, good once, that sets a password.

    The old password, second factor and sessions are gone at once. Make sure that it is really that person who asks.

    Example: fairlead admin reset-factor ann@example.com
    """
    settings = load_settings()
    with marketplace(settings) as database:
        user = _operator(database, who)
        done = reset_second_factor(database, user.user_id, OPERATOR, by_mail=False)
    if as_json:
        print_json(_change(done, settings.site_url))
    elif done.invite is not None:
        _say_invite(done.invite, settings.site_url)


@app.command()
def disable(who: Who, as_json: AsJson = False) -> None:
    """Shut an operator out: sessions end at once, keys and links open nothing any more.

    Example: fairlead admin disable ann@example.com
    """
    settings = load_settings()
    with marketplace(settings) as database:
        done = disable_user(database, _operator(database, who).user_id, OPERATOR)
    if as_json:
        print_json(_change(done, settings.site_url))
    elif done.took_effect:
        say(f"the operator is shut out; {done.ended_sessions} sessions ended, {done.revoked_keys} keys revoked")
    else:
        say("nothing to do: the operator is shut out already")


@app.command()
def enable(who: Who, as_json: AsJson = False) -> None:
    """Let an operator in again who was shut out, with the password and second factor as they were.

    Example: fairlead admin enable ann@example.com
    """
    settings = load_settings()
    with marketplace(settings) as database:
        done = enable_user(database, _operator(database, who).user_id, OPERATOR)
    if as_json:
        print_json(_change(done, settings.site_url))
    else:
        say(f"the operator is {done.status}" if done.took_effect else f"nothing to do: the operator is {done.status}")


def _operator(database: Database, who: str) -> ListedUser:
    found = find_user(database, who)
    if found.role != Role.ADMIN:
        raise Refused("user_unknown", f"there is no operator {who!r}: that is a provider's user")
    return found


def _password() -> str:
    if sys.stdin.isatty():
        raise BadInput(["--password-stdin: pipe the password in; typed here it would show"])
    return sys.stdin.readline().rstrip("\r\n")


def _say_invite(invite: OneTimeToken, public_url: str | None) -> None:
    say(invite.link(public_url) if public_url else invite.token)
    say_aside(f"good once, until {invite.expires_at:%Y-%m-%d %H:%M} UTC; it is shown only now, and sets a password")
    if public_url is None:
        say_aside("FAIRLEAD_PUBLIC_URL is not set, so this is the token alone: open /accept-invite#TOKEN on your site")


def _invite(invite: OneTimeToken | None, public_url: str | None) -> dict[str, Any] | None:
    if invite is None:
        return None
    link = invite.link(public_url) if public_url else None
    return {"token": invite.token, "link": link, "expires_at": timestamp_text(invite.expires_at)}


def _change(done: UserChange, public_url: str | None) -> dict[str, Any]:
    return {**asdict(done), "invite": _invite(done.invite, public_url)}


def _for_programs(user: ListedUser) -> dict[str, Any]:
    return {
        name: timestamp_text(value) if isinstance(value, datetime) else value for name, value in asdict(user).items()
    }


def _row(user: ListedUser) -> tuple[object, ...]:
    last = "" if user.last_login_at is None else f"{user.last_login_at:%Y-%m-%d %H:%M}"
    factor = "yes" if user.has_second_factor else "no"
    return user.email, user.name, user.role, user.status, factor, last, user.user_id
