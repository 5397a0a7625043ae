// What a run asks of people: one open at a time, with its form.

import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, type Json, type Run } from "../../api";
import { written } from "../../model/json";
import { words, type Question } from "../../model/questions";
import { clock } from "../../model/time";
import { Ago, Left, Problem } from "../common";
import { EventForm } from "../EventForm";
import { JsonView } from "../JsonView";

export function Questions({ all, run, look }: { all: Question[]; run: Run; look: () => void }) {
  const details = useQuery({ queryKey: ["workflow", run.workflow_name], queryFn: () => api.workflow(run.workflow_name) });
  const schemas = (details.data?.schemas ?? {}) as Record<string, Json>;
  const [picked, pick] = useState<string>();
  // An answer that was taken stands until the run has said so.
  const [answered, setAnswered] = useState<ReadonlySet<string>>(new Set());
  const left = all.filter((it) => !answered.has(it.key));
  const open = left.find((it) => it.key === picked) ?? left[0];
  if (details.error) return <Problem error={details.error} title="The form of an answer cannot be made" />;
  if (!open) return <p className="outcome waits" role="status">✓ Answered; the run goes on.</p>;
  return (
    <section className={left.length > 1 ? "outcome waits many" : "outcome waits"} aria-label={`Waiting for ${open.types.join(" or ")}`}>
      {left.length > 1 && (
        <div className="asked">
          <strong>◷ {left.length} answers are waited for</strong>
          <ul className="plain" aria-label="Questions">
            {left.map((it) => (
              <li key={it.key}>
                <button aria-pressed={it === open} onClick={() => pick(it.key)}>
                  <span>{words(it) ?? it.types.join(" or ")}</span> <span className="soft">{it.step}{it.invocation !== undefined && ` #${it.invocation}`}</span>
                </button>
              </li>
            ))}
          </ul>
        </div>
      )}
      <Asked key={open.key} question={open} />
      {details.data && (
        <AnswerForm
          key={`form ${open.key}`}
          question={open}
          schemas={schemas}
          run={run}
          done={() => {
            setAnswered((before) => new Set([...before, open.key]));
            look();
          }}
        />
      )}
    </section>
  );
}

function Asked({ question }: { question: Question }) {
  const said = words(question);
  // What is said above is not said twice.
  const more = Object.fromEntries(Object.entries(question.asked?.value ?? {}).filter(([, it]) => said === undefined || it !== said));
  return (
    <div className="question">
      <strong>◷ {said ?? `${question.step ?? "The run"} waits for ${question.types.join(" or ")}`}</strong>
      <p className="soft">
        {question.step && <>{question.step}{question.invocation !== undefined && ` #${question.invocation}`} waits for {question.types.join(" or ")} </>}
        since {clock(question.since)}, <Ago at={question.since} />
        {question.due && <>; until {clock(question.due)}, <Left until={question.due} /> left</>}
      </p>
      {Object.keys(more).length > 0 && <JsonView value={more} label="What is asked" open={1} />}
    </div>
  );
}

/** The form of an answer; where there are several types, of the one that is picked. */
function AnswerForm({ question, schemas, run, done }: { question: Question; schemas: Record<string, Json>; run: Run; done: () => void }) {
  const [picked, pick] = useState(question.types[0] ?? "");
  const submit = async (value: string) => {
    const to = question.invocation !== undefined ? { invocation: question.invocation } : question.step ? { step: question.step } : {};
    // One question takes one answer, whoever gives it, and however often.
    await api.send(run.handler_id, picked, value, to, `${run.run_id} ${question.key}`);
    done();
  };
  return (
    <div className="answer">
      {question.types.length > 1 && (
        <label className="row"><span>Event</span>
          <select value={picked} onChange={(event) => pick(event.target.value)}>{question.types.map((it) => <option key={it}>{it}</option>)}</select>
        </label>
      )}
      <EventForm key={picked} schema={schemas[picked] ?? { type: "object", properties: {} }} initial={written(question.requirements)} action={`Send ${picked}`} submit={submit} />
    </div>
  );
}
