// One of several panels, chosen by its name.

import type { ReactNode } from "react";

interface Props<Name extends string> {
  names: Record<Name, string>;
  tab: Name;
  pick: (tab: Name) => void;
  children: ReactNode;
}

export function Tabs<Name extends string>({ names, tab, pick, children }: Props<Name>) {
  const all = Object.keys(names) as Name[];
  return (
    <>
      <div className="tabs" role="tablist" aria-label="Details">
        {all.map((name) => (
          <button
            key={name}
            role="tab"
            id={`tab-${name}`}
            aria-selected={tab === name}
            aria-controls="tab-panel"
            tabIndex={tab === name ? 0 : -1}
            onClick={() => pick(name)}
            onKeyDown={({ key }) => {
              const move = key === "ArrowRight" ? 1 : key === "ArrowLeft" ? -1 : 0;
              const next = all[(all.indexOf(name) + move + all.length) % all.length]!;
              if (move) pick(next);
              if (move) document.getElementById(`tab-${next}`)?.focus();
            }}
          >
            {names[name]}
          </button>
        ))}
      </div>
      <div id="tab-panel" role="tabpanel" aria-labelledby={`tab-${tab}`} className="tab">{children}</div>
    </>
  );
}
