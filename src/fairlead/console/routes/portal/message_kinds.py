"""What a provider is told, by the kind of message."""

from collections.abc import Mapping

from fairlead.console.texts import noted

KINDS: Mapping[str, str] = {
    "lead_assigned": noted("A lead for you"),
    "lead_withdrawn": noted("A consumer withdraws a request"),
    "refund_issued": noted("A refund"),
    "subscription_deactivated": noted("A subscription stops for lack of money"),
    "subscription_reactivated": noted("A subscription goes on"),
    "filter_invalidated": noted("A filter does not fit its form any more"),
    "price_limit_passed": noted("A level asks more than you pay at most"),
    "low_balance": noted("The balance is low"),
    "auto_top_up_failed": noted("The balance was not topped up"),
    "balance_topped_up": noted("The balance was topped up"),
}
