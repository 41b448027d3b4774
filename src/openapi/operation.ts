import type { GenericSchema } from 'valibot';

/** What an answer carries: JSON of a schema, or something else by its media type. */
export interface Answer {
  says: string;
  json?: GenericSchema;
  type?: string;
}

/** One route, as `/openapi.json` and `/docs` describe it. */
export interface Operation {
  method: 'get' | 'post' | 'put' | 'patch' | 'delete';
  /** With `{name}` for what varies. */
  path: string;
  summary: string;
  /** Who may call it. */
  by: 'user' | 'upstream' | 'anybody';
  /** Parameters of the query and headers, each with what it means. */
  query?: Readonly<Record<string, string>>;
  headers?: Readonly<Record<string, string>>;
  body?: { json: GenericSchema; optional?: boolean } | { type: string; says: string };
  /** By status. */
  answers: Readonly<Record<number, Answer>>;
}

export interface Section {
  title: string;
  says: string;
  operations: readonly Operation[];
}
