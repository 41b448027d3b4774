import * as v from 'valibot';
import { KeyRequest, TenantKeyRequest } from '../protocol/api-keys.ts';
import { TenantRequest } from '../protocol/tenants.ts';
import * as a from './answers.ts';
import type { Section } from './operation.ts';

/** Keys and tenants: section 1 of the contract, and what a deployment is run by. */
export const forOperators: Section = {
  title: 'For operators',
  says: 'With one of the internal tokens, but for what says otherwise.',
  operations: [
    {
      method: 'get',
      path: '/admin',
      summary:
        'Who is here, what runs and how turns ended, by tenant (a token with a role, or a tenant’s key)',
      by: 'user',
      query: { tenant: 'One tenant', after: 'Where to go on: `next` of the page before' },
      answers: { 200: { says: 'The numbers', json: v.object({ tenants: v.array(a.Any), next: a.Any }) } },
    },
    {
      method: 'get',
      path: '/metrics',
      summary: 'The same numbers as Prometheus reads them (also with an internal token)',
      by: 'user',
      query: { tenant: 'One tenant', after: 'The last tenant of the page before' },
      answers: { 200: { says: 'The numbers', type: 'text/plain' } },
    },
    {
      method: 'post',
      path: '/internal/api-keys',
      summary: 'Makes an API key of a user, or of a tenant, which is shown once',
      by: 'upstream',
      body: { json: v.union([KeyRequest, TenantKeyRequest]) },
      answers: { 201: { says: 'The key', json: v.object({ id: v.string(), api_key: v.string() }) } },
    },
    {
      method: 'get',
      path: '/internal/api-keys',
      summary: 'The API keys, without the keys, the newest first',
      by: 'upstream',
      query: {
        tenant: 'Those of one tenant',
        user: 'Those of one user',
        before: 'Where to go on: `next` of the page before',
      },
      answers: { 200: { says: 'The list', json: v.object({ api_keys: v.array(a.Any), next: a.Any }) } },
    },
    {
      method: 'delete',
      path: '/internal/api-keys/{id}',
      summary: 'Takes an API key back, everywhere within a minute',
      by: 'upstream',
      answers: { 204: { says: 'It is gone' } },
    },
    {
      method: 'get',
      path: '/internal/tenants',
      summary: 'The tenants that have an upstream of their own',
      by: 'upstream',
      query: { after: 'Where to go on: `next` of the page before' },
      answers: { 200: { says: 'A page of them', json: v.object({ tenants: v.array(a.Any), next: a.Any }) } },
    },
    {
      method: 'get',
      path: '/internal/tenants/{tenant}',
      summary: 'The upstream of a tenant, without its secrets',
      by: 'upstream',
      answers: { 200: { says: 'The tenant', json: a.Any } },
    },
    {
      method: 'put',
      path: '/internal/tenants/{tenant}',
      summary: 'Gives a tenant an upstream of its own; what is secret and left out stays',
      by: 'upstream',
      body: { json: TenantRequest },
      answers: {
        200: { says: 'It was changed', json: a.Any },
        201: { says: 'It was made; a new webhook secret is shown once', json: a.Any },
      },
    },
    {
      method: 'delete',
      path: '/internal/tenants/{tenant}',
      summary: 'The tenant has the upstream of the variables again',
      by: 'upstream',
      answers: { 204: { says: 'It is gone' } },
    },
    {
      method: 'post',
      path: '/internal/tenants/{tenant}/webhook-secret',
      summary: 'A new secret for deliveries, shown once; the one before stays valid',
      by: 'upstream',
      answers: { 201: { says: 'The secret', json: v.object({ webhook_secret: v.string() }) } },
    },
    {
      method: 'post',
      path: '/internal/tenants/reseal',
      summary: 'Seals what is stored by the new `ENCRYPTION_KEY`',
      by: 'upstream',
      query: { after: 'Where to go on' },
      answers: { 200: { says: 'How far it went', json: a.Any } },
    },
  ],
};
