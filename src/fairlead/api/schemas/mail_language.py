"""In which language people are written to."""

from fairlead.core.entry.types import MailLanguage

__all__ = ["OF_LANGUAGE", "MailLanguage"]

OF_LANGUAGE = "In which language emails are written; null: none was chosen, and it is English."
