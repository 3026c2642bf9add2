"""Every page, one module for each section."""

from collections.abc import Sequence

from fastapi import APIRouter

from fairlead.console.routes import design, home, login

ROUTERS: Sequence[APIRouter] = (home.router, login.router, design.router)
"""In the order of the pages' addresses."""
