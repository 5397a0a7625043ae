// Where a step failed: the line of its source, and the way there.

import { placeOf, short } from "../../model/source";

export function Where({ trace }: { trace?: string | null }) {
  const place = placeOf(trace);
  return place && <span className="where" title={`${place.file}:${place.line}`}>at <code>{short(place)}</code></span>;
}

export function Trace({ trace }: { trace?: string | null }) {
  if (!trace) return null;
  return (
    <details>
      <summary>Backtrace</summary>
      <pre className="trace" tabIndex={0}>{trace}</pre>
    </details>
  );
}
