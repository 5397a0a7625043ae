// A run's stream, as it comes. A page holds one connection, however many runs it shows, and one that nobody sees holds
// none: a browser has six for a server, and all tabs share them.

import { parse } from "../model/json";
import { goesOn } from "../model/status";
import { api, Refused, root, type Frame } from ".";

/** A stream that was refused is asked for again after so long, in milliseconds. */
const AGAIN = 1000;
/** Where several are followed, one has the connection for so long, in milliseconds. */
const TURN = 1000;

/** Who follows a stream. */
interface Follower {
  open: () => void;
  close: () => void;
}

/** The first has the connection, and the others wait for it. */
const followers: Follower[] = [];
let turns = 0;

function turn(): void {
  turns = 0;
  if (followers.length < 2) return;
  const first = followers.shift()!;
  first.close();
  followers.push(first);
  followers[0]!.open();
  turns = window.setTimeout(turn, TURN);
}

function come(follower: Follower): void {
  if (followers.includes(follower)) return;
  followers.push(follower);
  if (followers.length === 1) follower.open();
  else turns ||= window.setTimeout(turn, TURN);
}

function leave(follower: Follower): void {
  const place = followers.indexOf(follower);
  if (place < 0) return;
  follower.close();
  followers.splice(place, 1);
  if (place === 0) followers[0]?.open();
}

/** Reads a run's stream, from after a sequence to its end; goes on by itself where the connection breaks. */
export function follow(
  run: string,
  after: number,
  on: { frames: (frames: Frame[]) => void; connection: (there: boolean) => void; end: () => void },
): () => void {
  let last = after;
  let waiting: Frame[] = [];
  let scheduled = 0;
  let again = 0;
  let ended = false;
  let source: EventSource | undefined;
  const flush = () => {
    scheduled = 0;
    if (waiting.length > 0) on.frames(waiting);
    waiting = [];
  };
  const end = () => {
    ended = true;
    leave(follower);
    on.end();
  };
  const open = () => {
    const opened = new EventSource(`${root}/api/v1/runs/${encodeURIComponent(run)}/events?include_internal=true&after_sequence=${last}`);
    source = opened;
    opened.onopen = () => on.connection(true);
    opened.onmessage = ({ data, lastEventId }) => {
      const frame = { ...(parse(data as string) as Omit<Frame, "sequence">), sequence: Number(lastEventId) };
      if (frame.sequence <= last) return;
      last = frame.sequence;
      waiting.push(frame);
      // A burst is drawn once.
      scheduled ||= window.setTimeout(flush, 50);
      if (frame.type === "StopEvent" || frame.types?.includes("StopEvent")) {
        window.clearTimeout(scheduled);
        flush();
        end();
      }
    };
    opened.onerror = () => {
      if (opened.readyState !== EventSource.CLOSED) return on.connection(false);
      // The browser gives up: after a 204, which says that nothing is left, or because it was refused.
      const next = () => {
        again = window.setTimeout(open, AGAIN);
        on.connection(false);
      };
      const left = () => source !== opened;
      api.run(run).then(
        (it) => (left() ? undefined : goesOn(it) ? next() : end()),
        (error: unknown) => (left() ? undefined : error instanceof Refused && error.status === 404 ? end() : next()),
      );
    };
  };
  const close = () => {
    source?.close();
    source = undefined;
    window.clearTimeout(again);
  };
  const follower: Follower = { open, close };
  const seen = () => {
    if (document.hidden) leave(follower);
    else if (!ended) come(follower);
  };
  document.addEventListener("visibilitychange", seen);
  seen();
  return () => {
    document.removeEventListener("visibilitychange", seen);
    leave(follower);
    window.clearTimeout(scheduled);
  };
}
