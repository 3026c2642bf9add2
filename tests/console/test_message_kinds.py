"""Every kind of message has its words, for operators and for the providers that it is for."""

from fairlead.console.operator.jobs_in_words import MESSAGE_KINDS
from fairlead.console.routes.portal.message_kinds import KINDS as TOLD_TO_PROVIDERS
from fairlead.delivery.template_variables import KINDS, OPTIONAL_KINDS


def test_each_kind_has_its_words() -> None:
    assert sorted(MESSAGE_KINDS) == sorted(KINDS)
    assert sorted(TOLD_TO_PROVIDERS) == sorted(OPTIONAL_KINDS)
