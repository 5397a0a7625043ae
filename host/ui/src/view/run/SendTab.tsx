// An event by hand, to whoever takes it.

import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { api, type Json, type Run } from "../../api";
import { goesOn } from "../../model/status";
import { EventForm } from "../EventForm";

export function SendTab({ run, look }: { run: Run; look: () => void }) {
  const details = useQuery({ queryKey: ["workflow", run.workflow_name], queryFn: () => api.workflow(run.workflow_name) });
  const schemas = useMemo(() => (details.data?.schemas ?? {}) as Record<string, Json>, [details.data]);
  const names = [...new Set([...Object.keys(schemas), ...(details.data?.additional_events ?? [])])].filter((it) => it !== "StopEvent");
  const steps = (details.data?.manifests ?? []).flatMap((it) => (it as Json).steps as { name: string }[]);
  const [type, setType] = useState("");
  const [step, setStep] = useState("");
  const [sent, setSent] = useState<string>();
  if (!goesOn(run)) return <p className="soft pad">The run has ended: nothing can be sent to it.</p>;
  const chosen = type || names.find((it) => it.includes("Response")) || names[0] || "";
  return (
    <div className="pad scroll" tabIndex={0}>
      <label className="row"><span>Event</span>
        <select value={chosen} onChange={(event) => setType(event.target.value)}>{names.map((it) => <option key={it}>{it}</option>)}</select>
      </label>
      <label className="row"><span>To</span>
        <select value={step} onChange={(event) => setStep(event.target.value)}>
          <option value="">whoever takes it</option>
          {steps.map((it) => <option key={it.name}>{it.name}</option>)}
        </select>
      </label>
      <EventForm key={chosen} schema={schemas[chosen] ?? { type: "object", properties: {} }} action="Send"
        submit={async (value) => { await api.send(run.handler_id, chosen, value, step ? { step } : {}); setSent(chosen); look(); }} />
      {sent && <p role="status">✓ {sent} was sent</p>}
    </div>
  );
}
