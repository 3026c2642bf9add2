"""Kinds of jobs and kinds of messages, as operators read them."""

from collections.abc import Mapping

from fairlead.console.texts import noted, translated

TASKS: Mapping[str, str] = {
    "distribute_lead": noted("distributing leads"),
    "dispatch_notifications": noted("handing out messages"),
    "send_email": noted("sending emails"),
    "send_webhook": noted("sending webhooks"),
    "build_export": noted("writing exports"),
}

QUEUES: Mapping[str, str] = {
    "distribute": noted("Distribution of leads"),
    "dispatch": noted("Messages to hand out"),
    "email": noted("Emails"),
    "webhook": noted("Webhooks"),
    "export": noted("Exports"),
}

MESSAGE_KINDS: Mapping[str, str] = {
    "lead_assigned": noted("Lead assigned"),
    "refund_issued": noted("Refund"),
    "subscription_deactivated": noted("Subscription stopped for lack of money"),
    "subscription_reactivated": noted("Subscription goes on"),
    "filter_invalidated": noted("Filter does not fit the form any more"),
    "price_limit_passed": noted("Price of a level above a provider's limit"),
    "low_balance": noted("Balance is low"),
    "auto_top_up_failed": noted("Balance not topped up"),
    "balance_topped_up": noted("Balance topped up"),
    "lead_confirmation": noted("Lead to be confirmed"),
    "export_ready": noted("Export ready"),
    "lead_confirmed": noted("Link to the request"),
    "lead_withdrawn": noted("Request withdrawn"),
    "lead_erased": noted("Lead to be erased"),
    "operator_alert": noted("Alert for operators"),
    "user_invited": noted("Invitation"),
    "password_reset": noted("New password"),
}


def task_words(task: str) -> str:
    """What a job of this task does, in the language of the page; the task itself where it is not listed."""
    return translated(TASKS[task]) if task in TASKS else task


def queue_words(queue: str) -> str:
    """What waits in this queue, in the language of the page."""
    return translated(QUEUES[queue])


def message_words(kind: str) -> str:
    """What a message of this kind is about; the kind itself where it is not listed."""
    return translated(MESSAGE_KINDS[kind]) if kind in MESSAGE_KINDS else kind.replace("_", " ").capitalize()
