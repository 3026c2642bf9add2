"""Mistakes in taking what payment gateways report."""

from tests.seeded_bugs.bug import Bug, Edit

_REPORTS = "tests/flows/payments/test_take_report.py"

BUGS_OF_PAYMENTS = (
    Bug(
        "what came is credited, whatever was asked for",
        "money is money",
        (
            Edit(
                "core/payments.py",
                "    elif report.amount_cents != request.amount_cents:\n        doubt = DoubtKind.OTHER_AMOUNT\n",
                "",
            ),
        ),
        (f"{_REPORTS}::test_another_amount_or_currency_is_credited_to_nobody_and_waits",),
    ),
    Bug(
        "a late failure undoes a payment",
        "the last word of the gateway counts",
        (
            Edit(
                "core/payments.py",
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
                "core/payments.py",
                "is_same = report.charge_reference in (None, request.charge_reference)",
                "is_same = True",
            ),
        ),
        (f"{_REPORTS}::test_a_second_charge_for_one_request_waits_and_is_not_credited",),
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
)
