// A run of its own from a moment of another: with the next event or the state in another form, and with today's component or the one it had.

import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { api, Refused, type Fork, type History, type Json, type Run } from "../../api";
import { editable, request, wrong } from "../../model/fork";
import { pretty, written } from "../../model/json";
import { go, href } from "../../model/route";
import { Problem } from "../common";
import { EventForm } from "../EventForm";

interface Props {
  run: Run;
  history: History;
  at: number;
  title: string;
  close: () => void;
}

export function ForkForm({ run, history, at, title, close }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  const state = useQuery({ queryKey: ["state", run.run_id, at], queryFn: () => api.state(run.run_id, at) });
  const details = useQuery({ queryKey: ["workflow", run.workflow_name], queryFn: () => api.workflow(run.workflow_name) });
  const all = editable(history, at);
  const [picked, pick] = useState(0);
  const next = all[picked];
  const [definition, setDefinition] = useState<Fork["definition"]>("pinned");
  const [edited, setEdited] = useState<string>();
  const [problem, setProblem] = useState<unknown>();
  const before = state.data && pretty(written(state.data));
  const text = edited ?? before ?? "";
  const broken = edited === undefined ? undefined : wrong(edited);
  const fork = async (event?: string) => {
    setProblem(undefined);
    try {
      const made = await api.fork(run.run_id, request(at, definition, { before, after: edited }, next && event !== undefined ? { before: next, after: event } : undefined));
      close();
      go(href(["runs", made.run_id]));
    } catch (refused) {
      if (refused instanceof Refused && (refused.status === 405 || (refused.status === 404 && refused.message === "Not Found"))) throw new Error("This server does not fork runs yet: it is older than the page", { cause: refused });
      throw refused;
    }
  };
  // What most want to mend has the focus.
  const shown = next !== undefined && details.data !== undefined;
  useEffect(() => {
    const field = dialog.current?.querySelector<HTMLInputElement | HTMLTextAreaElement>(".event-form :is(input, select, textarea)");
    field?.focus();
    if (field instanceof HTMLInputElement) field.select();
  }, [shown]);
  const moment = history.moments.find((it) => it.seq === at);
  return (
    <dialog ref={dialog} onClose={close} aria-labelledby="fork-title" className="fork">
      <h2 id="fork-title">{title}</h2>
      <p className="soft">
        A new run goes on from entry {at} of this one ({moment?.kind.replaceAll("-", " ")}{moment?.event && <> <code>{moment.event}</code></>}){all.length > 0 && all[0]!.step && <>: <code>{[...new Set(all.map((it) => it.step))].slice(0, 4).join(", ")}</code> runs again</>}. What was finished by then is kept as it came. This run stays as it is.
      </p>
      <fieldset className="row">
        <legend>With</legend>
        <label><input type="radio" name="definition" checked={definition === "pinned"} onChange={() => setDefinition("pinned")} /> the code that it had</label>
        <label><input type="radio" name="definition" checked={definition === "current"} onChange={() => setDefinition("current")} /> today's code</label>
      </fieldset>
      <details>
        <summary>State{edited !== undefined && edited !== before ? ", edited" : ""}</summary>
        {state.error && <Problem error={state.error} title="The state cannot be read" />}
        {before !== undefined && <textarea className="raw" aria-label="The state as JSON" rows={Math.min(14, text.split("\n").length + 1)} spellCheck={false} aria-invalid={!!broken} value={text} onChange={(event) => setEdited(event.target.value)} />}
        {broken && <p className="field-error">{broken}</p>}
      </details>
      {next ? (
        <>
          <h3>{next.step ? <>What <code>{next.step}</code> is given: <code>{next.type}</code></> : <>What comes next: <code>{next.type}</code></>}</h3>
          {all.length > 1 && (
            <label className="row"><span>Edit that of</span>
              <select value={picked} onChange={(event) => pick(Number(event.target.value))}>{all.map((it, at) => <option key={at} value={at}>{it.step} #{it.invocation}</option>)}</select>
            </label>
          )}
          <EventForm schema={((details.data?.schemas as Json | undefined)?.[next.type] as Json | undefined) ?? { type: "object", properties: {} }} key={`${details.data ? "form" : "plain"} ${picked}`} initial={written(next.value)} action="Fork" submit={fork} />
        </>
      ) : (
        <button className="primary" disabled={!!broken} onClick={() => fork().catch(setProblem)}>Fork</button>
      )}
      {problem != null && <Problem error={problem} />}
      <button className="close quiet" onClick={() => dialog.current?.close()}>Close</button>
    </dialog>
  );
}
