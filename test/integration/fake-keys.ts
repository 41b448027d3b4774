import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from 'jose';

/** A key of an identity provider. */
export interface ProviderKey {
  jwk: JWK;
  sign(claims: JWTPayload): Promise<string>;
}

export async function providerKey(kid: string, alg: 'RS256' | 'ES256' = 'ES256'): Promise<ProviderKey> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  return {
    jwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' },
    sign: (claims) =>
      new SignJWT({ exp: Math.floor(Date.now() / 1000) + 86_400, ...claims })
        .setProtectedHeader({ alg, kid })
        .sign(privateKey),
  };
}

/** An identity provider's key server over real HTTP, with faults. */
export class FakeKeys {
  readonly #server = createServer();
  #asked = 0;
  keys: ProviderKey[];
  /** How it answers instead, if it is not well. */
  fault: ((response: ServerResponse) => void) | undefined;

  private constructor(keys: ProviderKey[]) {
    this.keys = keys;
  }

  static async start(...keys: ProviderKey[]): Promise<FakeKeys> {
    const fake = new FakeKeys(keys);
    fake.#server.on('request', (_, response) => {
      fake.#asked += 1;
      if (fake.fault) return fake.fault(response);
      response
        .setHeader('content-type', 'application/json')
        .end(JSON.stringify({ keys: fake.keys.map(({ jwk }) => jwk) }));
    });
    await once(fake.#server.listen(0, '127.0.0.1'), 'listening');
    return fake;
  }

  /** How often the keys were asked for. */
  get asked(): number {
    return this.#asked;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/keys`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
