import { toJsonSchema } from '@valibot/to-json-schema';
import type { GenericSchema } from 'valibot';
import { VERSION } from '../version.ts';
import { ErrorAnswer } from './answers.ts';
import { forClients } from './for-clients.ts';
import { forOpenAi } from './for-openai.ts';
import { forOperators } from './for-operators.ts';
import { forUpstreams } from './for-upstreams.ts';
import type { Answer, Operation } from './operation.ts';

export const SECTIONS = [forClients, forOpenAi, forUpstreams, forOperators];

/** Names in `{}` of a path. */
export function parametersOf(path: string): string[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);
}

/** Checks that JSON Schema has no words for are left out: the server names what is wrong. */
function schemaOf(schema: GenericSchema): object {
  const { $schema: _, ...rest } = toJsonSchema(schema, { typeMode: 'input', errorMode: 'ignore' });
  return rest;
}

function contentOf({ json, type }: Answer): object {
  if (json) return { content: { 'application/json': { schema: schemaOf(json) } } };
  return type === undefined ? {} : { content: { [type]: { schema: { type: 'string' } } } };
}

function described({ path, summary, by, query = {}, headers = {}, body, answers }: Operation, tag: string) {
  const given = (names: Readonly<Record<string, string>>, where: string) =>
    Object.entries(names).map(([name, description]) => ({
      name,
      in: where,
      description,
      schema: { type: 'string' },
    }));
  const parameters = [
    ...parametersOf(path).map((name) => ({ name, in: 'path', required: true, schema: { type: 'string' } })),
    ...given(query, 'query'),
    ...given(headers, 'header'),
  ];
  const responses = Object.entries(answers).map(([status, answer]) => [
    status,
    { description: answer.says, ...contentOf(answer) },
  ]);
  return {
    tags: [tag],
    summary,
    ...(by === 'anybody' ? { security: [] } : { security: [{ [by]: [] }] }),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            required: !('optional' in body && body.optional),
            content:
              'json' in body
                ? { 'application/json': { schema: schemaOf(body.json) } }
                : { [body.type]: { schema: { type: 'string', format: 'binary', description: body.says } } },
          },
        }),
    responses: {
      ...Object.fromEntries(responses),
      default: {
        description: 'A refusal, which names what is wrong',
        ...contentOf({ says: '', json: ErrorAnswer }),
      },
    },
  };
}

/** The machine-readable description of the HTTP side: OpenAPI 3.1. */
export function openApi(): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const { title, operations } of SECTIONS)
    for (const operation of operations)
      paths[operation.path] = { ...paths[operation.path], [operation.method]: described(operation, title) };
  return {
    openapi: '3.1.0',
    info: {
      title: 'Starwire',
      version: VERSION,
      description: 'The delivery layer of AI chat, at the edge. Frames of the socket: docs/protocol.md.',
    },
    tags: SECTIONS.map(({ title: name, says: description }) => ({ name, description })),
    paths,
    components: {
      securitySchemes: {
        user: { type: 'http', scheme: 'bearer', description: 'A user token (JWT) or an API key' },
        upstream: { type: 'http', scheme: 'bearer', description: 'An internal token' },
      },
    },
  };
}
