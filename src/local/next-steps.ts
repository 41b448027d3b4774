import { SignJWT } from 'jose';

interface Secrets {
  AUTH_SECRET?: string;
  INTERNAL_TOKEN?: string;
  DEV_AUTH?: string;
}

/**
 * The lines that `npm start` prints once it is ready: a sign-in link, and a first call as an upstream makes it.
 * Without DEV_AUTH the server is not a plaything, and nothing secret goes to its output.
 */
export async function nextSteps(origin: string, secrets: Secrets): Promise<string[]> {
  if (secrets.DEV_AUTH !== 'true') return [];
  return [...(await signIn(origin, secrets)), ...outbound(origin, secrets)];
}

async function signIn(origin: string, { AUTH_SECRET }: Secrets): Promise<string[]> {
  if (!AUTH_SECRET) return []; // tokens come from AUTH_JWKS_URL alone
  const token = await developmentToken(AUTH_SECRET);
  return ['', 'Open the chat, signed in as "you" for twelve hours:', `  ${origin}/#token=${token}`];
}

function outbound(origin: string, { INTERNAL_TOKEN = '' }: Secrets): string[] {
  // Several may be given, for rotation; any of them will do.
  const [token = ''] = INTERNAL_TOKEN.split(',');
  return [
    '',
    'Speak to it from outside, as an inference service does:',
    `  curl ${origin}/internal/outbound -H 'Authorization: Bearer ${token.trim()}' \\`,
    `    -H 'Content-Type: application/json' \\`,
    `    -d '{"channel":"webchat:you","kind":"message","text":"Hello from curl"}'`,
    '',
  ];
}

function developmentToken(secret: string): Promise<string> {
  return new SignJWT({ name: 'You', tenant: 'default' })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setSubject('you')
    .setIssuedAt()
    .setExpirationTime('12h')
    .sign(new TextEncoder().encode(secret));
}
