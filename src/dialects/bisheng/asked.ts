import type { PromptFrame } from '../../protocol/server-frames.ts';

/** A value that can be chosen, and what the page shows for it. */
export interface Option {
  id: string;
  label: string;
  value: string;
}

const YES_NO: readonly Option[] = [
  { id: 'approve', label: 'approve', value: 'approve' },
  { id: 'deny', label: 'deny', value: 'deny' },
];

/** What a question offers; undefined where it is answered in words. */
export function optionsOf({ kind, choices }: PromptFrame): readonly Option[] | undefined {
  if (!choices) return kind === 'approval' ? YES_NO : undefined;
  return choices.map((choice) => {
    const { value, label = value } = typeof choice === 'string' ? { value: choice } : choice;
    return { id: value, label, value };
  });
}

/** A field of a form as the page draws it. */
interface Field {
  key: string;
  type: 'text' | 'select';
  value: string;
  label: string;
  required: boolean;
  multiple: boolean;
  options: readonly { id: string; text: string }[];
}

/** The fields of a form's JSON schema, at its top level. */
export function fieldsOf({ schema = {} }: PromptFrame): Field[] {
  const required = Array.isArray(schema.required) ? schema.required : [];
  return Object.entries(propertiesOf(schema)).map(([key, property]) => {
    const choices = Array.isArray(property.enum) ? property.enum.map(String) : undefined;
    return {
      key,
      type: choices ? 'select' : 'text',
      value: '',
      label: typeof property.title === 'string' ? property.title : key,
      required: required.includes(key),
      multiple: false,
      options: (choices ?? []).map((text) => ({ id: text, text })),
    };
  });
}

/** What a form's page sends are texts: those of numbers and of yes or no become what the schema asks for. */
export function formOf({ schema = {} }: PromptFrame, data: Record<string, unknown>): Record<string, unknown> {
  const properties = propertiesOf(schema);
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, typed(properties[key], value)]));
}

function typed(property: Record<string, unknown> | undefined, value: unknown): unknown {
  if (typeof value !== 'string') return value;
  const { type } = property ?? {};
  if ((type === 'number' || type === 'integer') && value.trim() !== '' && Number.isFinite(Number(value)))
    return Number(value);
  if (type === 'boolean' && (value === 'true' || value === 'false')) return value === 'true';
  return value;
}

function propertiesOf(schema: Record<string, unknown>): Record<string, Record<string, unknown>> {
  const { properties } = schema;
  return Object.fromEntries(Object.entries(isRecord(properties) ? properties : {}).filter(hasRecord));
}

function hasRecord(entry: [string, unknown]): entry is [string, Record<string, unknown>] {
  return isRecord(entry[1]);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
