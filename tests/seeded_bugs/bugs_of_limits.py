"""Mistakes about limits and schedules: counting one too many, other windows, other clocks, what is not recorded."""

from tests.seeded_bugs.bug import Bug, Edit

LIMITS = "tests/core/calendar/test_limits.py"
LOCAL_TIME = "tests/core/calendar/test_local_time.py"
SCHEDULE = "tests/core/calendar/test_schedule.py"
TURNING = "tests/core/calendar/test_turning.py"
SCENARIOS = "tests/scenarios"
STORED = "tests/flows/test_limits.py"
KEPT = "tests/core/calendar/test_stored_counters.py"
RACE = "tests/race/test_limits.py"

BUGS_OF_LIMITS = (
    Bug(
        "a limit takes one more",
        "it is reached when more than it was used",
        (
            Edit("core/calendar/limits.py", "if own.room_leads >= 1 and", "if own.room_leads >= 0 and"),
            Edit("core/calendar/limits.py", "return (windows.ceilings - tally) & windows", "return windows"),
        ),
        (LIMITS,),
        is_quick=True,
    ),
    Bug(
        "a limit of money may be overshot once",
        "there is room as long as some of it is left",
        (
            Edit(
                "core/calendar/limits.py",
                "own.room_cents >= price_cents",
                "own.room_cents >= 1",
            ),
            Edit("core/calendar/limits.py", "return (windows.ceilings - tally) & windows", "return windows"),
        ),
        (LIMITS,),
        is_quick=True,
    ),
    Bug(
        "weeks begin on Sunday",
        "every calendar's week does",
        (
            Edit(
                "core/calendar/local_time.py",
                "return day - day.weekday() * _DAY if period is Period.WEEK else day.replace(day=1)",
                "return day - (day.weekday() + 1) % 7 * _DAY if period is Period.WEEK else day.replace(day=1)",
            ),
        ),
        (LOCAL_TIME,),
        is_quick=True,
    ),
    Bug(
        "a day is twenty-four hours",
        "the next day begins a day after this one",
        (
            Edit(
                "core/calendar/local_time.py",
                "began, ends = _midnight(first_day, zone), _midnight(_next_first_day(first_day, period), zone)",
                "began = _midnight(first_day, zone)\n"
                "    ends = began + (_next_first_day(first_day, period) - first_day)",
            ),
        ),
        (LOCAL_TIME,),
        is_quick=True,
    ),
    Bug(
        "a midnight that comes twice is its second coming",
        "either will do",
        (
            Edit(
                "core/calendar/local_time.py",
                "        return early\n    # It is left out",
                "        return late\n    # It is left out",
            ),
        ),
        (LOCAL_TIME,),
        is_quick=True,
    ),
    Bug(
        "what was kept of a window holds at its end, too",
        "until says until",
        (Edit("core/calendar/turning.py", "kept[0] <= moment < kept[1]", "kept[0] <= moment <= kept[1]"),),
        (TURNING,),
        is_quick=True,
    ),
    Bug(
        "what is kept holds for the past, too",
        "time goes on",
        (Edit("core/calendar/turning.py", "not kept[0] <= moment < kept[1]", "not moment < kept[1]"),),
        (TURNING,),
        is_quick=True,
    ),
    Bug(
        "a night ends at midnight",
        "a span is of its day",
        (
            Edit(
                "core/calendar/schedule.py",
                "spans[day].append((opens, closes if closes > opens else closes + _DAY))",
                "spans[day].append((opens, closes if closes > opens else _DAY))",
            ),
        ),
        (SCHEDULE,),
        is_quick=True,
    ),
    Bug(
        "the limit is asked before the schedule",
        "the order of gates does not matter",
        (
            Edit(
                "core/gates.py",
                "        DecisionGate(OutsideSchedule, _outside_schedule),\n"
                "        DecisionGate(CapReached, _cap_reached),\n",
                "        DecisionGate(CapReached, _cap_reached),\n"
                "        DecisionGate(OutsideSchedule, _outside_schedule),\n",
            ),
        ),
        (LIMITS,),
        is_quick=True,
    ),
    Bug(
        "counters are not recorded",
        "they are in the table",
        (
            Edit(
                "core/decision_entries.py",
                "**({} if not recipient.counters else _counters_payload(recipient.counters, version)),",
                "",
            ),
        ),
        (LIMITS,),
        is_quick=True,
    ),
    Bug(
        "a refusal's counter stands for the recipient's",
        "whichever comes first in the record",
        (
            Edit(
                "core/calendar/time_rules.py",
                '        for level in payload["levels"]:\n            for refused in level["refused"]:\n',
                '            for refused in level["refused"]:\n',
            ),
        ),
        (f"{SCENARIOS}/test_scenarios.py",),
    ),
    Bug(
        "what a process counted last is certain whatever came since",
        "it has seen it itself",
        (
            Edit(
                "store/distribution/rosters.py",
                "return owner_ids if known_hash == head_hash else NO_OWNERS",
                "return owner_ids",
            ),
        ),
        (STORED,),
    ),
    Bug(
        "what was certain before another sold stays so",
        "this process has moved the niche on",
        (
            Edit(
                "store/distribution/rosters.py",
                "if since is None or known_hash != since:",
                "if since is None:",
            ),
        ),
        ("tests/store/distribution/test_rosters.py",),
        is_quick=True,
    ),
    Bug(
        "all that wait are asked each time",
        "a lead is offered again as soon as anything opens, however often that was in vain",
        (Edit("core/decide.py", "if lead.attempt <= EXACT_ATTEMPTS or", "if lead.attempt > 0 or"),),
        ("tests/flows/maintenance/test_reopen.py",),
    ),
    Bug(
        "a batch is written without a last look at its limits",
        "the gate has looked",
        (Edit("store/distribution/writes.py", "    batch.check()\n", ""),),
        (STORED,),
    ),
    Bug(
        "windows are not moved",
        "they are counted from the ledger anyway",
        (
            Edit(
                "flows/distribute.py",
                "stored_counters(own) for",
                'StoredCounters(f"{own.last_at}", own) for',
            ),
        ),
        (STORED,),
    ),
    Bug(
        "what is kept of a window that is over is recorded of the next",
        "a text that was read is what a sale records",
        (Edit("core/calendar/stored_counters.py", 'if text == f"{first};{own.recorded}":', "if text:"),),
        (KEPT,),
        is_quick=True,
    ),
    Bug(
        "an owner is looked up anew for each lead of a batch",
        "what is expected stays what it is meanwhile",
        (
            Edit(
                "core/calendar/time_rules.py",
                "if (asked := self.asked.get(owner_id)) is not None:",
                "if (asked := self.asked.get(owner_id)) is not None and not owner_id:",
            ),
        ),
        (KEPT,),
        is_quick=True,
    ),
    Bug(
        "of several windows only the first is held to its limits",
        "a lead counts in each alike",
        (Edit("core/calendar/limits.py", "same_in_each(1, len(periods), step=2)", "1"),),
        (KEPT,),
        is_quick=True,
    ),
    Bug(
        "a number spoils the one above it",
        "none is ever so great",
        (Edit("core/calendar/side_by_side.py", "<= max(numbers) <= GREATEST", "<= max(numbers)"),),
        ("tests/core/calendar/test_side_by_side.py",),
        is_quick=True,
    ),
    Bug(
        "providers with limits are not locked",
        "each niche has its own lock",
        (
            Edit(
                "store/distribution/writes.py",
                "order by id for no key update",
                "order by id",
            ),
        ),
        (RACE,),
    ),
    Bug(
        "a dry run of a later moment is decided now",
        "the windows and schedules of today stand in for those of then",
        (Edit("flows/try_lead.py", "now = present if at is None else at", "now = present"),),
        ("tests/flows/test_try_lead.py",),
    ),
)
