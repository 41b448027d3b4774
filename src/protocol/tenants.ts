import * as v from 'valibot';

/** Bytes of a secret that signs deliveries. */
export const MIN_WEBHOOK_SECRET_BYTES = 24;

const Name = v.pipe(v.string('is not a text'), v.maxLength(256, 'has more than 256 characters'));
const ModelName = v.pipe(
  v.string('is not a text'),
  v.minLength(1, 'is empty'),
  v.maxLength(256, 'has more than 256 characters'),
);
const Model = v.union(
  [
    v.pipe(
      ModelName,
      v.transform((id) => ({ id })),
    ),
    v.strictObject({ id: ModelName, upstream: v.optional(ModelName) }),
  ],
  'is neither a name nor {id, upstream?}',
);
const Url = v.pipe(v.string('is not a text'), v.maxLength(2_048, 'has more than 2048 characters'));
/** What a header may carry. */
const ApiKey = v.pipe(
  v.string('is not a text'),
  v.regex(/^[\x21-\x7e]{1,4096}$/, 'is not a key of 1 to 4096 printable ASCII characters'),
);
const WebhookSecret = v.pipe(
  v.string('is not a text'),
  v.regex(
    new RegExp(`^[\\x21-\\x7e]{${MIN_WEBHOOK_SECRET_BYTES},512}$`),
    `is not a secret of ${MIN_WEBHOOK_SECRET_BYTES} to 512 printable ASCII characters`,
  ),
);

const Offer = {
  model: v.optional(ModelName),
  models: v.optional(
    v.pipe(
      v.array(Model, 'is not a list'),
      v.maxLength(200, 'has more than 200 entries'),
      v.check((all) => new Set(all.map(({ id }) => id)).size === all.length, 'names a model twice'),
    ),
    [],
  ),
};

/** `PUT /internal/tenants/{tenant}`. */
export const TenantRequest = v.strictObject({
  name: v.optional(Name),
  upstream: v.variant(
    'mode',
    [
      v.strictObject({ mode: v.literal('demo'), ...Offer }),
      v.strictObject({
        mode: v.literal('webhook'),
        url: Url,
        ...Offer,
        webhook_secrets: v.optional(
          v.pipe(
            v.array(WebhookSecret, 'is not a list'),
            v.minLength(1, 'is empty'),
            v.maxLength(3, 'has more than 3 entries'),
          ),
        ),
      }),
      v.strictObject({
        mode: v.literal('openai'),
        url: Url,
        ...Offer,
        /** `null`: none. */
        api_key: v.optional(v.nullable(ApiKey)),
      }),
    ],
    'must be demo, webhook or openai',
  ),
});

export type UpstreamRequest = v.InferOutput<typeof TenantRequest>['upstream'];
