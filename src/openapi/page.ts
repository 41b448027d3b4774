import { toJsonSchema } from '@valibot/to-json-schema';
import type { GenericSchema } from 'valibot';
import { SECTIONS } from './document.ts';
import type { Operation, Section } from './operation.ts';

/** `/docs`: the same description for people. One page without scripts, which its CSP would refuse. */
export function docsPage(): string {
  const nav = SECTIONS.map(({ title }) => `<a href="#${anchor(title)}">${text(title)}</a>`).join('');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Starwire API</title>
<link rel="icon" href="/favicon.svg">
<link rel="stylesheet" href="/docs.css">
</head>
<body>
<header>
<h1>Starwire API</h1>
<p>Tokens and keys go into <code>Authorization: Bearer</code>. A refusal is <code>{"error": {"code", "message", "retryable"}}</code>
and names what is wrong. For machines: <a href="/openapi.json">openapi.json</a>.</p>
<nav aria-label="Sections">${nav}</nav>
</header>
<main>
${SECTIONS.map(section).join('\n')}
</main>
</body>
</html>
`;
}

function section({ title, says, operations }: Section): string {
  return `<section aria-labelledby="${anchor(title)}">
<h2 id="${anchor(title)}">${text(title)}</h2>
<p>${text(says)}</p>
${operations.map(operation).join('\n')}
</section>`;
}

function operation({ method, path, summary, query = {}, headers = {}, body, answers }: Operation): string {
  const rows = [
    ...Object.entries(query).map(([name, says]) => [`?${name}`, says]),
    ...Object.entries(headers).map(([name, says]) => [`${name}:`, says]),
    ...(body && 'json' in body ? fields(body.json) : []),
    ...(body && 'type' in body ? [[body.type, body.says]] : []),
  ];
  const list = rows.map(
    ([name = '', says = '']) => `<dt><code>${text(name)}</code></dt><dd>${text(says)}</dd>`,
  );
  const ends = Object.entries(answers).map(
    ([status, { says, json }]) => `<li><b>${status}</b> ${text(says)}${json ? fieldNames(json) : ''}</li>`,
  );
  return `<article>
<h3><span class="method ${method}">${method.toUpperCase()}</span> <code>${text(path)}</code></h3>
<p>${text(summary)}</p>
${list.length === 0 ? '' : `<dl>${list.join('')}</dl>`}
<ul>${ends.join('')}</ul>
</article>`;
}

interface Node {
  type?: string;
  properties?: Record<string, Node>;
  required?: string[];
  anyOf?: Node[];
  allOf?: Node[];
  items?: Node;
  enum?: unknown[];
  const?: unknown;
}

function nodeOf(schema: GenericSchema): Node {
  return toJsonSchema(schema, { typeMode: 'input', errorMode: 'ignore' }) as Node;
}

function fields(schema: GenericSchema): string[][] {
  const { properties = {}, required = [] } = nodeOf(schema);
  return Object.entries(properties).map(([name, node]) => [
    required.includes(name) ? name : `${name}?`,
    kindOf(node),
  ]);
}

function kindOf({ type, anyOf, enum: choices, const: only, items }: Node): string {
  if (only !== undefined) return JSON.stringify(only);
  if (choices) return choices.map((one) => JSON.stringify(one)).join(' | ');
  if (anyOf) return anyOf.map(kindOf).join(' | ');
  if (type === 'array') return `list of ${items ? kindOf(items) : 'anything'}`;
  return type ?? 'any JSON';
}

function fieldNames(schema: GenericSchema): string {
  const names = Object.keys(nodeOf(schema).properties ?? {});
  return names.length === 0 ? '' : ` <code>{${text(names.join(', '))}}</code>`;
}

function anchor(title: string): string {
  return title.toLowerCase().replaceAll(/[^a-z]+/g, '-');
}

/** Escaped; what stands between backticks is code. */
function text(value: string): string {
  return value
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll(/`([^`]+)`/g, '<code>$1</code>');
}
