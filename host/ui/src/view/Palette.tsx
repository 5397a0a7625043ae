// Everywhere from anywhere, by the keyboard.

import { useQuery } from "@tanstack/react-query";
import { Command } from "cmdk";
import { useEffect, useRef, useState } from "react";
import { api } from "../api";
import { go, href } from "../model/route";

export function Palette({ close }: { close: () => void }) {
  const [search, setSearch] = useState("");
  const workflows = useQuery({ queryKey: ["workflows"], queryFn: api.workflows });
  const runs = useQuery({ queryKey: ["palette", search], queryFn: () => api.runs({ search, limit: 8 }), placeholderData: (before) => before });
  const to = (where: string) => () => {
    go(where);
    close();
  };
  return (
    <Command.Dialog open onOpenChange={(open) => !open && close()} label="Go to" className="palette">
      <Command.Input value={search} onValueChange={setSearch} placeholder="A workflow, a run, a page" />
      <Command.List>
        <Command.Empty>Nothing of that name.</Command.Empty>
        <Command.Group heading="Pages">
          <Command.Item onSelect={to(href(["workflows"]))}>Workflows</Command.Item>
          <Command.Item onSelect={to(href(["runs"]))}>Runs</Command.Item>
          <Command.Item onSelect={to(href(["runs"], { status: "running" }))}>Runs that are running</Command.Item>
          <Command.Item onSelect={to(href(["runs"], { status: "failed" }))}>Runs that failed</Command.Item>
          <Command.Item onSelect={to(href(["api"]))}>API</Command.Item>
        </Command.Group>
        <Command.Group heading="Workflows">
          {workflows.data?.filter((it) => it.digest).map((it) => (
            <Command.Item key={it.path} value={`workflow ${it.name}`} onSelect={to(href(["workflows", it.name]))}>{it.name}</Command.Item>
          ))}
        </Command.Group>
        <Command.Group heading="Runs">
          {runs.data?.runs.map((it) => (
            <Command.Item key={it.run_id} value={`run ${it.run_id} ${it.handler_id} ${it.workflow_name}`} onSelect={to(href(["runs", it.run_id]))}>
              <code>{it.run_id}</code> {it.workflow_name} <span className="soft">{it.status}</span>
            </Command.Item>
          ))}
        </Command.Group>
      </Command.List>
    </Command.Dialog>
  );
}

const KEYS: [string, string][] = [
  ["Ctrl K", "Go to a workflow, a run or a page"],
  ["w", "Workflows"],
  ["r", "Runs"],
  ["← →", "On the slider: one moment back or on; on tabs: the next tab"],
  ["Tab, Enter", "To a node of the graph, and choose it"],
  ["+ −", "In the timeline: zoom, as with Ctrl and the wheel"],
  ["?", "This"],
  ["Esc", "Close what is open"],
];

export function Help({ close }: { close: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} onClose={close} aria-labelledby="help-title" className="help">
      <h2 id="help-title">Keyboard</h2>
      <dl>
        {KEYS.map(([key, what]) => (
          <div key={key}><dt><kbd>{key}</kbd></dt><dd>{what}</dd></div>
        ))}
      </dl>
      <button autoFocus onClick={() => dialog.current?.close()}>Close</button>
    </dialog>
  );
}
