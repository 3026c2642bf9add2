"""What the API refuses with is said in the language of the page that asked for it."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, cast

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fairlead.api.problems import MEDIA_TYPE
from fairlead.console.problem_words import problem_sentence, violation_sentence
from fairlead.console.texts import translated, writing_in
from fairlead.console.viewer import LANGUAGES, viewer_of


class ProblemsInLanguage:
    """An ASGI application around another: its problems have the words of the viewer's language, and the same codes.

    Only for viewers, who have a language; a program that shows a key gets what the API says.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        language = _language(scope)
        if language == LANGUAGES[0]:
            await self._app(scope, receive, send)
        else:
            await self._app(scope, receive, _Answer(send, language).send)


def _language(scope: Scope) -> str:
    if scope["type"] != "http":
        return LANGUAGES[0]
    connection = HTTPConnection(scope)
    return LANGUAGES[0] if "authorization" in connection.headers else viewer_of(connection).language


class _Answer:
    """An answer on its way out; one that is a problem is held back until it is whole."""

    def __init__(self, send: Send, language: str) -> None:
        self._send, self._language = send, language
        self._start: Message | None = None
        self._body = b""

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start" and _is_problem(message):
            self._start = message
        elif self._start is None or message["type"] != "http.response.body":
            await self._send(message)
        else:
            self._body += message.get("body", b"")
            if not message.get("more_body", False):
                await self._send_words(self._start)

    async def _send_words(self, start: Message) -> None:
        # In a thread: a problem may name a hundred mistakes, each of which is looked for among hundreds of sentences.
        body = await run_in_threadpool(self._words)
        headers = MutableHeaders(scope=start)
        headers["Content-Length"] = str(len(body))
        headers["Content-Language"] = self._language
        await self._send(start)
        await self._send({"type": "http.response.body", "body": body})

    def _words(self) -> bytes:
        return json.dumps(in_language(json.loads(self._body), self._language), ensure_ascii=False).encode()


def _is_problem(start: Message) -> bool:
    return MutableHeaders(scope=start).get("content-type", "").startswith(MEDIA_TYPE)


def in_language(problem: Mapping[str, Any], language: str) -> dict[str, Any]:
    """The problem with the words of this language; codes, places and what else it has stay as they are."""
    with writing_in(language):
        said = {
            "title": translated(problem["title"]),
            "detail": problem_sentence(problem["code"], problem["detail"]),
            "errors": [
                {**each, "detail": violation_sentence(each["code"], each["detail"])}
                for each in cast("Sequence[Mapping[str, Any]]", problem["errors"])
            ],
        }
    return {**problem, **said}
