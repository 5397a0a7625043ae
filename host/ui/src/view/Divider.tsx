// A line between two parts of a view, which can be moved.

import { useState, type CSSProperties, type ReactNode } from "react";
import { keep } from "../model/inputs";

interface Props {
  /** Under which the browser keeps where it is. */
  name: string;
  /** What of the whole the second part takes, in percent. */
  initial: number;
  /** How the parts lie: beside each other, or one under the other. */
  lie: "beside" | "under";
  children: [ReactNode, ReactNode];
}

const [LEAST, MOST, STEP] = [15, 80, 3];
const bounded = (value: number): number => Math.min(MOST, Math.max(LEAST, value));

export function Divided({ name, initial, lie, children: [first, second] }: Props) {
  const kept = `wf-host divider ${name}`;
  const [part, setPart] = useState(() => bounded(Number(localStorage.getItem(kept)) || initial));
  const set = (value: number) => {
    setPart(bounded(value));
    keep(kept, String(bounded(value)));
  };
  return (
    <div className={`divided ${lie}`} style={{ "--part": `${part}%` } as CSSProperties}>
      {first}
      <div
        role="separator"
        tabIndex={0}
        className="divider"
        aria-label={lie === "beside" ? "Between graph and details" : "Above the timeline"}
        aria-orientation={lie === "beside" ? "vertical" : "horizontal"}
        aria-valuenow={Math.round(part)}
        aria-valuemin={LEAST}
        aria-valuemax={MOST}
        onDoubleClick={() => set(initial)}
        onKeyDown={(event) => {
          const step = { ArrowLeft: STEP, ArrowUp: STEP, ArrowRight: -STEP, ArrowDown: -STEP }[event.key];
          if (!step) return;
          event.preventDefault();
          set(part + step);
        }}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          event.preventDefault();
        }}
        onPointerMove={(event) => {
          if (!event.currentTarget.hasPointerCapture(event.pointerId)) return;
          const box = event.currentTarget.parentElement!.getBoundingClientRect();
          set(lie === "beside" ? ((box.right - event.clientX) / box.width) * 100 : ((box.bottom - event.clientY) / box.height) * 100);
        }}
      />
      {second}
    </div>
  );
}
