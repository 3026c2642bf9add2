"""Templates of niches: questions and prices of markets that others run, to begin with and then to change."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from fairlead.core.canonical import JsonObject
from fairlead.core.errors import Refused
from fairlead.core.form import parse_form_schema
from fairlead.flows.configuration.levels import create_level
from fairlead.flows.configuration.niches import create_niche
from fairlead.flows.configuration.versions import Changed
from fairlead.store.audit.log import Actor
from fairlead.store.configuration.rows import NichePolicy, NicheRow
from fairlead.store.connection import Connection, Database
from fairlead.store.joined import JoinedDatabase

SOURCE_LANGUAGE = "en"
TEMPLATE_LANGUAGES = (SOURCE_LANGUAGE, "de")
"""What the texts of templates are there in: those that pages can be read in, too."""


@dataclass(frozen=True, slots=True)
class TemplateLevel:
    """A level of a template; `price` is in whole units of whatever currency the marketplace has."""

    name: str
    price: int
    max_recipients: int


@dataclass(frozen=True, slots=True)
class NicheTemplate:
    """A market to begin with. `name` is its slug as well as what the API calls it by."""

    template: str
    name: str
    text: str
    form_schema: JsonObject
    levels: tuple[TemplateLevel, ...]


@dataclass(frozen=True, slots=True)
class WantedLevel:
    """A level that the new niche is to have."""

    name: str
    price_cents: int
    max_recipients: int


@cache
def niche_templates(language: str = SOURCE_LANGUAGE) -> Mapping[str, NicheTemplate]:
    """Every template that there is, by its slug, in the order of their names, with its texts in the language.

    They are in English where the language is none of `TEMPLATE_LANGUAGES`.
    """
    folder = files("fairlead.flows.configuration").joinpath("niche_templates")
    texts = [each.read_text(encoding="utf-8") for each in folder.iterdir() if each.name.endswith(".toml")]
    found = [_read(text, language) for text in texts]
    return {each.template: each for each in sorted(found, key=lambda each: each.name)}


def niche_template(template: str, language: str = SOURCE_LANGUAGE) -> NicheTemplate:
    """The template with this slug, likewise. Raises `Refused`: `niche_template_unknown`."""
    found = niche_templates(language).get(template)
    if found is None:
        raise Refused("niche_template_unknown", "there is no such template")
    return found


def create_niche_from_template(
    database: Database,
    template: str,
    slug: str,
    name: str,
    levels: Sequence[WantedLevel],
    actor: Actor,
    *,
    language: str = SOURCE_LANGUAGE,
    phone_region: str | None = None,
    memo: str | None = None,
) -> Changed[NicheRow]:
    """There is the niche with the template's form and these levels, in their order: all of it or nothing.

    The form's texts are in the language, and the marketplace's own: what language pages are read in later changes
    nothing of them. From then on it is a niche as any other, and knows nothing of the template. Locks as `create_niche`
    and `create_level`, and raises as they do, and `Refused`: `niche_template_unknown`.
    """
    chosen = niche_template(template, language)

    def work(conn: Connection) -> Changed[NicheRow]:
        whole = JoinedDatabase(database, conn)
        policy = NichePolicy(phone_region=phone_region)
        done = create_niche(whole, slug, name, actor, form_schema=chosen.form_schema, policy=policy, memo=memo)
        for each in levels:
            create_level(whole, done.row.niche_id, each.name, each.price_cents, each.max_recipients, actor, memo=memo)
        return done

    return database.run(work)


def _read(text: str, language: str) -> NicheTemplate:
    table = tomllib.loads(text)
    words: Mapping[str, str] = table["words"].get(language, {})

    def said(text: str) -> str:
        return words.get(text, text)

    fields = [
        each
        | {"label": said(each["label"])}
        | ({"options": [*map(said, each["options"])]} if "options" in each else {})
        for each in table["field"]
    ]
    form = parse_form_schema({"version": 1, "fields": fields})
    levels = tuple(TemplateLevel(**each | {"name": said(each["name"])}) for each in table["level"])
    return NicheTemplate(table["slug"], said(table["name"]), said(table["text"]), form.to_json(), levels)
