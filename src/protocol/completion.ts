import * as v from 'valibot';

/** A `/v1/chat/completions` body. Unknown fields are accepted and passed on; these are the ones the gateway itself reads. */
export const Completion = v.looseObject({
  model: v.optional(v.nullable(v.pipe(v.string(), v.maxLength(256, 'has more than 256 characters')))),
  messages: v.pipe(v.array(v.looseObject({ role: v.string() })), v.minLength(1, 'is empty')),
  stream: v.optional(v.nullable(v.boolean())),
  stream_options: v.optional(
    v.nullable(v.looseObject({ include_usage: v.optional(v.nullable(v.boolean())) })),
  ),
});
