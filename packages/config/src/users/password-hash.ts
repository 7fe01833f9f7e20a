import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';

const derive = promisify<string, Buffer, number, ScryptOptions, Buffer>(scrypt);

/** OWASP's parameters for scrypt (https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html): 32 MB, some 0.2 s. */
const COST = { N: 2 ** 15, r: 8, p: 3 };
const MEMORY = 64 * 2 ** 20;
const [SALT_BYTES, KEY_BYTES] = [16, 32];
/** `scrypt$15$8$3$<salt>$<key>`: log2 of N, r, p, then base64url. */
const WRITTEN = /^scrypt\$(\d{2})\$(\d{1,2})\$(\d{1,2})\$([\w-]{22})\$([\w-]{43})$/;

/** The hash of a password, with a salt of its own and what it takes to check it. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const key = await derive(password, salt, KEY_BYTES, { ...COST, maxmem: MEMORY });
  const { N, r, p } = COST;
  return ['scrypt', Math.log2(N), r, p, salt.toString('base64url'), key.toString('base64url')].join('$');
}

/** Whether a text is a hash as `hashPassword` makes them, and takes no more memory than those. */
export function isPasswordHash(text: string): boolean {
  const [, N = '0', r = '0', p = '0'] = WRITTEN.exec(text) ?? [];
  return Number(N) >= 14 && Number(N) <= 15 && Number(r) === 8 && Number(p) >= 1 && Number(p) <= 10;
}

/** @returns whether it is the password of the hash; false for what is no hash */
export async function isPasswordOf(password: string, hash: string): Promise<boolean> {
  const [, N, r, p, salt = '', key = ''] = WRITTEN.exec(hash) ?? [];
  if (!isPasswordHash(hash)) return false;
  const cost = { N: 2 ** Number(N), r: Number(r), p: Number(p), maxmem: MEMORY };
  const made = await derive(password, Buffer.from(salt, 'base64url'), KEY_BYTES, cost);
  return timingSafeEqual(made, Buffer.from(key, 'base64url'));
}
