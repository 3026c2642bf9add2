"""Every page, one module for each section."""

from collections.abc import Sequence

from fastapi import APIRouter

from fairlead.console.routes import account, accounts, design, home, login

ROUTERS: Sequence[APIRouter] = (account.router, accounts.router, design.router, home.router, login.router)
"""In the order of the pages' addresses."""
