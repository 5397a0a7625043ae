// A workflow as a picture: from start to stop, and during a run where it stands.

import { useEffect, useMemo, useRef, useState, type KeyboardEvent, type PointerEvent } from "react";
import type { Graph } from "../api";
import { layout, TYPE, type Line } from "../model/graph";
import { keep } from "../model/inputs";
import { svg, type Paint } from "../model/picture";
import type { Phase, Picture } from "../model/run";
import { neighbour, scene, type Box, type Places } from "../model/scene";
import { PHASES } from "./common";

interface Props {
  graph: Graph;
  /** What steps are written in, where that differs. */
  languages?: Map<string, string>;
  picture?: Picture;
  /** Edges that the run is known to have beside the declared ones, when the picture is first drawn. */
  also?: Line[];
  picked?: string;
  pick?: (id: string) => void;
  /** The step that comes into view when it changes. */
  active?: string;
}

/** No text is drawn smaller, in pixels: further away, boxes stand without their names. */
const TEXT_MIN = 11;
const NEAR = TEXT_MIN / TYPE.event;
const [FAR, CLOSE] = [0.05, 2.5];
/** A pointer that moves less has clicked. */
const CLICK = 4;
const MARGIN = 8;

const kept = (name: string): string => `wf-host places ${name}`;

function places(name: string): Places {
  try {
    return JSON.parse(localStorage.getItem(kept(name)) ?? "{}") as Places;
  } catch {
    return {};
  }
}

export function GraphView({ graph, languages, picture, also, picked, pick, active }: Props) {
  // What is learned later moves nothing.
  const [first] = useState(also);
  const frame = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLDivElement>(null);
  const placed = useMemo(() => layout(graph, first), [graph, first]);
  const [moved, setMoved] = useState<Places>(() => places(graph.name));
  const drawn = useMemo(() => scene(graph, placed, moved, picture, languages), [graph, placed, moved, picture, languages]);
  const [zoom, setZoom] = useState<number>();
  /** Whether somebody has zoomed: until then it fits. */
  const touched = useRef(false);
  const [follow, setFollow] = useState(true);
  const [stop, setStop] = useState<string>();
  const [unsaved, setUnsaved] = useState(false);
  const scale = zoom ?? 1;

  const fitting = (least: number) => {
    const box = canvas.current!;
    const fit = Math.min((box.clientWidth - MARGIN) / drawn.width, (box.clientHeight - MARGIN) / drawn.height, 1.15);
    return Math.max(fit, least, FAR);
  };
  const show = (id: string | undefined, smooth: boolean) => {
    const [box, to] = [canvas.current, drawn.boxes.find((it) => it.id === id)];
    if (!box || !to) return;
    const at = zoom ?? fitting(NEAR);
    box.scrollTo({ left: (to.x + to.width / 2) * at - box.clientWidth / 2, top: (to.y + to.height / 2) * at - box.clientHeight / 2, behavior: smooth ? "smooth" : "instant" });
  };
  // At first all of it, as far as its text can be read.
  useEffect(() => {
    const box = canvas.current;
    if (!box) return;
    const look = new ResizeObserver(() => box.clientWidth > 0 && !touched.current && setZoom(fitting(NEAR)));
    look.observe(box);
    return () => look.disconnect();
    // eslint-disable-next-line
  }, [drawn.width, drawn.height]);
  useEffect(() => {
    if (follow && active && zoom !== undefined) show(active, true);
    // It follows the step, not every redrawing.
    // eslint-disable-next-line
  }, [active, follow, zoom !== undefined]);
  useEffect(() => {
    if (picked) show(picked, true);
    // eslint-disable-next-line
  }, [picked]);

  const zoomed = (to: number) => {
    const box = canvas.current!;
    touched.current = true;
    const bounded = Math.min(CLOSE, Math.max(FAR, to));
    const [x, y] = [(box.scrollLeft + box.clientWidth / 2) / scale, (box.scrollTop + box.clientHeight / 2) / scale];
    setZoom(bounded);
    requestAnimationFrame(() => box.scrollTo(x * bounded - box.clientWidth / 2, y * bounded - box.clientHeight / 2));
  };
  // Without this, the browser would enlarge the page.
  useEffect(() => {
    const box = canvas.current!;
    const wheel = (event: WheelEvent) => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      zoomed(scale * (event.deltaY < 0 ? 1.15 : 1 / 1.15));
    };
    box.addEventListener("wheel", wheel, { passive: false });
    return () => box.removeEventListener("wheel", wheel);
  });

  const place = (id: string, x: number, y: number, last: boolean) => {
    const after = { ...moved, [id]: { x: Math.max(0, x), y: Math.max(0, y) } };
    setMoved(after);
    if (last) keep(kept(graph.name), JSON.stringify(after));
  };
  const tidy = () => {
    localStorage.removeItem(kept(graph.name));
    setMoved({});
    touched.current = false;
    setZoom(fitting(NEAR));
  };
  const save = async (kind: "svg" | "png") => {
    setUnsaved(false);
    try {
      const text = svg(drawn, painted());
      const link = document.createElement("a");
      link.href = URL.createObjectURL(kind === "svg" ? new Blob([text], { type: "image/svg+xml" }) : await pixels(text, drawn.width, drawn.height));
      link.download = `${graph.name}.${kind}`;
      link.click();
      window.setTimeout(() => URL.revokeObjectURL(link.href), 1000);
    } catch {
      setUnsaved(true);
    }
  };
  const full = () => void (document.fullscreenElement ? document.exitFullscreen() : frame.current?.requestFullscreen());
  const inTabs = stop ?? picked ?? drawn.boxes[0]?.id;
  const key = (event: KeyboardEvent) => {
    const id = event.target instanceof Element ? event.target.closest("[data-id]")?.getAttribute("data-id") : undefined;
    if (!id) return;
    if (event.key === "Enter" || event.key === " ") pick?.(id);
    else if (event.key.startsWith("Arrow")) {
      const next = neighbour(drawn.boxes, id, event.key);
      if (next) {
        setStop(next);
        canvas.current?.querySelector<SVGElement>(`[data-id="${CSS.escape(next)}"]`)?.focus();
      }
    } else return;
    event.preventDefault();
  };

  return (
    <div className="graph" ref={frame} role="region" aria-label={`Graph of ${graph.name}`}>
      <div className="tools">
        <button className="quiet small icon" aria-label="Smaller" disabled={scale <= FAR} onClick={() => zoomed(scale / 1.25)}>−</button>
        <button className="quiet small icon" aria-label="Larger" disabled={scale >= CLOSE} onClick={() => zoomed(scale * 1.25)}>+</button>
        <button className="quiet small" onClick={() => ((touched.current = true), setZoom(fitting(0)))}>Fit</button>
        {active !== undefined && <button className={follow ? "quiet small on" : "quiet small"} aria-pressed={follow} onClick={() => setFollow(!follow)}>Follow</button>}
        {unsaved && <span className="field-error" role="alert">The picture could not be made</span>}
        <span className="grow" />
        <button className="quiet small" onClick={tidy}>Tidy</button>
        <button className="quiet small" onClick={full}>Full screen</button>
        <button className="quiet small" onClick={() => void save("svg")}>SVG</button>
        <button className="quiet small" onClick={() => void save("png")}>PNG</button>
      </div>
      <Canvas canvas={canvas} pan={() => setFollow(false)}>
        <svg
          className={scale < NEAR - 0.001 ? "scene far" : "scene"}
          width={Math.ceil(drawn.width * scale)}
          height={Math.ceil(drawn.height * scale)}
          viewBox={`0 0 ${drawn.width} ${drawn.height}`}
          onKeyDown={key}
          role="group"
          aria-label="Steps and events"
        >
          <defs>
            {["end", "flowed"].map((id) => (
              <marker key={id} id={`arrow-${id}`} className={id} viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z" /></marker>
            ))}
          </defs>
          {drawn.wires.map(({ id, path, declared, count, used, arrow }) => (
            <path key={id} data-wire={id} d={path} className={`wire ${count > 0 ? "flowed" : ""} ${used ? "" : "unused"} ${declared ? "" : "undeclared"}`} markerEnd={arrow ? `url(#arrow-${count > 0 ? "flowed" : "end"})` : undefined} />
          ))}
          {drawn.boxes.map((box) => (
            <Node key={box.id} box={box} about={graph.nodes.find((it) => it.id === box.id)?.description ?? ""} picked={picked === box.id} stop={inTabs === box.id} scale={scale} pick={pick} place={place} />
          ))}
        </svg>
      </Canvas>
    </div>
  );
}

/** What is larger than its place: moved by its scrollbars, by the wheel, by a finger, or by the mouse on its ground. */
function Canvas({ canvas, pan, children }: { canvas: React.RefObject<HTMLDivElement | null>; pan: () => void; children: React.ReactNode }) {
  const from = useRef<{ x: number; y: number }>(undefined);
  return (
    <div
      className="canvas"
      ref={canvas}
      onWheel={pan}
      onPointerDown={(event) => {
        if (event.pointerType !== "mouse" || event.button !== 0 || (event.target as Element).closest("[data-id]")) return;
        event.currentTarget.setPointerCapture(event.pointerId);
        from.current = { x: event.clientX + event.currentTarget.scrollLeft, y: event.clientY + event.currentTarget.scrollTop };
      }}
      onPointerMove={(event) => {
        if (!from.current || !event.currentTarget.hasPointerCapture(event.pointerId)) return;
        pan();
        event.currentTarget.scrollTo({ left: from.current.x - event.clientX, top: from.current.y - event.clientY, behavior: "instant" });
      }}
      onPointerUp={() => (from.current = undefined)}
    >
      {children}
    </div>
  );
}

interface NodeProps {
  box: Box;
  about: string;
  picked: boolean;
  /** Where the Tab key comes in. */
  stop: boolean;
  scale: number;
  pick?: (id: string) => void;
  place: (id: string, x: number, y: number, last: boolean) => void;
}

function Node({ box, about, picked, stop, scale, pick, place }: NodeProps) {
  const drag = useRef<{ x: number; y: number; left: number; top: number; far: boolean }>(undefined);
  const counts = Object.entries(box.counts ?? {}) as [Phase, number][];
  const middle = box.height / 2 + 4;
  const below = counts.length > 0 || box.language;
  const said = counts.map(([phase, count]) => `${count} ${PHASES[phase].text}`).join(", ");
  const to = (event: PointerEvent) => ({ x: drag.current!.left + (event.clientX - drag.current!.x) / scale, y: drag.current!.top + (event.clientY - drag.current!.y) / scale });
  return (
    <g
      data-id={box.id}
      className={["node", box.type, box.phase ?? "", picked ? "picked" : "", box.used ? "" : "unused"].filter(Boolean).join(" ")}
      transform={`translate(${box.x} ${box.y})`}
      tabIndex={stop ? 0 : -1}
      role="button"
      aria-pressed={picked}
      aria-label={[box.label, box.language, said].filter(Boolean).join(": ")}
      onPointerDown={(event) => {
        if (event.button !== 0 || event.pointerType === "touch") return;
        event.currentTarget.setPointerCapture(event.pointerId);
        drag.current = { x: event.clientX, y: event.clientY, left: box.x, top: box.y, far: false };
      }}
      onPointerMove={(event) => {
        const from = drag.current;
        if (!from) return;
        from.far ||= Math.hypot(event.clientX - from.x, event.clientY - from.y) > CLICK;
        if (from.far) place(box.id, to(event).x, to(event).y, false);
      }}
      onPointerUp={(event) => {
        if (drag.current?.far) place(box.id, to(event).x, to(event).y, true);
      }}
      onClick={() => {
        const dragged = drag.current?.far;
        drag.current = undefined;
        if (!dragged) pick?.(box.id);
      }}
    >
      <title>{[box.id, about].filter(Boolean).join("\n")}</title>
      <rect className="shape" width={box.width} height={box.height} rx={box.type === "step" ? 8 : box.height / 2} />
      <text className="name" x={box.width / 2} y={below ? middle - 8 : middle}>{box.label}</text>
      {below && (
        <text className="counts" x={box.width / 2} y={middle + 10}>
          {box.language && <tspan>{box.language}</tspan>}
          {counts.map(([phase, count], at) => <tspan key={phase} className={phase} dx={at > 0 || box.language ? 8 : 0}>{PHASES[phase].sign} {count}</tspan>)}
        </text>
      )}
    </g>
  );
}

/** The colours of the page, for a picture that stands alone. */
function painted(): Paint {
  const style = getComputedStyle(document.documentElement);
  const color = (name: string) => style.getPropertyValue(`--${name}`).trim();
  const phase = (name: string, of: Phase) => ({ line: color(name), ground: color(`${name}-soft`), sign: PHASES[of].sign });
  const wait = (of: Phase) => phase("wait", of);
  return {
    page: color("page"), card: color("card"), ink: color("ink"), soft: color("soft"), line: color("line"), accent: color("accent"),
    phases: {
      executing: phase("busy", "executing"), sleeping: phase("busy", "sleeping"), returned: phase("good", "returned"), failed: phase("bad", "failed"),
      waiting: wait("waiting"), blocked: wait("blocked"), retrying: wait("retrying"),
      queued: { line: color("soft"), ground: color("card"), sign: PHASES.queued.sign }, dropped: { line: color("soft"), ground: color("card"), sign: PHASES.dropped.sign },
    },
  };
}

/** Twice as fine as it is shown; as fine as a canvas may be, where it is large. */
async function pixels(text: string, width: number, height: number): Promise<Blob> {
  const image = new Image();
  image.src = URL.createObjectURL(new Blob([text], { type: "image/svg+xml" }));
  await image.decode();
  const fine = Math.min(2, 8000 / width, 8000 / height);
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [Math.ceil(width * fine), Math.ceil(height * fine)];
  canvas.getContext("2d")!.drawImage(image, 0, 0, canvas.width, canvas.height);
  URL.revokeObjectURL(image.src);
  return new Promise((done, failed) => canvas.toBlob((blob) => (blob ? done(blob) : failed(new Error("no picture"))), "image/png"));
}
