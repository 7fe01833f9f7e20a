import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import {
  hashPassword,
  isPasswordHash,
  isPasswordOf,
  readUsers,
  usersFile,
  watchUsers,
  writeUsers,
} from '@wrapup/config';
import { afterAll, describe, expect, it } from 'vitest';

const folder = mkdtempSync(join(tmpdir(), 'wrapup-users-'));
afterAll(() => rmSync(folder, { recursive: true }));
const file = join(folder, 'users.yaml');

describe('the file of users', () => {
  it('stands beside wrapup.yaml, or where WRAPUP_USERS says', () => {
    expect(usersFile('/etc/wrapup/wrapup.yaml', {})).toBe('/etc/wrapup/users.yaml');
    expect(usersFile(undefined, { WRAPUP_CONFIG: 'conf/w.yaml' })).toBe(resolve('conf/users.yaml'));
    expect(usersFile(undefined, {})).toBe(resolve('config/users.yaml'));
    expect(usersFile('/etc/wrapup/wrapup.yaml', { WRAPUP_USERS: '/run/users.yaml' })).toBe('/run/users.yaml');
  });

  it('is read as it is written, also after it changed, and lets no one in while it is wrong', async () => {
    const password = await hashPassword('correct horse battery staple');
    const errors: Error[] = [];
    const users = watchUsers(file, (error) => errors.push(error));
    expect(users()).toEqual({});
    const dana = { role: 'operator' as const, client: 'acme', password };
    writeFileSync(file, writeUsers({ dana }));
    expect(users()).toEqual({ dana });
    expect(users()).toBe(users());
    for (const [text, said] of [
      ['dana: [', 'users.yaml'],
      [writeUsers({ dana: { ...dana, password: 'hunter2' } }), 'dana.password: is no hash'],
      [writeUsers({ dana: { ...dana, client: 'A b' } }), 'dana.client'],
      [`dana: { role: owner, password: ${password} }`, 'dana.role'],
      [`"a:b": { role: viewer, password: ${password} }`, 'a:b: Invalid key'],
    ] as const) {
      writeFileSync(file, text);
      expect(users()).toEqual({});
      expect(errors.pop()?.message).toContain(said);
      expect(() => readUsers(file)).toThrow();
    }
    writeFileSync(file, writeUsers({ dana }));
    expect(users()).toEqual({ dana });
  });
});

describe('the hash of a password', () => {
  it('fits to the password alone, and is another each time', async () => {
    const [one, two] = [await hashPassword('a'), await hashPassword('a')];
    expect(one).not.toBe(two);
    expect(isPasswordHash(one)).toBe(true);
    expect([await isPasswordOf('a', one), await isPasswordOf('a', two), await isPasswordOf('b', one)]).toEqual([
      true,
      true,
      false,
    ]);
  });

  it('that would take any amount of memory is none', async () => {
    const hash = await hashPassword('a');
    for (const wrong of [hash.replace('$15$', '$24$'), hash.replace('$8$', '$99$'), 'scrypt', '', `${hash}x`]) {
      expect(isPasswordHash(wrong)).toBe(false);
      expect(await isPasswordOf('a', wrong)).toBe(false);
    }
  });
});
