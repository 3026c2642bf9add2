"""Following the feed: sequencing what is new, and reading pages of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from fairlead.flows.chunks import ChunkDone, RunTime, in_chunks
from fairlead.flows.live.event_types import AUDIT_ACTIONS
from fairlead.flows.live.messages import Message, operator_messages, own_message
from fairlead.store.connection import Connection, Database
from fairlead.store.leads.rows import clock
from fairlead.store.live.entries import live_entries, own_entries
from fairlead.store.live.sequencing import LiveHead, forget_entries, is_behind, live_head, sequence_entries

KEPT = timedelta(days=7)
"""For how long a client that was away can go on where it was."""

PAGE_ENTRIES = 200
OWN_PAGE_ENTRIES = 2_000
BATCH_ENTRIES = 2_000
CHUNK_ENTRIES = 10_000


def bring_up_to_date(database: Database) -> LiveHead:
    """What has committed so far is in the feed, in order; returns where it stands.

    Costs one small query where nothing is new. Some thousand entries to a transaction, which locks the feed's head and
    nothing else. Several processes may do this at once: one of them does it, and the others see it the next time.
    Raises `Unavailable`.
    """
    return _put_in_order(database, is_waiting=False)


def begin_to_watch(database: Database) -> LiveHead:
    """As `bring_up_to_date`, but whatever committed before is in the feed, also while another process puts it in order.

    That one is waited for. There may be much that no client watched: a watcher who began in the middle of it would be
    told the rest as if it were new.
    """
    return _put_in_order(database, is_waiting=True)


def _put_in_order(database: Database, *, is_waiting: bool) -> LiveHead:
    def work(conn: Connection) -> bool:
        return sequence_entries(conn, AUDIT_ACTIONS, KEPT, BATCH_ENTRIES, is_waiting=is_waiting)

    while database.run(is_behind):
        if not database.run(work):
            break
    return database.run(live_head)


@dataclass(frozen=True, slots=True)
class FeedPage:
    """What there is of the feed after `after_id` up to `up_to_id`: all of it if `floor_id` is not beyond that.

    Else what lies between the two is not to be had any more, and the page goes on from the floor.
    """

    floor_id: int
    after_id: int
    up_to_id: int
    messages: tuple[Message, ...]

    @property
    def has_gap(self) -> bool:
        """Whether something before these messages was left out."""
        return self.after_id < self.floor_id


@dataclass(frozen=True, slots=True)
class OwnPage:
    """As `FeedPage`, of several providers at once: to each its own messages, by provider id."""

    floor_id: int
    after_id: int
    up_to_id: int
    messages: dict[str, tuple[Message, ...]]

    @property
    def has_gap(self) -> bool:
        """Whether something before these messages was left out."""
        return self.after_id < self.floor_id


def operator_page(database: Database, after_id: int) -> FeedPage:
    """The next entries after that id, as operators see them. Reads one moment, locks nothing. Raises `Unavailable`."""

    def work(conn: Connection) -> FeedPage:
        head = live_head(conn)
        begin = max(after_id, head.floor_id)
        end = min(begin + PAGE_ENTRIES, max(head.entry_id, begin))
        found = live_entries(conn, begin, end) if begin < end else []
        messages = tuple(message for entry in found for message in operator_messages(entry))
        return FeedPage(head.floor_id, after_id, end, messages)

    return database.read(work)


def own_page(database: Database, provider_ids: Sequence[str], after_id: int) -> OwnPage:
    """The next entries after that id, of each to each provider only its own. Reads one moment, locks nothing.

    Raises `Unavailable`.
    """

    def work(conn: Connection) -> OwnPage:
        head = live_head(conn)
        begin = max(after_id, head.floor_id)
        end = min(begin + OWN_PAGE_ENTRIES, max(head.entry_id, begin))
        found = own_entries(conn, provider_ids, begin, end) if begin < end else []
        messages: dict[str, list[Message]] = {provider_id: [] for provider_id in provider_ids}
        for entry in found:
            messages[entry.provider_id].append(own_message(entry))
        return OwnPage(head.floor_id, after_id, end, {key: tuple(own) for key, own in messages.items()})

    return database.read(work)


def forget_old_entries(database: Database, run_time: RunTime | None = None) -> int:
    """Entries that were sequenced more than `KEPT` ago are gone from the feed; returns how many they were.

    A client that stood before them is told of a gap. Journals and audit log keep everything. Raises `Unavailable`.
    """

    def work(conn: Connection) -> ChunkDone[int]:
        return ChunkDone(*forget_entries(conn, clock(conn) - KEPT, CHUNK_ENTRIES))

    return in_chunks(lambda _: database.run(work), run_time)
