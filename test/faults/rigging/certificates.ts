import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import type { Certificate } from './proxy.ts';

/** A certificate of `localhost` that has signed itself, made by openssl, in this folder. @throws Error where there is no openssl */
export function makeCertificate(folder: string, name: string): Certificate {
  const [key, cert] = [join(folder, `${name}.key`), join(folder, `${name}.pem`)];
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
  const made = [
    'req',
    '-x509',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-days',
    '2',
    '-keyout',
    key,
    '-out',
    cert,
    ...subject,
  ];
  execFileSync('openssl', made, { stdio: 'pipe' });
  return { key, cert };
}
