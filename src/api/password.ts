import { argon2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';

const hash = promisify(argon2);

/** OWASP's recommendation for argon2id: 19 MiB, two passes, one lane; 37 ms on the build machine. */
const PARAMETERS = { parallelism: 1, tagLength: 32, memory: 19_456, passes: 2 };

/** `argon2id$memory$passes$salt$tag`, base64url. */
export async function hashPassword(password: string): Promise<string> {
  const nonce = randomBytes(16);
  const tag = await hash('argon2id', { ...PARAMETERS, message: password, nonce });
  return [
    'argon2id',
    PARAMETERS.memory,
    PARAMETERS.passes,
    nonce.toString('base64url'),
    tag.toString('base64url'),
  ].join('$');
}

/** Compares in constant time; a hash that cannot be read matches nothing. */
export async function verifyPassword(password: string, stored: string): Promise<boolean> {
  const [kind, memory, passes, nonce, tag] = stored.split('$');
  if (kind !== 'argon2id' || nonce === undefined || tag === undefined) return false;
  const expected = Buffer.from(tag, 'base64url');
  const actual = await hash('argon2id', {
    parallelism: PARAMETERS.parallelism,
    tagLength: expected.length,
    memory: Number(memory),
    passes: Number(passes),
    message: password,
    nonce: Buffer.from(nonce, 'base64url'),
  });
  return timingSafeEqual(actual, expected);
}
