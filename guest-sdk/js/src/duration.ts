type Unit = "ms" | "s" | "m" | "h" | "d";

/** `"10ms"`, `"5s"`, `"2h"`, `"30d"`; a bare number is milliseconds, as for `setTimeout`. */
export type Duration = number | `${number}${Unit}`;

const milliseconds: Record<Unit, number> = { ms: 1, s: 1e3, m: 6e4, h: 36e5, d: 864e5 };

/** In milliseconds, whole microseconds of them. */
export function millisecondsOf(duration: Duration): number {
  const [, count, unit = "ms"] = /^(\d+(?:\.\d+)?(?:e[-+]?\d+)?)(ms|s|m|h|d)?$/.exec(String(duration)) ?? [];
  if (count === undefined) throw new RangeError(`\`${duration}\` is no duration: write 250, "250ms", "5s", "2h"`);
  return Math.round(Number(count) * milliseconds[unit as Unit] * 1000) / 1000;
}

/** In seconds, as the host counts. */
export function secondsOf(duration: Duration | undefined): number | undefined {
  return duration === undefined ? undefined : millisecondsOf(duration) / 1000;
}
