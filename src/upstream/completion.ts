import * as v from 'valibot';
import type { Delivery } from '../protocol/delivery.ts';

const Request = v.looseObject({ messages: v.array(v.looseObject({ role: v.string() })) });
const TextPart = v.object({ type: v.literal('text'), text: v.string() });

/** The delivery of a `/v1` request with the body it was stored without, and what the user said last as its text. */
export function completion(delivery: Delivery, body: string): Delivery {
  const request: unknown = JSON.parse(body);
  const messages = v.is(Request, request) ? request.messages : [];
  return { ...delivery, request, text: lastUserText(messages) };
}

function lastUserText(messages: { role: string; [field: string]: unknown }[]): string {
  const content = messages.findLast(({ role }) => role === 'user')?.content;
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content.flatMap((part) => (v.is(TextPart, part) ? [part.text] : [])).join('\n');
}
