// Local time as inputs have it, 2026-03-01T14:00, and instants.
// What the clocks of the zone show at that instant, to the minute.
export function shownIn(zone, instant) {
  const format = new Intl.DateTimeFormat("en-GB", { timeZone: zone, hourCycle: "h23", year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit" });
  const part = Object.fromEntries(format.formatToParts(instant).map((each) => [each.type, each.value]));
  return `${part.year.padStart(4, "0")}-${part.month}-${part.day}T${part.hour}:${part.minute}`;
}

// The instant, as a timestamp, at which the clocks of the zone show that; what is no local time is given back as it is.
export function instantOf(local, zone) {
  const wanted = Date.parse(`${local.slice(0, 16)}:00Z`);
  if (Number.isNaN(wanted)) return local;
  let at = wanted;
  for (let times = 0; times < 3; times++) at += wanted - Date.parse(`${shownIn(zone, at)}:00Z`);
  return new Date(at).toISOString().replace(".000Z", "Z");
}
