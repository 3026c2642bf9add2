"""Mistakes in taking what payment gateways report, and in charging by oneself."""

from tests.seeded_bugs.bug import Bug, Edit

_REPORTS = "tests/flows/payments/test_take_report.py"
_DAYS_LEFT = "tests/flows/maintenance/test_days_left.py"
_MODEL = "tests/model/test_model.py::test_short_days_of_payments"
_TOP_UPS = "tests/flows/payments/test_auto_top_up.py"

BUGS_OF_PAYMENTS = (
    Bug(
        "a payment stays in review though what came was credited",
        "its doubt is resolved, and the list of doubts is what operators look at",
        (
            Edit(
                "flows/payments/doubts.py",
                'if request is not None and request.state == "in_review":',
                'if request is not None and request.state == "pending":',
            ),
        ),
        (_MODEL,),
    ),
    Bug(
        "a gateway that said nothing is asked as often as at first",
        "the sooner it is known the better",
        (
            Edit(
                "flows/payments/ask_again.py",
                "now + ASKED_AGAIN_AFTER[request.ask_count], counts=True)",
                "now + ASKED_AGAIN_AFTER[0], counts=True)",
            ),
        ),
        (_MODEL,),
    ),
    Bug(
        "a report is overdue as soon as it is made",
        "better look early than late",
        (
            Edit(
                "store/watching/attention.py",
                "- make_interval(days => (m.report_rules ->> 'decision_days')::integer)",
                "+ make_interval(days => (m.report_rules ->> 'decision_days')::integer)",
            ),
        ),
        (
            "tests/store/watching/test_attention.py::"
            "test_reports_are_overdue_once_they_are_older_than_the_days_set_for_deciding",
        ),
        is_quick=True,
    ),
    Bug(
        "days left are told at each look",
        "a provider cannot be told too often",
        (
            Edit(
                "flows/maintenance/days_left.py",
                "if is_told != rows[each].was_told_of_low_days}\n    messages",
                "}\n    messages",
            ),
            Edit(
                "flows/maintenance/days_left.py",
                "!= row.was_told_of_low_days\n    }",
                "or row.was_told_of_low_days\n    }",
            ),
        ),
        (f"{_DAYS_LEFT}::test_it_is_told_once_when_the_money_lasts_for_too_few_days",),
        is_quick=True,
    ),
    Bug(
        "days left are of the balance that was read before its lock",
        "it was read a moment ago",
        (
            Edit(
                "flows/maintenance/days_left.py",
                "told = {each: _is_told(row, paces[each]) for each, row in rows.items()}",
                "told = {each: not row.was_told_of_low_days for each, row in rows.items()}",
            ),
        ),
        (f"{_DAYS_LEFT}::test_a_deposit_between_the_reading_and_the_lock_counts",),
        is_quick=True,
    ),
    Bug(
        "a pace that knows no refunds",
        "what was bought was bought",
        (Edit("store/money/spending_pace.py", "e.kind in ('lead_purchase', 'refund')", "e.kind = 'lead_purchase'"),),
        (f"{_DAYS_LEFT}::test_the_pace_is_that_of_two_weeks_net_of_refunds_and_by_nothing_else",),
        is_quick=True,
    ),
    Bug(
        "an alert in days that is over as soon as it is not low",
        "one day more or less is no difference",
        (Edit("core/money/spending_pace.py", "OVER_AFTER_DAYS = 1\n", "OVER_AFTER_DAYS = 0\n"),),
        (f"{_DAYS_LEFT}::test_money_that_comes_in_ends_it_and_the_next_crossing_is_told_again",),
        is_quick=True,
    ),
    Bug(
        "what came is credited, whatever was asked for",
        "money is money",
        (
            Edit(
                "core/money/payments.py",
                "    elif report.amount_cents != request.amount_cents:\n        doubt = DoubtKind.OTHER_AMOUNT\n",
                "",
            ),
        ),
        (f"{_REPORTS}::test_another_amount_or_currency_is_not_credited_and_waits",),
    ),
    Bug(
        "a late failure undoes a payment",
        "the last word of the gateway counts",
        (
            Edit(
                "core/money/payments.py",
                'if report.kind is ReportKind.FAILED and request is not None and request.state == "pending":',
                "if report.kind is ReportKind.FAILED and request is not None:",
            ),
        ),
        (f"{_REPORTS}::test_a_failure_after_the_payment_is_late_and_a_payment_after_the_failure_counts",),
    ),
    Bug(
        "a second charge is taken for the first",
        "a payment that succeeded needs no more looking at",
        (
            Edit(
                "core/money/payments.py",
                "is_same = report.charge_reference in (None, request.charge_reference)",
                "is_same = True",
            ),
        ),
        (f"{_REPORTS}::test_a_second_charge_for_one_request_waits_and_is_not_credited",),
    ),
    Bug(
        "a charge that was in doubt is in doubt anew once another paid",
        "two doubts are safer than one",
        (
            Edit(
                "flows/payments/take_report.py",
                "    return is_of_second and is_in_doubt(",
                "    return False and is_in_doubt(",
            ),
        ),
        (
            "tests/flows/payments/test_outcomes.py::"
            "test_what_a_gateway_reports_has_one_outcome[paid-after-other-amount]",
        ),
    ),
    Bug(
        "what was settled is asked about for ever",
        "a gateway that is asked once too often does no harm",
        (Edit("store/money/payment_requests.py", "settled_at = %s, ask_at = null", "settled_at = %s"),),
        ("tests/flows/payments/test_request_payment.py::test_what_was_paid_is_on_the_balance_once",),
    ),
    Bug(
        "any body is believed",
        "who knows the address is the gateway",
        (Edit("delivery/stripe_gateway.py", '        self._verify(body, headers.get("stripe-signature", ""))\n', ""),),
        ("tests/delivery/test_stripe_gateway.py::test_what_is_not_signed_as_it_must_be_is_refused",),
    ),
    Bug(
        "a charge that is tried again has a key of its own",
        "every call is another",
        (
            Edit(
                "delivery/stripe_methods.py",
                'f"charge-{to_make.request_id}"',
                'f"charge-{to_make.request_id}-{to_make.ask_count}"',
            ),
        ),
        ("tests/delivery/test_stripe_methods.py::test_a_charge_is_made_once_however_often_it_is_asked_for",),
    ),
    Bug(
        "auto top-up looks at no limit of the month",
        "the provider wants its balance filled",
        (
            Edit(
                "core/money/top_ups.py",
                "if charged_cents + self.amount_cents > self.monthly_limit_cents else None",
                "if False else None",
            ),
        ),
        (f"{_TOP_UPS}::test_the_monthly_limit_is_not_passed_and_told_once",),
    ),
    Bug(
        "auto top-up goes on for ever with a card that is refused",
        "some day there is money behind it again",
        (
            Edit(
                "core/money/top_ups.py",
                "if advice in NOT_AGAIN or reason in NOT_AGAIN or refusals > len(RETRIED_AFTER):",
                "if advice in NOT_AGAIN or reason in NOT_AGAIN:",
            ),
            Edit(
                "core/money/top_ups.py",
                "return RETRIED_AFTER[refusals - 1]",
                "return RETRIED_AFTER[min(refusals, len(RETRIED_AFTER)) - 1]",
            ),
        ),
        (f"{_TOP_UPS}::test_a_refusal_is_tried_again_twice_and_then_it_is_off",),
    ),
    Bug(
        "what was charged in another currency is credited",
        "the amount is what was asked for",
        (
            Edit(
                "core/money/payments.py",
                "    if report.currency != request.currency:\n        doubt = DoubtKind.OTHER_CURRENCY\n    elif",
                "    if",
            ),
        ),
        (f"{_TOP_UPS}::test_another_currency_is_not_credited_and_nothing_more_is_charged_until_an_operator_decides",),
    ),
    Bug(
        "a charge that succeeded is told to its provider by the balance alone",
        "only bad news need be told",
        (
            Edit(
                "flows/payments/top_up_results.py",
                "    if credited is not None:\n        detail",
                "    if False:\n        detail",
            ),
        ),
        (f"{_TOP_UPS}::test_a_low_balance_is_charged_once_and_on_the_balance",),
    ),
    Bug(
        "a charge that switches auto top-up off is counted as any refusal",
        "refused is refused",
        (
            Edit(
                "flows/payments/take_report.py",
                "TopUpOutcome.SWITCHED_OFF if switched_off else TopUpOutcome.REFUSED",
                "TopUpOutcome.REFUSED",
            ),
        ),
        ("tests/store/watching/test_payment_gauges.py::test_each_charge_is_counted_by_what_became_of_it",),
        is_quick=True,
    ),
)
