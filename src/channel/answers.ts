import { StarwireError } from '../protocol/errors.ts';
import type { PromptFrame } from '../protocol/server-frames.ts';

/** Bytes of JSON of an answer. */
const ANSWER_JSON = 65_536;

/** Checks an answer against its prompt (P-WS-10: only the first valid answer counts). Throws `bad_request`. */
export function requireValidAnswer({ kind, choices, schema }: PromptFrame, value: unknown): void {
  if (value === undefined) refuse('is missing');
  if (JSON.stringify(value).length > ANSWER_JSON)
    throw new StarwireError('too_large', '"value" is too large', { field: 'value' });
  const offered = choices?.map((choice) => (typeof choice === 'string' ? choice : choice.value));
  switch (kind) {
    case 'choice':
      if (!offered?.some((choice) => choice === value)) refuse('is not one of the choices');
      return;
    case 'approval':
      if (
        offered
          ? !offered.some((choice) => choice === value)
          : typeof value !== 'boolean' && value !== 'approve' && value !== 'deny'
      ) {
        refuse(offered ? 'is not one of the choices' : 'must be true, false, "approve" or "deny"');
      }
      return;
    case 'text':
      if (typeof value !== 'string') refuse('must be a text');
      return;
    case 'form':
      requireForm(schema ?? {}, value);
      return;
    default:
      kind satisfies never;
  }
}

/** What a form's JSON schema says of its top level: required properties, their types and enumerations. */
function requireForm(schema: Record<string, unknown>, value: unknown): void {
  if (!isRecord(value)) refuse('must be an object');
  const required = Array.isArray(schema.required) ? schema.required : [];
  for (const name of required) if (typeof name === 'string' && !(name in value)) refuse(`lacks "${name}"`);
  const properties = isRecord(schema.properties) ? schema.properties : {};
  for (const [name, property] of Object.entries(properties)) {
    if (!isRecord(property) || !(name in value)) continue;
    if (typeof property.type === 'string' && !hasType(property.type, value[name]))
      refuse(`: "${name}" is not of type ${property.type}`);
    if (Array.isArray(property.enum) && !property.enum.includes(value[name]))
      refuse(`: "${name}" is not one of its choices`);
  }
}

function hasType(type: string, value: unknown): boolean {
  if (type === 'integer') return Number.isInteger(value);
  if (type === 'array') return Array.isArray(value);
  if (type === 'object') return isRecord(value);
  if (type === 'null') return value === null;
  return typeof value === type;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function refuse(why: string): never {
  throw new StarwireError('bad_request', `"value" ${why}`, { field: 'value' });
}
