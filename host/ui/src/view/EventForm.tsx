// An event's fields, as a form and as JSON: two views of one value.

import Form from "@rjsf/core";
import type { RJSFSchema } from "@rjsf/utils";
import validator from "@rjsf/validator-ajv8";
import { useId, useState } from "react";
import type { Json } from "../api";

interface Props {
  schema: Json;
  initial?: Json;
  action: string;
  submit: (value: Json) => Promise<void>;
}

export function EventForm({ schema, initial, action, submit }: Props) {
  const [value, setValue] = useState<Json>(initial ?? {});
  const [text, setText] = useState(() => JSON.stringify(initial ?? {}, null, 2));
  const fields = Object.keys((schema.properties as Json | undefined) ?? {});
  const [raw, setRaw] = useState(fields.length === 0);
  const [broken, setBroken] = useState<string>();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string>();
  const id = useId();

  const typed = (text: string) => {
    setText(text);
    try {
      const value: unknown = JSON.parse(text);
      if (value === null || typeof value !== "object" || Array.isArray(value)) return setBroken("An event is an object: { … }");
      setBroken(undefined);
      setValue(value as Json);
    } catch (problem) {
      setBroken((problem as Error).message);
    }
  };
  const filled = (value: Json) => {
    setValue(value);
    setText(JSON.stringify(value, null, 2));
    setBroken(undefined);
  };
  const send = async () => {
    setBusy(true);
    setError(undefined);
    try {
      await submit(value);
    } catch (problem) {
      setError((problem as Error).message);
    } finally {
      setBusy(false);
    }
  };
  const shown = { ...schema, title: undefined } as RJSFSchema;
  return (
    <div className="event-form">
      <div className="switch" role="radiogroup" aria-label="How to write it">
        <button role="radio" aria-checked={!raw} onClick={() => setRaw(false)}>Form</button>
        <button role="radio" aria-checked={raw} onClick={() => setRaw(true)}>JSON</button>
      </div>
      {raw ? (
        <form onSubmit={(event) => (event.preventDefault(), void send())}>
          <label className="sr" htmlFor={`${id}-raw`}>The event's fields as JSON</label>
          <textarea
            id={`${id}-raw`}
            className="raw"
            rows={Math.min(14, Math.max(4, text.split("\n").length + 1))}
            spellCheck={false}
            value={text}
            aria-invalid={!!broken}
            aria-describedby={broken ? `${id}-broken` : undefined}
            onChange={(event) => typed(event.target.value)}
          />
          {broken && <p className="field-error" id={`${id}-broken`}>{broken}</p>}
          <button className="primary" disabled={busy || !!broken}>{action}</button>
        </form>
      ) : (
        <>
          {fields.length === 0 && <p className="soft">This event declares no fields; write any as JSON.</p>}
          <Form
            schema={shown}
            validator={validator}
            formData={value}
            idPrefix={id}
            showErrorList={false}
            liveValidate="onBlur"
            onChange={({ formData }) => filled((formData ?? {}) as Json)}
            onSubmit={() => void send()}
          >
            <button className="primary" type="submit" disabled={busy}>{action}</button>
          </Form>
        </>
      )}
      {error && <p className="field-error" role="alert">✗ {error}</p>}
    </div>
  );
}
