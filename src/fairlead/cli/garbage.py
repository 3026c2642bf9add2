"""Garbage collection in processes that run until they are stopped: no pause for what stays anyway."""

import gc

LARGEST_OLD_GENERATION = 50_000
"""So many objects take a full collection some 30 ms, and a request that it meets as much longer."""


def keep_collections_short() -> None:
    """From now on a full collection that leaves many objects freezes them: the next ones do not go through them again.

    A process of the console holds 340,000 objects (modules, routes, templates, languages, rosters), nearly none of
    which is ever garbage. CPython's full collection stops every thread and goes through all of them: 210 to 240 ms on
    an undisturbed processor, once in ten to thirty of the large pages, whose p95 it was. Frozen, none takes more
    than some 30 ms.

    What is frozen is still freed by its reference count, as a roster is that another one replaces; only cycles in it
    are not looked for. Each freezing takes so many new objects that outlived several collections that the few which
    become such cycles do not add up. To repeat it changes nothing.
    """
    if _freeze_many not in gc.callbacks:
        gc.callbacks.append(_freeze_many)


def _freeze_many(phase: str, about: dict[str, int]) -> None:
    is_full = phase == "stop" and about["generation"] == 2
    if is_full and len(gc.get_objects(generation=2)) > LARGEST_OLD_GENERATION:
        gc.freeze()
