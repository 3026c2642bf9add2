"""Composing the texts of filters that were written down before texts were composed at the door."""

from collections import Counter

from fairlead.core.errors import BadInput, Refused
from fairlead.flows.configuration.subscriptions import set_filter
from fairlead.flows.maintenance.maintenance import Maintenance
from fairlead.store.audit.log import SYSTEM
from fairlead.store.configuration.lookups import uncomposed_filters

MEMO = "its texts are composed (Unicode NFC), as those of leads are"


def compose_filters(maintenance: Maintenance) -> Counter[str]:
    """Living filters say their texts as leads do; returns how many were written anew.

    By an entry of the journal each: decisions before it are taken again by the filter that was. One that does not fit
    its form, or is larger than a new one may be, is left. Idempotent. Raises `Unavailable`.
    """
    counts: Counter[str] = Counter()
    for subscription_id, filter_rules in maintenance.database.run(uncomposed_filters):
        try:
            done = set_filter(
                maintenance.database, subscription_id, filter_rules, SYSTEM, of_provider_id=None, memo=MEMO
            )
        except (BadInput, Refused):
            continue  # ended, or changed with its form, meanwhile
        counts["composed"] += done.took_effect
    return counts
