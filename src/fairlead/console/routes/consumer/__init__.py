"""The pages of consumers, who need no login: the form of a niche, and what the links in its messages lead to."""

from collections.abc import Sequence

from fastapi import APIRouter

from fairlead.console.routes.consumer import forms

ROUTERS: Sequence[APIRouter] = (forms.router,)
