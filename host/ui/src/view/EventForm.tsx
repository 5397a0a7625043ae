// An event's fields, as a form and as JSON: two views of one text.

import Form, { getDefaultRegistry } from "@rjsf/core";
import { asNumber, getDecimalSeparator, type FieldProps, type RJSFSchema, type ValidatorType } from "@rjsf/utils";
import validator from "@rjsf/validator-ajv8";
import { useId, useMemo, useState } from "react";
import type { Json } from "../api";
import { carried, exactly, formed, held, reckoned, typed, worded } from "../model/form";
import { parse, pretty } from "../model/json";
import { BUTTONS, inWords, TEMPLATES, YesOrNo } from "./form";

interface Props {
  schema: Json;
  /** The fields that are there already, as JSON. */
  initial?: string;
  action: string;
  submit: (text: string) => Promise<void>;
}

interface Fields {
  /** What it was before the form changed anything: a field that is emptied and filled again stays in its place. */
  base: string;
  text: string;
  /** As it is shown and typed as JSON. */
  raw: string;
}

export function EventForm({ schema, initial = "{}", action, submit }: Props) {
  const [{ base, text, raw }, setFields] = useState<Fields>(() => ({ base: initial, text: initial, raw: pretty(initial) }));
  const shown = useMemo(() => ({ ...(worded(formed(schema)) as Json), title: undefined }) as RJSFSchema, [schema]);
  const choices = useMemo(() => widgets(schema), [schema]);
  const value = useMemo(() => held(parse(text)) as Json, [text]);
  const fields = Object.keys((schema.properties as Json | undefined) ?? {});
  const [asJson, setAsJson] = useState(fields.length === 0);
  const [broken, setBroken] = useState<string>();
  // Problems are told of once somebody wants to send; before, they would only move what is about to be clicked.
  const [tried, setTried] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string>();
  const id = useId();

  const written = (raw: string) => {
    setFields({ base, text, raw });
    try {
      const value = parse(raw);
      if (value === null || typeof value !== "object" || Array.isArray(value)) return setBroken("An event is an object: { … }");
      setBroken(undefined);
      setFields({ base: raw, text: raw, raw });
    } catch (problem) {
      setBroken((problem as Error).message);
    }
  };
  const filled = (value: Json) => {
    const text = carried(base, value);
    setFields({ base, text, raw: pretty(text) });
    setBroken(undefined);
  };
  const send = async () => {
    setBusy(true);
    setError(undefined);
    try {
      await submit(text);
    } catch (problem) {
      setError((problem as Error).message);
    } finally {
      setBusy(false);
    }
  };
  return (
    <div className="event-form">
      <div className="switch" role="radiogroup" aria-label="How to write it">
        <button role="radio" aria-checked={!asJson} onClick={() => setAsJson(false)}>Form</button>
        <button role="radio" aria-checked={asJson} onClick={() => setAsJson(true)}>JSON</button>
      </div>
      {asJson ? (
        <form onSubmit={(event) => (event.preventDefault(), void send())}>
          <label className="sr" htmlFor={`${id}-raw`}>The event's fields as JSON</label>
          <textarea
            id={`${id}-raw`}
            className="raw"
            rows={Math.min(14, Math.max(4, raw.split("\n").length + 1))}
            spellCheck={false}
            value={raw}
            aria-invalid={!!broken}
            aria-describedby={broken ? `${id}-broken` : undefined}
            onChange={(event) => written(event.target.value)}
          />
          {broken && <p className="field-error" id={`${id}-broken`}>{broken}</p>}
          <button className="primary" disabled={busy || !!broken}>{action}</button>
        </form>
      ) : (
        <>
          {fields.length === 0 && <p className="soft">This event declares no fields; write any as JSON.</p>}
          <Form
            schema={shown}
            validator={reckoning}
            fields={FIELDS}
            uiSchema={choices}
            experimental_defaultFormStateBehavior={UNANSWERED}
            templates={{ ...TEMPLATES, ButtonTemplates: BUTTONS }}
            transformErrors={inWords}
            focusOnFirstError={intoView}
            formData={value}
            idPrefix={id}
            showErrorList={false}
            noHtml5Validate
            liveValidate={tried ? "onChange" : false}
            onError={() => setTried(true)}
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

/** The library would answer no for whoever has not answered. */
const UNANSWERED = { requiredBooleanDefault: "skip" } as const;

/** What must be yes or no, and is neither yet, is asked for: an empty box would look like a no, and be nothing. What may be
 * several of a few is a box for each. */
function widgets({ properties = {}, required = [] }: Json): Json {
  const own = (name: string, it: Json): unknown => {
    if (it.type === "boolean" && it.default === undefined && (required as string[]).includes(name)) return YesOrNo;
    return it.type === "array" && it.uniqueItems === true && Array.isArray((it.items as Json | undefined)?.enum) ? "checkboxes" : undefined;
  };
  const all = Object.entries(properties as Record<string, Json>).map(([name, it]) => [name, own(name, it)] as const);
  return Object.fromEntries(all.filter(([, widget]) => widget !== undefined).map(([name, widget]) => [name, { "ui:widget": widget }]));
}

/** The first problem: its field comes into view. */
function intoView({ property }: { property?: string }) {
  const name = (property ?? "").split(/[.[\]]/).filter(Boolean).join("_");
  const field = [...document.querySelectorAll<HTMLElement>(".event-form [id]")].find((it) => it.id.endsWith(`_${name}`));
  field?.scrollIntoView({ block: "center" });
  field?.focus();
}

/** Checks exact numbers as the numbers that they are nearest to. */
const reckoning: ValidatorType<Json> = {
  validateFormData: (data, ...rest) => validator.validateFormData(reckoned(data), ...rest),
  isValid: (schema, data, root) => validator.isValid(schema, reckoned(data), root),
  rawValidation: (schema, data) => validator.rawValidation(schema, reckoned(data)),
};

const StringField = getDefaultRegistry<Json>().fields.StringField!;

/** A field whose numbers stay as they are written: the library's own rounds them. */
function NumberField(props: FieldProps<Json>) {
  const { schema, formData, onChange } = props;
  // The library's input has the separator of the browser's language, where the browser's own has not.
  const separator = schema.type === "number" ? getDecimalSeparator() : ".";
  const given = exactly(formData) ?? (typeof formData === "number" && separator !== "." ? String(formData) : formData);
  const shown = typeof given === "string" ? given.replace(".", separator) : given;
  const change: typeof onChange = (value, ...rest) => {
    const text = typeof value === "string" ? (value as string).replace(separator, ".") : undefined;
    onChange((text === undefined ? value : typed(text) ?? asNumber(text)) as Json, ...rest);
  };
  return <StringField {...props} formData={shown as Json} onChange={change} />;
}

/** A text, or a number where the schema does not say what it is. */
function TextField(props: FieldProps<Json>) {
  const exact = exactly(props.formData);
  if (exact === undefined) return <StringField {...props} />;
  return <StringField {...props} formData={exact as unknown as Json} onChange={(value, ...rest) => props.onChange((typed(String(value)) ?? value) as Json, ...rest)} />;
}

const FIELDS = { NumberField, StringField: TextField };
