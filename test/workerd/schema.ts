/** Every test file starts with a D1 of its own, and it with the schema. */
import { env } from 'cloudflare:workers';
import schema from '../../schema.sql?raw';

await env.DB.prepare(schema).run();
