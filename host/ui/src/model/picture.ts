// A scene as a file: SVG that needs nothing beside it.

import { TYPE } from "./graph";
import type { Phase } from "./run";
import type { Box, Scene } from "./scene";

/** What it is painted with, as CSS colours. */
export interface Paint {
  page: string;
  card: string;
  ink: string;
  soft: string;
  line: string;
  accent: string;
  /** Line and ground of a step by where it stands. */
  phases: Partial<Record<Phase, { line: string; ground: string; sign: string }>>;
}

const FONT = "Inter, system-ui, 'Segoe UI', 'Noto Sans', sans-serif";

export function svg({ boxes, wires, width, height }: Scene, paint: Paint): string {
  const ends = (id: string, fill: string) =>
    `<marker id="${id}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z" fill="${fill}"/></marker>`;
  const lines = wires.map(({ path, declared, count, used, arrow }) => {
    const color = count > 0 ? paint.accent : paint.soft;
    const dash = declared ? "" : ' stroke-dasharray="5 4"';
    return `<path class="wire" d="${path}" fill="none" stroke="${color}" stroke-width="1.5"${dash}${used ? "" : ' opacity="0.4"'}${arrow ? ` marker-end="url(#${count > 0 ? "flowed" : "end"})"` : ""}/>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${Math.ceil(width)}" height="${Math.ceil(height)}" viewBox="0 0 ${Math.ceil(width)} ${Math.ceil(height)}" font-family="${FONT}">`,
    `<defs>${ends("end", paint.soft)}${ends("flowed", paint.accent)}</defs>`,
    `<rect width="100%" height="100%" fill="${paint.page}"/>`,
    ...lines,
    ...boxes.map((box) => drawn(box, paint)),
    "</svg>",
  ].join("\n");
}

function drawn(box: Box, paint: Paint): string {
  const phase = box.phase && paint.phases[box.phase];
  const [line, ground] = phase ? [phase.line, phase.ground] : [box.type === "step" ? paint.soft : paint.line, box.type === "step" ? paint.card : paint.page];
  const round = box.type === "step" ? 8 : box.height / 2;
  const middle = box.x + box.width / 2;
  const text = (y: number, size: number, weight: number, color: string, words: string) =>
    `<text x="${middle}" y="${y}" text-anchor="middle" font-size="${size}" font-weight="${weight}" fill="${color}">${escaped(words)}</text>`;
  const counts = countsOf(box, paint);
  const y = box.y + box.height / 2 + 4;
  return [
    `<g${box.used ? "" : ' opacity="0.6"'}><rect x="${box.x}" y="${box.y}" width="${box.width}" height="${box.height}" rx="${round}" fill="${ground}" stroke="${line}" stroke-width="1.5"${box.type === "external" ? ' stroke-dasharray="4 3"' : ""}/>`,
    box.type === "step" ? text(counts ? y - 8 : y, TYPE.step, 600, paint.ink, box.label) : text(y, TYPE.event, 400, paint.ink, box.label),
    counts ? text(y + 10, TYPE.event, 500, phase?.line ?? paint.soft, counts) : "",
    "</g>",
  ].join("");
}

function countsOf({ counts, language }: Box, paint: Paint): string {
  const said = (Object.entries(counts ?? {}) as [Phase, number][]).map(([phase, count]) => `${paint.phases[phase]?.sign ?? ""} ${count}`);
  return [...(language ? [language] : []), ...said].join("  ");
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (it) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[it]!);
}
