import { describe, expect, test } from 'vitest';
import { dialects } from '../../src/routes/dialects.ts';
import { appOf } from '../../src/routes/root.ts';
import * as spoken from '../../src/routes/spoken.ts';
import { request } from './harness.ts';

/** Development's own, and the page: its addresses, and what it asks before anybody signs in. */
const UNDESCRIBED = /^\/(?:dev\/|\*$|new$|c\/|settings\.json$)/;

/** What clients of other systems connect to is theirs to describe. */
const THEIRS = new Set(dialects(spoken).routes.map(({ path }) => path));

interface Document {
  openapi: string;
  paths: Record<string, Record<string, { summary: string; responses: object }>>;
}

describe('/openapi.json', () => {
  test('describes every route, and no other', async () => {
    const response = await request('/openapi.json');
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/json']);
    const { paths, openapi } = await response.json<Document>();
    expect(openapi).toBe('3.1.0');
    const described = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const real = appOf(spoken)
      .routes.filter(({ method, path }) => method !== 'ALL' && !UNDESCRIBED.test(path) && !THEIRS.has(path))
      .map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}`);
    expect([...new Set(described)].sort()).toEqual([...new Set(real)].sort());
  });

  test('names the fields of a body and which are required', async () => {
    const document = await (await request('/openapi.json')).json<Document>();
    expect(document.paths['/api/messages']?.['post']).toMatchObject({
      requestBody: {
        required: true,
        content: {
          'application/json': {
            schema: { required: ['client_id', 'text'], properties: { text: { type: 'string' } } },
          },
        },
      },
      responses: { 202: { description: expect.any(String) }, default: expect.any(Object) },
    });
  });
});

describe('/docs', () => {
  test('is a page of our own, without scripts, under the page’s CSP', async () => {
    const response = await request('/docs');
    expect([response.status, response.headers.get('content-type')]).toEqual([
      200,
      'text/html; charset=utf-8',
    ]);
    expect(response.headers.get('content-security-policy')).toContain("default-src 'none'");
    const html = await response.text();
    expect(html).not.toMatch(/<script|style=|https?:\/\//);
    for (const [, href = ''] of html.matchAll(/href="(\/[^"]*)"/g))
      expect((await request(href)).status, href).toBe(200);
    expect(html).toContain('/api/conversations/{id}/messages');
  });
});
