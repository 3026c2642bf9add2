"""`fairlead templates`: what messages look like."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fairlead.cli.marketplace import marketplace
from fairlead.cli.output import print_json, say, table
from fairlead.cli.text_file import read_text_file
from fairlead.core.canonical import timestamp_text
from fairlead.core.errors import BadInput
from fairlead.delivery.template_variables import variables_of
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database

# The template machine is imported by the verbs that need it: every other command would start noticeably later.
if TYPE_CHECKING:
    from fairlead.delivery.templates import Template
    from fairlead.flows.notifications.templates import SavedTemplate, TemplateInUse

app = typer.Typer(help="What messages look like: list, edit, preview, restore.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON, for programs.")]
Kind = Annotated[str, typer.Argument(metavar="KIND", help="The kind of message, such as lead_assigned.")]
Language = Annotated[str, typer.Option(help="The language of its readers: en or de.")]
Part = Annotated[str | None, typer.Option(help="Only this part, as it is: subject, html or text.")]
Subject = Annotated[str | None, typer.Option(metavar="TEXT", help="The subject.")]
HtmlFile = Annotated[Path | None, typer.Option("--html", metavar="FILE", help="A file with the HTML.")]
TextFile = Annotated[Path | None, typer.Option("--text", metavar="FILE", help="A file with the plain text.")]

PARTS = ("subject", "html", "text")


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List the kinds of messages and which version of their templates is in use.

    Example: fairlead templates list
    """
    from fairlead.flows.notifications.templates import list_templates

    with marketplace() as database:
        found = list_templates(database)
    if as_json:
        print_json([{key: value for key, value in _for_programs(each).items() if key not in PARTS} for each in found])
        return
    rows = [
        (
            each.template.kind,
            each.template.language,
            "default" if each.version is None else f"{each.version}, the default" if each.is_default else each.version,
            each.changed_at.strftime("%Y-%m-%d %H:%M:%S") if each.changed_at else "",
            each.changed_by or "",
        )
        for each in found
    ]
    table("", ("kind", "language", "version", "changed", "by"), rows)


@app.command()
def show(
    kind: Kind,
    version: Annotated[int | None, typer.Option(min=1, help="This version instead of the one in use.")] = None,
    language: Language = "en",
    part: Part = None,
    as_json: AsJson = False,
) -> None:
    """Show a template, its versions and the variables that it may use.

    Examples:

        fairlead templates show lead_assigned

        fairlead templates show lead_assigned --part html > lead_assigned.html
    """
    from fairlead.flows.notifications.templates import show_template, template_versions

    _check_part(part)
    with marketplace() as database:
        found = show_template(database, kind, version, language)
        versions = template_versions(database, kind, language)
    if part is not None:
        typer.echo(getattr(found.template, part), nl=part == "subject")
        return
    if as_json:
        history = [
            {"version": each.version, "created_at": timestamp_text(each.created_at), "created_by": each.created_by}
            | {"is_default": each.subject is None, "memo": each.memo}
            for each in versions
        ]
        variables = [
            {"name": each.name, "type": each.type, "description": each.description, "is_optional": each.is_optional}
            for each in variables_of(kind)
        ]
        print_json(_for_programs(found) | {"versions": history, "variables": variables})
        return
    say(f"subject: {found.template.subject}")
    say("")
    say(found.template.text)
    table("variables", ("name", "type", "what"), [(v.name, v.type, v.description) for v in variables_of(kind)])
    if versions:
        say("")
        rows = [(v.version, v.created_at.strftime("%Y-%m-%d %H:%M:%S"), v.created_by, v.memo or "") for v in versions]
        table("versions", ("version", "created", "by", "memo"), rows, right=[0])


@app.command()
def edit(
    kind: Kind,
    memo: Annotated[str, typer.Option(help="Why, for the audit log; one line.")],
    subject: Subject = None,
    html: HtmlFile = None,
    text: TextFile = None,
    language: Language = "en",
    as_json: AsJson = False,
) -> None:
    """Save a new version of a template; parts that are not given stay as they are.

    It is checked and rendered with sample values first, and refused with every problem that it has.

    Example: fairlead templates edit lead_assigned --html ours.html --text ours.txt --memo "our letterhead"
    """
    from fairlead.flows.notifications.templates import save_template

    if subject is None and html is None and text is None:
        raise BadInput(["say what changes: --subject TEXT, --html FILE or --text FILE"])
    with marketplace() as database:
        saved = save_template(database, _edited(database, (kind, language), subject, html, text), memo, OPERATOR)
    _answer(saved, as_json)


@app.command()
def preview(
    kind: Kind,
    subject: Subject = None,
    html: HtmlFile = None,
    text: TextFile = None,
    language: Language = "en",
    part: Part = None,
    as_json: AsJson = False,
) -> None:
    """Show a message with sample values: as it is in use, or as it would be with these parts. Nothing is saved.

    Examples:

        fairlead templates preview lead_assigned

        fairlead templates preview lead_assigned --html ours.html --part html > preview.html
    """
    from fairlead.flows.notifications.templates import preview_template

    _check_part(part)
    with marketplace() as database:
        rendered = preview_template(_edited(database, (kind, language), subject, html, text))
    if part is not None:
        typer.echo(getattr(rendered, part), nl=part == "subject")
    elif as_json:
        print_json(asdict(rendered))
    else:
        say(f"subject: {rendered.subject}")
        say("")
        say(rendered.text)


@app.command()
def restore(
    kind: Kind,
    version: Annotated[int | None, typer.Option(min=1, help="The version to go back to.")] = None,
    default: Annotated[bool, typer.Option("--default", help="Back to the default, also of later releases.")] = False,
    language: Language = "en",
    as_json: AsJson = False,
) -> None:
    """Go back to an earlier version of a template, or to the default; a new version says so.

    Examples:

        fairlead templates restore lead_assigned --version 3

        fairlead templates restore lead_assigned --default
    """
    from fairlead.flows.notifications.templates import restore_template

    if (version is None) == (not default):
        raise BadInput(["say which: --version NUMBER, or --default"])
    with marketplace() as database:
        saved = restore_template(database, kind, version, OPERATOR, language=language)
    _answer(saved, as_json)


def _edited(
    database: Database, of: tuple[str, str], subject: str | None, html: Path | None, text: Path | None
) -> "Template":
    from fairlead.delivery.templates import Template
    from fairlead.flows.notifications.templates import show_template

    kind, language = of
    used = show_template(database, kind, language=language).template
    return Template(
        kind,
        used.subject if subject is None else subject,
        used.html if html is None else read_text_file(html),
        used.text if text is None else read_text_file(text),
        language,
    )


def _check_part(part: str | None) -> None:
    if part is not None and part not in PARTS:
        raise BadInput([f"--part: there is no part {part!r}; there are {', '.join(PARTS)}"])


def _answer(saved: "SavedTemplate", as_json: bool) -> None:
    if as_json:
        print_json(asdict(saved))
    elif saved.took_effect:
        say(f"version {saved.version} of {saved.kind} is in use")
    else:
        say(f"{saved.kind} is so already; nothing was changed")


def _for_programs(each: "TemplateInUse") -> dict[str, object]:
    return {
        "kind": each.template.kind,
        "language": each.template.language,
        "version": each.version,
        "is_default": each.is_default,
        "changed_at": each.changed_at and timestamp_text(each.changed_at),
        "changed_by": each.changed_by,
        "subject": each.template.subject,
        "html": each.template.html,
        "text": each.template.text,
    }
