/** The part of JSON Schema that a form can ask for: an object of texts, numbers, choices and yes-or-no. */
export interface FormField {
  name: string;
  title: string;
  description: string;
  input: 'text' | 'email' | 'url' | 'date' | 'lines' | 'number' | 'integer' | 'boolean' | 'choice' | 'json';
  /** The values of a choice, and how they are called. */
  options: { value: unknown; label: string }[];
  required: boolean;
  initial: unknown;
  min?: number;
  max?: number;
}

type Schema = Readonly<Record<string, unknown>>;

function isSchema(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

const FORMATS: Readonly<Record<string, FormField['input']>> = {
  email: 'email',
  uri: 'url',
  url: 'url',
  date: 'date',
};

/** A text of more than this is written on several lines. */
const LINES_FROM = 200;

function inputOf(schema: Schema): FormField['input'] {
  if (optionsOf(schema).length > 0) return 'choice';
  const { type, format, maxLength } = schema;
  if (type === 'boolean' || type === 'number' || type === 'integer') return type;
  if (type === 'array' || type === 'object') return 'json';
  if (format === 'textarea' || format === 'multiline') return 'lines';
  return (
    FORMATS[text(format)] ?? (typeof maxLength === 'number' && maxLength > LINES_FROM ? 'lines' : 'text')
  );
}

function optionsOf({ enum: values, oneOf }: Schema): FormField['options'] {
  if (Array.isArray(values)) return values.map((value: unknown) => ({ value, label: String(value) }));
  if (!Array.isArray(oneOf)) return [];
  return oneOf
    .filter(isSchema)
    .filter((one) => 'const' in one)
    .map((one) => ({ value: one['const'], label: text(one['title']) || String(one['const']) }));
}

/** `delivery_date` → `Delivery date`. */
function titleOf(name: string): string {
  const words = name.replace(/([a-z])([A-Z])/g, '$1 $2').replace(/[_-]+/g, ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

export function fieldsOf(schema: Schema): FormField[] {
  const properties = isSchema(schema['properties']) ? schema['properties'] : {};
  const required = Array.isArray(schema['required']) ? schema['required'] : [];
  return Object.entries(properties)
    .filter((entry): entry is [string, Schema] => isSchema(entry[1]))
    .map(([name, property]) => ({
      name,
      title: text(property['title']) || titleOf(name),
      description: text(property['description']),
      input: inputOf(property),
      options: optionsOf(property),
      required: required.includes(name),
      initial: property['default'],
      ...(typeof property['minimum'] === 'number' ? { min: property['minimum'] } : {}),
      ...(typeof property['maximum'] === 'number' ? { max: property['maximum'] } : {}),
    }));
}

/** The answer that a filled form means; what was left empty is left out. */
export function answerOf(fields: readonly FormField[], entries: FormData): Record<string, unknown> {
  const answer: Record<string, unknown> = {};
  for (const field of fields) {
    const raw = entries.get(field.name);
    if (field.input === 'boolean') answer[field.name] = raw !== null;
    else if (typeof raw === 'string' && raw !== '') answer[field.name] = readField(field, raw);
  }
  return answer;
}

function readField({ input, options }: FormField, raw: string): unknown {
  if (input === 'number' || input === 'integer') return Number(raw);
  // Choices travel by their place in the list: their values may be of any type.
  if (input === 'choice') return options[Number(raw)]?.value;
  if (input !== 'json') return raw;
  try {
    return JSON.parse(raw);
  } catch {
    return raw;
  }
}
