"""What the model knows, in the words of a marketplace file."""

from tests.model.model import Level, Rules


def email_of(name: str) -> str:
    return f"{name}@providers.test"


def told(rules: Rules) -> list[dict[str, object]]:
    return [{"field_key": "age", "operator": operator, "value": value} for operator, value in rules]


def terms_of(level: Level) -> dict[str, object]:
    return {
        "name": level.name,
        "price_cents": level.price,
        "max_recipients": level.most,
        "order_position": level.position,
    }


def subscription_to(level: Level, **words: object) -> dict[str, object]:
    return {"niche": level.niche, "level": level.name, **words}
