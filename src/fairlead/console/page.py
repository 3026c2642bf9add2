"""A page: a template, written for the viewer who asks; what goes wrong is a page, too."""

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Annotated, Any, cast
from urllib.parse import quote

from fastapi import Depends, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from fairlead.api.access import key_text_of
from fairlead.api.bodies import BoundedRoute
from fairlead.api.problem_codes import kind_of
from fairlead.api.problems import when_to_ask_again
from fairlead.api.resources import resources_of
from fairlead.console.assets import asset_address
from fairlead.console.clause_texts import clause_in_language
from fairlead.console.formats import FILTERS
from fairlead.console.navigation import sections_for
from fairlead.console.niche_names import NicheNames
from fairlead.console.operator.attention import rail_counts
from fairlead.console.operator.audit_words import ActorNames, actor_words
from fairlead.console.problem_words import engine_words, input_sentence, problem_sentence
from fairlead.console.refusal_texts import sentence_of
from fairlead.console.site_identity import FAIRLEAD, identity_of
from fairlead.console.statuses import tone_of, word_of
from fairlead.console.texts import noted, translated, translated_count, writing_in
from fairlead.console.viewer import LANGUAGE_NAMES, LANGUAGES, Viewer, viewer_of
from fairlead.core.errors import BadInput, FairleadError, Refused, Unavailable
from fairlead.core.permissions import Role
from fairlead.flows.access.principal import Principal
from fairlead.store.watching.attention import read_attention
from fairlead.telemetry.errors import error_kind
from fairlead.telemetry.logs import current_correlation_id, get_logger

_log = get_logger(__name__)

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
"""Nothing is run, shown or asked but what this server sends, and nothing of it stands inside a page."""

TRIM_BLOCKS, LSTRIP_BLOCKS = True, True
"""How templates are read: by pages, and by what collects their texts for translators."""

LOGIN_STEPS: Mapping[str, str] = {"second_factor": "/login/second-factor", "enrolment": "/login/enrolment"}
"""Where a login goes on that is not finished, by what is outstanding."""

_OUTAGE = 500
"""From this status on a page asks nothing more of the database: it may be what is missing."""

_SAID: Mapping[int, str] = {
    403: noted("It needs a permission that your account does not have. An operator of the marketplace can give it."),
    404: noted("Nothing is at this address. It may have been mistyped, or what it showed is gone."),
    500: noted("The server failed. Try again; if it fails again, tell an operator the number of the request."),
    503: noted("The server cannot answer now. Try again in a moment."),
}
"""What a page of an error says, by its status, where the error says nothing for readers itself."""

_LOGIN_FOR = {
    "session_required": "/login",
    "session_invalid": "/login",
    "second_factor_required": LOGIN_STEPS["second_factor"],
    "enrolment_required": LOGIN_STEPS["enrolment"],
}
"""Where a viewer goes whose session is missing or unfinished, and from there back to the page."""


def address_with_next(address: str, next_address: str) -> str:
    """The address of a page of the login, from which it goes on to that page."""
    return f"{address}?next={quote(next_address, safe='')}"


@dataclass(frozen=True, slots=True)
class HtmlPage:
    """What a route writes its page with."""

    request: Request
    viewer: Viewer

    def render(
        self, template: str, principal: Principal | None = None, *, status: int = 200, **values: Any
    ) -> Response:
        """The template as an answer. `principal` is who is logged in: it decides which sections the page leads to.

        `attention` is how many tasks wait in each section, by its path; for operators it is read where it is not given.
        """
        if principal is not None and principal.actor.role != Role.PROVIDER and "attention" not in values:
            database = resources_of(self.request).database
            values["attention"] = rail_counts(database.read(read_attention), principal)
        context: dict[str, Any] = {
            "viewer": self.viewer,
            "languages": LANGUAGES,
            "language_names": LANGUAGE_NAMES,
            "now": datetime.now(UTC),
            "path": self.request.url.path,
            "principal": principal,
            "sections": [] if principal is None else sections_for(principal, self.request.url.path),
            "identity": identity_of(self.request) if status < _OUTAGE else FAIRLEAD,
            "niche_name": NicheNames(resources_of(self.request).database),
            "actor_name": ActorNames(resources_of(self.request).database),
            "sends_mail": resources_of(self.request).settings.sends_mail,
            "is_demo": getattr(self.request.app.state, "is_demo", False),
            "request_id": current_correlation_id() or "",
            **values,
        }
        with writing_in(self.viewer.language):
            text = _environment().get_template(template).render(context)
        return HTMLResponse(text, status, headers={"Content-Security-Policy": CONTENT_SECURITY_POLICY})


def framed_by_any_site(response: Response) -> Response:
    """The same answer, which pages of other sites may show in a frame."""
    policy = CONTENT_SECURITY_POLICY.replace("frame-ancestors 'none'", "frame-ancestors *")
    response.headers["Content-Security-Policy"] = policy
    return response


async def _page(request: Request) -> HtmlPage:
    return HtmlPage(request, viewer_of(request))


PageOfRequest = Annotated[HtmlPage, Depends(_page, scope="function")]
"""For a parameter: what the route writes its page with."""


class PageRoute(BoundedRoute):
    """A route whose refusals are pages: it leads to the login where that is missing."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """As the framework has it, with its errors caught."""
        handle = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                if key_text_of(request) is not None:
                    raise Refused("session_required", "pages are for people with a session; a key has the API")
                # What the route prepares for the template is in the language of the page, too.
                with writing_in(viewer_of(request).language):
                    return await handle(request)
            except FairleadError as error:
                return await run_in_threadpool(page_of_error, request, error)
            except RequestValidationError:
                return await run_in_threadpool(page_of_status, request, 404)
            except HTTPException as error:
                return await run_in_threadpool(page_of_status, request, error.status_code)
            except Exception as error:
                _log.error("a page failed", error=error_kind(error), exc_info=error)
                return await run_in_threadpool(page_of_status, request, 500)

        return answer


_ONCE_MORE = '<!doctype html><html lang="en"><meta http-equiv="refresh" content="0"><title>Fairlead</title>'
"""Asks for the same page again, from this server's own page."""


def _is_followed_link(request: Request) -> bool:
    """Whether a person followed a link of another site or of a mail, which shows the page to that person alone."""
    wanted = {"sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
    return request.method == "GET" and all(request.headers.get(name) == value for name, value in wanted.items())


def page_of_error(request: Request, error: FairleadError) -> Response:
    """The page for what a flow raised. An error of the server is logged; the viewer learns no detail of it."""
    if isinstance(error, Refused):
        if error.code in _LOGIN_FOR:
            address = request.url.path + (f"?{request.url.query}" if request.url.query else "")
            return RedirectResponse(address_with_next(_LOGIN_FOR[error.code], address), 303)
        if error.code == "cross_origin_refused" and _is_followed_link(request):
            return HTMLResponse(_ONCE_MORE, headers={"Content-Security-Policy": CONTENT_SECURITY_POLICY})
        status = kind_of(error.code).status
        if error.code == "permission_missing":
            return _error_page(request, status, noted("You may not see this page"), _SAID[status])
        return _error_page(request, status, kind_of(error.code).title, None, error)
    if isinstance(error, BadInput):
        return _error_page(request, kind_of("input_invalid").status, kind_of("input_invalid").title, None, error)
    if isinstance(error, Unavailable):
        _log.warning("a page could not be served", error=error_kind(error), exc_info=error)
        return page_of_status(request, 503)
    _log.error("a page failed", error=error_kind(error), exc_info=error)
    return page_of_status(request, 500)


def page_of_status(request: Request, status: int) -> Response:
    """The page for an answer that has no code of its own."""
    known = {404: "route_unknown", 405: "method_not_allowed", 503: "unavailable"}
    return _error_page(request, status, kind_of(known.get(status, "internal_error")).title, _SAID.get(status))


def _error_page(
    request: Request, status: int, title: str, detail: str | None, error: Refused | BadInput | None = None
) -> Response:
    page = HtmlPage(request, viewer_of(request))
    with writing_in(page.viewer.language):
        title = translated(title)
        if error is not None:
            detail = input_sentence(error) if isinstance(error, BadInput) else problem_sentence(error.code, str(error))
        elif detail is not None:
            detail = translated(detail)
    shown = page.render("error.html", status=status, error_status=status, title=title, detail=detail)
    shown.headers.update(when_to_ask_again(status, error if isinstance(error, Refused) else None))
    return shown


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("fairlead.console"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=TRIM_BLOCKS,
        lstrip_blocks=LSTRIP_BLOCKS,
        extensions=["jinja2.ext.i18n"],
    )
    environment.install_gettext_callables(translated, translated_count, newstyle=True)  # type: ignore[attr-defined]
    known = cast("Any", environment)
    known.filters.update(FILTERS, clause=clause_in_language)
    known.globals.update(asset=asset_address, tone_of=tone_of, word_of=word_of, sentence_of=sentence_of)
    known.globals.update(actor_words=actor_words, engine_words=engine_words)
    return environment
