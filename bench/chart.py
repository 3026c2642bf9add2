"""A chart of what waits over time, as SVG: no script, no font, no file but itself; readable in light and in dark."""

from collections.abc import Callable, Sequence
from math import ceil, floor, log10
from xml.sax.saxutils import escape

from bench.burst import Burst, Sample
from bench.worker_report import label

WIDTH, PANEL_HEIGHT = 720, 190
LEFT, RIGHT, TOP, GAP, BOTTOM = 64, 24, 84, 44, 44
INNER = WIDTH - LEFT - RIGHT
TICKS = 5
# Told apart by hue and by dashes: the lines must not be mistaken in print, or by those who see fewer colours.
STYLE = """
  text { font: 12px system-ui, sans-serif; fill: #3d444d }
  .name { font-weight: 600; fill: #1f2328 }
  .grid { stroke: #d1d9e0; stroke-width: 1 }
  .line { fill: none; stroke-width: 2; stroke-linejoin: round }
  .s0 { stroke: #0550ae } .s1 { stroke: #0550ae; stroke-dasharray: 6 4 }
  .s2 { stroke: #bc4c00 } .s3 { stroke: #bc4c00; stroke-dasharray: 6 4 }
  @media (prefers-color-scheme: dark) {
    text { fill: #b7bdc8 } .name { fill: #f0f6fc } .grid { stroke: #3d444d }
    .s0, .s1 { stroke: #79c0ff } .s2, .s3 { stroke: #ffa657 }
  }
"""


def queue_chart(bursts: Sequence[Burst]) -> str:
    """The SVG: leads that wait for a decision above, emails that wait to be sent below, over the same seconds.

    At most four bursts: one line each.
    """
    assert len(bursts) <= 4, "there are styles for four lines"
    seconds = _round_up(max(sample.seconds for burst in bursts for sample in burst.samples))
    height = TOP + 2 * PANEL_HEIGHT + GAP + BOTTOM
    lower = TOP + PANEL_HEIGHT + GAP
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img"'
            ' aria-labelledby="title description">',
            '<title id="title">What waits after a burst of approvals</title>',
            f'<desc id="description">{escape(description(bursts))}</desc>',
            f"<style>{STYLE}</style>",
            *_legend(bursts),
            *_panel("Leads without a decision", bursts, lambda sample: sample.leads, TOP, seconds),
            *_panel("Emails not sent yet", bursts, lambda sample: sample.emails, lower, seconds),
            *_seconds_axis(lower + PANEL_HEIGHT, seconds),
            "</svg>",
            "",
        ]
    )


def description(bursts: Sequence[Burst]) -> str:
    """The chart in words: when the last lead was decided, and how many emails waited at most.

    >>> samples = (Sample(0.0, 9, 0), Sample(1.5, 0, 81), Sample(2.0, 0, 80))
    >>> description([Burst("bulk", 1, 0.1, 6.0, 81, 0.0, 2.0, samples)])
    'One call, 1 worker: all leads decided within 1.5 s, at most 81 emails waiting.'
    """
    return " ".join(
        f"{label(burst).capitalize()}: all leads decided within {_decided_seconds(burst):.1f} s,"
        f" at most {max(sample.emails for sample in burst.samples):,} emails waiting."
        for burst in bursts
    )


def _decided_seconds(burst: Burst) -> float:
    waiting = [index for index, sample in enumerate(burst.samples) if sample.leads]
    return burst.samples[min(waiting[-1] + 1 if waiting else 0, len(burst.samples) - 1)].seconds


def _legend(bursts: Sequence[Burst]) -> list[str]:
    lines: list[str] = []
    for number, burst in enumerate(bursts):
        x, y = LEFT + (number % 2) * INNER // 2, 16 + 20 * (number // 2)
        lines.append(
            f'<path class="line s{number}" d="M{x} {y}h32"/><text x="{x + 40}" y="{y + 4}">{label(burst)}</text>'
        )
    return lines


def _panel(name: str, bursts: Sequence[Burst], value: Callable[[Sample], int], top: int, seconds: float) -> list[str]:
    most = _round_up(max(1, *(value(sample) for burst in bursts for sample in burst.samples)))
    bottom = top + PANEL_HEIGHT
    lines = [f'<text class="name" x="{LEFT}" y="{top - 8}">{name}</text>']
    for tick in range(TICKS + 1):
        y = bottom - tick * PANEL_HEIGHT / TICKS
        lines.append(f'<path class="grid" d="M{LEFT} {y:.1f}h{INNER}"/>')
        lines.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{most * tick / TICKS:,.0f}</text>')
    for number, burst in enumerate(bursts):
        points = [
            f"{LEFT + INNER * sample.seconds / seconds:.1f} {bottom - PANEL_HEIGHT * value(sample) / most:.1f}"
            for sample in thinned(burst.samples)
        ]
        lines.append(f'<path class="line s{number}" d="M{"L".join(points)}"/>')
    return lines


def _seconds_axis(bottom: int, seconds: float) -> list[str]:
    ticks = [
        f'<text x="{LEFT + INNER * tick / TICKS:.1f}" y="{bottom + 18}" text-anchor="middle">'
        f"{seconds * tick / TICKS:g}{' s' if tick == TICKS else ''}</text>"
        for tick in range(TICKS + 1)
    ]
    return [*ticks, f'<text x="{LEFT}" y="{bottom + 34}">Seconds since the first approval</text>']


def thinned(samples: Sequence[Sample], limit: int = 120) -> list[Sample]:
    """At most about so many of the samples, evenly chosen, the first and the last among them.

    >>> [sample.leads for sample in thinned([Sample(n, n, 0) for n in range(10)], 4)]
    [0, 3, 6, 9]
    """
    step = max(1, ceil((len(samples) - 1) / max(1, limit - 1)))
    chosen = list(samples[:-1:step])
    return [*chosen, samples[-1]]


def _round_up(value: float) -> float:
    """The end of a scale that holds the value and divides evenly.

    >>> _round_up(65), _round_up(44_100), _round_up(1)
    (75.0, 50000, 1)
    """
    power = 10 ** floor(log10(value))
    return next(step * power for step in (1, 1.5, 2, 2.5, 3, 4, 5, 7.5, 10) if step * power >= value)
