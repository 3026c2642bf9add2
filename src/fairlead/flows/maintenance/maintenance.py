"""What every periodic task is handed."""

from dataclasses import dataclass, field

from fairlead.settings import Settings
from fairlead.store.connection import Database


@dataclass(frozen=True, slots=True)
class Maintenance:
    """One process's part in keeping the marketplace going. `begun` are the tasks that it has had a turn at."""

    database: Database
    settings: Settings
    begun: set[str] = field(default_factory=set[str])
