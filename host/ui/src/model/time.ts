// Times and durations, for people.

/** Microseconds since 1970, of a time as the API writes it. */
export function micros(text: string): number {
  const at = Date.parse(text.replace(/\.(\d{3})\d*/, ".$1")) * 1000;
  const rest = /\.\d{3}(\d{3})/.exec(text)?.[1];
  return at + (rest ? Number(rest) : 0);
}

export function duration(span: number): string {
  if (span < 1000) return `${Math.round(span)} µs`;
  if (span < 1e6) return `${trim(span / 1000)} ms`;
  if (span < 60e6) return `${trim(span / 1e6)} s`;
  const seconds = Math.round(span / 1e6);
  const parts: [number, string][] = [
    [Math.floor(seconds / 86400), "d"],
    [Math.floor(seconds / 3600) % 24, "h"],
    [Math.floor(seconds / 60) % 60, "min"],
    [seconds % 60, "s"],
  ];
  const first = parts.findIndex(([count]) => count > 0);
  return parts
    .slice(first, first + 2)
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count} ${unit}`)
    .join(" ");
}

function trim(value: number): string {
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

export function age(text: string, now: number): string {
  const span = now * 1000 - micros(text);
  if (span < 5e6) return "just now";
  // The largest unit: nobody counts the seconds of an hour ago.
  return span < 60e6 ? `${Math.round(span / 1e6)} s ago` : `${duration(span).split(" ", 2).join(" ")} ago`;
}

export function clock(text: string): string {
  const date = new Date(micros(text) / 1000);
  const day = date.toDateString() === new Date().toDateString() ? "" : `${date.toLocaleDateString()} `;
  return day + date.toLocaleTimeString([], { hour12: false }) + `.${String(date.getMilliseconds()).padStart(3, "0")}`;
}

/** How long after a beginning, in a column: as long as the next line's. */
export function since(span: number): string {
  if (span < 60e6) return `+${(span / 1e6).toFixed(3)}`;
  const [minutes, seconds] = [Math.floor(span / 60e6), Math.floor(span / 1e6) % 60];
  const hours = Math.floor(minutes / 60);
  return hours > 0 ? `+${hours}:${String(minutes % 60).padStart(2, "0")}:${String(seconds).padStart(2, "0")}` : `+${minutes}:${String(seconds).padStart(2, "0")}.${String(Math.floor(span / 1e5) % 10)}`;
}
