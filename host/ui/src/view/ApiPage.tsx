// The OpenAPI document, readable.

import { useQuery } from "@tanstack/react-query";
import { api, type Json } from "../api";
import { Problem } from "./common";
import { JsonView } from "./JsonView";

interface Operation {
  summary?: string;
  description?: string;
  tags?: string[];
  parameters?: { name: string; in: string; required?: boolean; description?: string }[];
  requestBody?: { content: Record<string, { schema?: Json }> };
  responses: Record<string, { description?: string; content?: Record<string, { schema?: Json }> }>;
}

export function ApiPage() {
  const { data, error } = useQuery({ queryKey: ["document"], queryFn: api.document });
  if (error) return <Problem error={error} />;
  if (!data) return <p className="soft">Loading …</p>;
  const paths = data.paths as Record<string, Record<string, Operation>>;
  const schemas = (data.components as { schemas: Record<string, Json> }).schemas;
  const operations = Object.entries(paths).flatMap(([path, methods]) => Object.entries(methods).map(([method, it]) => ({ path, method, ...it })));
  const tags = (data.tags as { name: string; description: string }[]) ?? [];
  return (
    <>
      <h1>API</h1>
      <p className="about"><Prose text={(data.info as { description?: string }).description} /> As a document: <a href="api/v1/openapi.json">openapi.json</a>.</p>
      {tags.map((tag) => (
        <section key={tag.name} className="panel pad api" aria-labelledby={`tag-${tag.name}`}>
          <h2 id={`tag-${tag.name}`}>{tag.name}</h2>
          <p className="soft"><Prose text={tag.description} /></p>
          {operations.filter((it) => it.tags?.includes(tag.name)).map((it) => (
            <details key={it.method + it.path}>
              <summary><b className={it.method}>{it.method.toUpperCase()}</b> <code>{it.path}</code> <span className="soft"><Prose text={it.summary ?? it.description} /></span></summary>
              {it.description && it.summary && <p><Prose text={it.description} /></p>}
              {(it.parameters ?? []).length > 0 && (
                <table>
                  <thead><tr><th scope="col">Parameter</th><th scope="col">In</th><th scope="col">Meaning</th></tr></thead>
                  <tbody>{it.parameters!.map((one) => <tr key={one.name}><th scope="row"><code>{one.name}</code>{one.required && " *"}</th><td>{one.in}</td><td><Prose text={one.description} /></td></tr>)}</tbody>
                </table>
              )}
              {it.requestBody && <><h3>Body</h3>{Object.values(it.requestBody.content).map((one, at) => <Schema key={at} schema={one.schema} all={schemas} />)}</>}
              <h3>Answers</h3>
              <ul className="plain">
                {Object.entries(it.responses).map(([status, answer]) => (
                  <li key={status}><b>{status}</b> {answer.description} {Object.entries(answer.content ?? {}).map(([kind, one]) => <span key={kind}><span className="soft">{kind}</span> <Schema schema={one.schema} all={schemas} /></span>)}</li>
                ))}
              </ul>
            </details>
          ))}
        </section>
      ))}
    </>
  );
}

/** What stands between backticks is code. */
function Prose({ text = "" }: { text?: string }) {
  return text.split("`").map((part, at) => (at % 2 ? <code key={at}>{part}</code> : part));
}

function Schema({ schema, all }: { schema?: Json; all: Record<string, Json> }) {
  const name = typeof schema?.$ref === "string" ? schema.$ref.split("/").at(-1)! : undefined;
  if (!name) return schema && Object.keys(schema).length > 0 ? <JsonView value={schema} label="Schema" open={1} /> : null;
  return (
    <details className="inline">
      <summary><code>{name}</code></summary>
      <JsonView value={all[name] ?? {}} label={name} open={2} />
    </details>
  );
}
