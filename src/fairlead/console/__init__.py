"""Web pages for operators, providers and consumers, and the server that answers them beside the API.

Every page is a GET that asks for a permission and shows what flows and views of the API give, each read by itself. What
a page changes goes through the API: its forms are sent as JSON by `static/forms.js`, so that what is validated,
permitted, throttled, kept idempotent or refused is so in one place (ADR 22).
"""
