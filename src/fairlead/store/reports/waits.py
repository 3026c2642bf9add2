"""How long a subscription waited: in assignments of its level that went to others, never in hours."""

from typing import LiteralString

from fairlead.store.reports.days import within

TURNS_AND_WAITS: LiteralString = f"""
    turns as (
        select a.competition_level_id, a.subscription_id,
               row_number() over (partition by a.competition_level_id order by a.served_seq) as turn
        from assignments a
        where a.niche_id = (select id from niches where slug = %(niche)s)
          and a.id between %(first_id)s and %(last_id)s and {within("a.assigned_at")}
    ), waits as (
        select *, turn - 1 - lag(turn) over (partition by subscription_id order by turn) as wait from turns
    )"""  # noqa: S608 - constants of our own
"""To follow `with`: the niche's assignments of some days, numbered within their level as `turn`, and with the `wait` of
each: how many went to others since the subscription's one before, null for its first. With `Days.parameters`.
"""
