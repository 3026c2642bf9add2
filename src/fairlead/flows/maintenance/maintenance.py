"""What every periodic task is handed."""

from dataclasses import dataclass, field
from threading import Event

from fairlead.flows.chunks import RunTime
from fairlead.settings import Settings
from fairlead.store.connection import Database


@dataclass(frozen=True, slots=True)
class Maintenance:
    """One process's part in keeping the marketplace going. `begun` are the tasks that it has had a turn at.

    `stop` is set when the process is to end; `run_time` is how long the run of a task may go on.
    """

    database: Database
    settings: Settings
    begun: set[str] = field(default_factory=set[str])
    stop: Event = field(default_factory=Event)
    run_time: RunTime = field(default_factory=RunTime)
