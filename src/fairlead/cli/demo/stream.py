"""The demo's leads: made up, but always the same for the same seed."""

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

REGIONS = (("Europe", 45), ("North America", 30), ("Asia", 13), ("South America", 7), ("Oceania", 5))
SYSTEMS = (("Ubuntu", 40), ("Debian", 30), ("Rocky Linux", 12), ("Windows Server", 12), ("FreeBSD", 6))
VPS_TYPES = (
    ("general purpose", 60),
    ("compute optimised", 18),
    ("memory optimised", 14),
    ("storage optimised", 8),
)
DEDICATED_TYPES = (("single processor", 60), ("dual processor", 30), ("GPU", 10))
FIRST_NAMES = (
    "Ana",
    "Ben",
    "Carla",
    "David",
    "Elena",
    "Filip",
    "Greta",
    "Hugo",
    "Ines",
    "Jonas",
    "Katja",
    "Luca",
    "Marta",
)
LAST_NAMES = ("Almeida", "Berg", "Costa", "Dahl", "Eriksen", "Fischer", "Garcia", "Holm", "Ivanova", "Jansen", "Kovac")
SOURCES = (("comparison", 40), ("search", 30), ("newsletter", 20), ("partner", 10))
EXTRAS = ("backups", "DDoS protection", "managed updates", "IPv6")


@dataclass(frozen=True, slots=True)
class DemoLead:
    """A consumer's request, as a form would send it."""

    niche_slug: str
    attributes: dict[str, object]
    details: dict[str, str]


def demo_leads(seed: int, first_number: int = 0) -> Iterator[DemoLead]:
    """An endless stream; each lead depends on the seed and its own number alone.

    >>> next(demo_leads(7)) == next(demo_leads(7)), next(demo_leads(7)) == next(demo_leads(7, 1))
    (True, False)
    """
    number = first_number
    while True:
        dice = random.Random(f"{seed}/{number}")  # noqa: S311  # a reproducible stream, nothing secret
        slug, attributes = _vps(dice) if dice.random() < 0.75 else _dedicated(dice)
        yield DemoLead(slug, attributes, _details(dice, number))
        number += 1


def by_niche(leads: Sequence[DemoLead]) -> dict[str, list[DemoLead]]:
    """The leads of each niche, by its slug."""
    grouped: dict[str, list[DemoLead]] = defaultdict(list)
    for lead in leads:
        grouped[lead.niche_slug].append(lead)
    return grouped


def _details(dice: random.Random, number: int) -> dict[str, str]:
    """A name, an address that leads nowhere, a telephone number of the range that is kept for fiction, and a source."""
    first, last = dice.choice(FIRST_NAMES), dice.choice(LAST_NAMES)
    details = {
        "contact_name": f"{first} {last}",
        "contact_email": f"{first}.{last}.{number}@example.com".lower(),
        "utm_source": _pick(dice, SOURCES),
    }
    return details | ({"contact_phone": f"+44 20 7946 0{dice.randrange(1000):03}"} if dice.random() < 0.8 else {})


def _vps(dice: random.Random) -> tuple[str, dict[str, object]]:
    cores = dice.choice([1, 2, 2, 4, 4, 8, 16])
    memory_gb = cores * dice.choice([1, 2, 4])
    attributes: dict[str, object] = {
        "server_type": _pick(dice, VPS_TYPES),
        "cores": cores,
        "memory_gb": memory_gb,
        "storage_gb": dice.choice([20, 40, 80, 160, 320]),
        "operating_system": _pick(dice, SYSTEMS),
        "budget_eur": round(3 + cores * 2.5 + memory_gb * dice.uniform(0.8, 2.5)),
        "region": _pick(dice, REGIONS),
        "is_business": dice.random() < 0.6,
    }
    extras = [extra for extra in EXTRAS if dice.random() < 0.3]
    return "vps-hosting", attributes | ({"extras": extras} if extras else {})


def _dedicated(dice: random.Random) -> tuple[str, dict[str, object]]:
    cores = dice.choice([8, 12, 16, 24, 32, 64])
    memory_gb = dice.choice([32, 64, 128, 256, 512])
    return (
        "dedicated-servers",
        {
            "server_type": _pick(dice, DEDICATED_TYPES),
            "cores": cores,
            "memory_gb": memory_gb,
            "storage_gb": dice.choice([960, 1920, 3840, 7680]),
            "operating_system": _pick(dice, SYSTEMS),
            "budget_eur": round(30 + cores * 2 + memory_gb * dice.uniform(0.2, 0.6)),
            "region": _pick(dice, REGIONS),
        },
    )


def _pick(dice: random.Random, weighted: tuple[tuple[str, int], ...]) -> str:
    names, weights = zip(*weighted, strict=True)
    return dice.choices(names, weights)[0]
