// What a run asks of people, and has no answer to yet.

import type { Details, Frame, History, Json } from "../api";
import { micros } from "./time";
import { phaseAt, type Picture } from "./run";

export interface Question {
  /** The same as long as it is the same question: its form stays, and an answer is taken once. */
  key: string;
  /** Who waits, where that is known. */
  step?: string;
  invocation?: number;
  /** The first event of any of these types answers. */
  types: string[];
  /** What was asked. */
  asked?: { type: string; value: Json };
  since: string;
  due?: string | null;
  requirements: Record<string, unknown>;
}

const ASKS = "InputRequiredEvent";

/** All that are open at the newest moment, those that were asked first in front. */
export function questions(history: History, frames: Frame[], details?: Details): Question[] {
  const last = history.moments.at(-1)?.seq ?? 0;
  const asking = frames.filter((it) => it.types?.includes(ASKS) || it.type === ASKS);
  const of = entries(history, asking);
  const used = new Set<Frame>();
  const waits = history.invocations.flatMap((invocation): Question[] => {
    const { id, step, spans } = invocation;
    for (const span of spans) {
      // A step that waits has asked in the same report, or in an earlier one of its own.
      const frame = asking.findLast((it) => !used.has(it) && of.get(it)?.invocation === id && of.get(it)!.seq <= span.seq);
      if (span.phase !== "waiting" || !span.wait) continue;
      if (frame) used.add(frame);
      const open = span === spans.at(-1) && phaseAt(invocation, last) === "waiting";
      const { types, due, requirements } = span.wait;
      if (open) return [{ key: `wait-${id}-${span.seq}`, step, invocation: id, types, asked: frame && { type: frame.type, value: frame.value }, since: span.from, due, requirements }];
    }
    return [];
  });
  const answers = answering(details);
  if (answers.size === 0) return waits;
  // Where nobody waits, the first answer is to the first question.
  const alone = asking.filter((it) => !used.has(it));
  const steps = new Set(history.invocations.flatMap((it) => it.spans.filter((span) => span.wait).flatMap((span) => span.wait!.types)));
  const types = [...answers.keys()].filter((it) => !steps.has(it));
  const given = history.moments.filter((it) => it.kind === "event-received" && types.includes(it.event ?? "")).map((it) => it.seq);
  const open = alone.filter((it) => {
    const place = given.findIndex((seq) => seq > (of.get(it)?.seq ?? -1));
    if (place < 0) return true;
    given.splice(place, 1);
    return false;
  });
  const loose = (types.length > 0 ? open : []).map((it): Question => {
    const takers = [...new Set(types.flatMap((type) => answers.get(type)!))];
    return { key: `asked-${it.sequence}`, step: takers.length === 1 ? takers[0] : undefined, types, asked: { type: it.type, value: it.value }, since: of.get(it)?.at ?? history.moments.at(-1)?.at ?? "", requirements: {} };
  });
  return [...waits, ...loose].sort((one, other) => micros(one.since) - micros(other.since));
}

/** The entries that have published some frames. */
function entries(history: History, frames: Frame[]): Map<Frame, History["moments"][number]> {
  const found = new Map<Frame, History["moments"][number]>();
  let place = 0;
  for (const frame of frames) {
    while (place < history.moments.length && history.moments[place]!.frames <= frame.sequence) place++;
    const moment = history.moments[place];
    if (!moment) break;
    found.set(frame, moment);
  }
  return found;
}

/** The types with which a person answers, and the steps that take them. */
function answering(details?: Details): Map<string, string[]> {
  const manifests = (details?.manifests ?? []) as { events?: { name: string; kind?: string }[]; steps?: { name: string; accepts?: string[] }[] }[];
  const kinds = manifests.flatMap((it) => it.events ?? []).filter((it) => it.kind === "human-response").map((it) => it.name);
  const steps = manifests.flatMap((it) => it.steps ?? []);
  const takes = new Map<string, string[]>();
  for (const type of [...kinds, "HumanResponseEvent"]) {
    const takers = steps.filter((it) => it.accepts?.includes(type)).map((it) => it.name);
    if (takers.length > 0) takes.set(type, takers);
  }
  return takes;
}

/** Steps that an answer goes to wait for it, also where no invocation of theirs has begun. */
export function asking(picture: Picture, open: Question[]): Picture {
  const steps = new Map(picture.steps);
  for (const { step, invocation } of open) {
    if (step === undefined || invocation !== undefined) continue;
    const counts = steps.get(step);
    steps.set(step, { ...counts, waiting: (counts?.waiting ?? 0) + 1 });
  }
  return { ...picture, steps };
}

/** The words of a question. */
export function words(question: Question): string | undefined {
  return asked(question.asked?.value);
}

/** Fields that hold the words of a question, the likeliest first. */
const WORDS = ["prompt", "question", "prefix", "message", "text", "msg", "title"];

/** What an event asks: the field that says it, where there is one. */
export function asked(value: Json | undefined): string | undefined {
  if (!value) return undefined;
  const named = WORDS.map((name) => value[name]).find((it) => typeof it === "string" && it);
  const texts = Object.values(value).filter((it) => typeof it === "string");
  return (named as string | undefined) ?? (texts.length === 1 ? (texts[0] as string) : undefined);
}

/** Whether all that is going on in a run waits for a person. */
export function waitsForSomebody(history: History, open: Question[]): boolean {
  if (open.length === 0) return false;
  const last = history.moments.at(-1)?.seq ?? 0;
  const phases = history.invocations.map((it) => phaseAt(it, last));
  return !phases.some((it) => it === "executing" || it === "retrying" || it === "queued" || it === "sleeping");
}
