// How a form of a schema is laid out: labels over fields, words on buttons, problems under what they are about.

import type {
  ArrayFieldItemButtonsTemplateProps, ArrayFieldTemplateProps, FieldErrorProps, FieldTemplateProps,
  FormContextType, IconButtonProps, MultiSchemaFieldTemplateProps, ObjectFieldTemplateProps, RJSFSchema, RJSFValidationError, TemplatesType, WidgetProps,
} from "@rjsf/utils";
import type { Json } from "../api";
import { KINDS } from "../model/form";

function Field({ id, label, required, hidden, displayLabel, description, errors, children, schema, uiSchema, registry }: FieldTemplateProps<Json>) {
  if (hidden) return <div hidden>{children}</div>;
  const list = schema.type === "object" || (schema.type === "array" && !registry.schemaUtils.isMultiSelect(schema));
  const check = schema.type === "boolean" && uiSchema?.["ui:widget"] === undefined;
  return (
    <div className={check ? "field check" : "field"}>
      {displayLabel && !list && !check && <label htmlFor={id}>{label}{required && <span className="required" title="needed"> *</span>}</label>}
      {displayLabel && !list && !check && description}
      {children}
      {errors}
    </div>
  );
}

function Fields({ title, description, properties, fieldPathId, optionalDataControl }: ObjectFieldTemplateProps<Json>) {
  const outer = fieldPathId.path.length === 0;
  const all = properties.filter((it) => !it.hidden).map((it) => it.content);
  if (outer) return <div className="fields">{all}{optionalDataControl}</div>;
  return (
    <fieldset className="group">
      {title && <legend>{title}</legend>}
      {description && <p className="about-field">{description}</p>}
      {all}
      {optionalDataControl}
    </fieldset>
  );
}

function List({ title, items, canAdd, onAddClick, schema, required, disabled, readonly }: ArrayFieldTemplateProps<Json>) {
  return (
    <fieldset className="group">
      <legend>{title}{required && <span className="required" title="needed"> *</span>}</legend>
      {schema.description && <p className="about-field">{schema.description}</p>}
      {items}
      {items.length === 0 && <p className="about-field">None yet.</p>}
      {canAdd && <button type="button" className="small" disabled={disabled || readonly} onClick={onAddClick}>Add to {title || "the list"}</button>}
    </fieldset>
  );
}

function Item({ children, buttonsProps, hasToolbar }: { children: React.ReactNode; buttonsProps: ArrayFieldItemButtonsTemplateProps<Json>; hasToolbar: boolean }) {
  const { hasMoveUp, hasMoveDown, hasRemove, onMoveUpItem, onMoveDownItem, onRemoveItem, disabled, readonly } = buttonsProps;
  const still = disabled || readonly;
  return (
    <div className="item">
      <div className="of-item">{children}</div>
      {hasToolbar && (
        <span className="actions">
          {(hasMoveUp || hasMoveDown) && <button type="button" className="quiet small" aria-label="Up" disabled={still || !hasMoveUp} onClick={onMoveUpItem}>↑</button>}
          {(hasMoveUp || hasMoveDown) && <button type="button" className="quiet small" aria-label="Down" disabled={still || !hasMoveDown} onClick={onMoveDownItem}>↓</button>}
          {hasRemove && <button type="button" className="quiet small" disabled={still} onClick={onRemoveItem}>Remove</button>}
        </span>
      )}
    </div>
  );
}

/** One of several forms, and its fields. */
function Either({ selector, optionSchemaField }: MultiSchemaFieldTemplateProps<Json>) {
  return (
    <div className="either">
      <label><span className="sr">Kind of value</span>{selector}</label>
      {optionSchemaField}
    </div>
  );
}

function Errors({ errors = [] }: FieldErrorProps<Json>) {
  const all = [...new Set(errors.map(String))];
  return all.length === 0 ? null : <p className="field-error" role="alert">{all.join("; ")}</p>;
}

const Add = ({ onClick, disabled }: IconButtonProps<Json>) => <button type="button" className="small" disabled={disabled} onClick={onClick}>Add a field</button>;
const Remove = ({ onClick, disabled }: IconButtonProps<Json>) => <button type="button" className="quiet small" disabled={disabled} onClick={onClick}>Remove</button>;

/** Yes, no, or neither yet. */
export function YesOrNo({ id, value, onChange, disabled, readonly, rawErrors }: WidgetProps<Json>) {
  return (
    <span className="choices" role="radiogroup" id={id} tabIndex={-1} aria-invalid={!!rawErrors?.length}>
      {([true, false] as const).map((it) => (
        <label key={String(it)}>
          <input type="radio" name={id} checked={value === it} disabled={disabled || readonly} onChange={() => onChange(it)} /> {it ? "Yes" : "No"}
        </label>
      ))}
    </span>
  );
}

export const TEMPLATES = {
  FieldTemplate: Field,
  ObjectFieldTemplate: Fields,
  ArrayFieldTemplate: List,
  ArrayFieldItemTemplate: Item,
  FieldErrorTemplate: Errors,
  MultiSchemaFieldTemplate: Either,
  DescriptionFieldTemplate: ({ description }: { description?: React.ReactNode }) => (description ? <p className="about-field">{description}</p> : null),
  ErrorListTemplate: () => null,
} as unknown as Partial<TemplatesType<Json, RJSFSchema, FormContextType>>;

export const BUTTONS = { AddButton: Add, RemoveButton: Remove };

type Problem = RJSFValidationError & { params?: Record<string, unknown> };

/** What a check has found, in words. */
export function inWords(errors: RJSFValidationError[]): RJSFValidationError[] {
  return (errors as Problem[]).map((it) => ({ ...it, message: said(it) ?? it.message }));
}

function said({ name, params = {} }: Problem): string | undefined {
  const { limit } = params;
  switch (name) {
    case "required": return "is needed";
    case "minimum": return `must be at least ${limit}`;
    case "maximum": return `must be at most ${limit}`;
    case "exclusiveMinimum": return `must be more than ${limit}`;
    case "exclusiveMaximum": return `must be less than ${limit}`;
    case "minLength": return limit === 1 ? "must not be empty" : `must have at least ${limit} letters`;
    case "maxLength": return `must have at most ${limit} letters`;
    case "minItems": return `must have at least ${limit}`;
    case "maxItems": return `must have at most ${limit}`;
    case "uniqueItems": return "must not have the same twice";
    case "multipleOf": return `must be a multiple of ${params.multipleOf}`;
    case "pattern": return `must look like ${params.pattern}`;
    case "format": return `must be a ${String(params.format).replace("-", " ")}`;
    case "type": return `must be ${KINDS[String(params.type)] ?? params.type}`;
    case "enum": return "must be one of those offered";
    case "const": return `must be ${JSON.stringify(params.allowedValue)}`;
    case "anyOf": case "oneOf": return "fits none of the forms that it may have";
    case "additionalProperties": return `must not have a field ${params.additionalProperty}`;
    default: return undefined;
  }
}

