/**
 * Time: which kinds of number are moments and periods?
 *
 * The core never reads a clock. Every step is given a `Now`: the monotonic instant that deadlines
 * are compared with, and the wall clock that is only ever shown to people or stored.
 */

/** Milliseconds on the monotonic clock of this process, an integer; its origin means nothing. */
export type Instant = number;

/** Milliseconds since 1970-01-01T00:00:00Z by the wall clock, an integer; may jump. */
export type Timestamp = number;

/** A period in milliseconds, an integer. */
export type Duration = number;

export const second: Duration = 1_000;
export const minute: Duration = 60_000;
export const hour: Duration = 3_600_000;

/** The moment of one input, read once per turn by the runtime or the simulated world. */
export interface Now {
  readonly at: Instant;
  readonly wall: Timestamp;
}

/**
 * A timestamp as `2026-11-24T10:15:30.123Z` (XEP-0082 §3.2), for years 1970–9999. Computed here since
 * `Date` is not visible inside the fence; the calendar is that of "days from civil" reversed: years
 * begin in March, so that the leap day is a year's last.
 */
export function utcText(at: Timestamp): string {
  const days = Math.floor(at / 86_400_000);
  const ms = at - days * 86_400_000;
  const shifted = days + 719_468; // days since 0000-03-01
  const era = Math.floor(shifted / 146_097); // 400 years
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1_460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  );
  const dayOfYear =
    dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const marchMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * marchMonth + 2) / 5) + 1;
  const month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  const date = `${digits(year, 4)}-${digits(month, 2)}-${digits(day, 2)}`;
  const hours = digits(Math.floor(ms / hour), 2);
  const minutes = digits(Math.floor((ms % hour) / minute), 2);
  const seconds = digits(Math.floor((ms % minute) / second), 2);
  return `${date}T${hours}:${minutes}:${seconds}.${digits(ms % second, 3)}Z`;
}

function digits(value: number, width: number): string {
  return String(value).padStart(width, "0");
}

/** The last moment up to this one that is a multiple of this step: who rounds to it shares turns with others. */
export function onGrid(at: Instant, step: Duration): Instant {
  return Math.floor(at / step) * step;
}
