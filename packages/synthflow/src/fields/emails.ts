/** E-mail addresses: whether a text is one, and whether a variable's name says that it holds the caller's. */

const ADDRESS =
  /^[^\s@<>()[\],;:"\\]{1,64}@(?:[\p{L}\p{N}](?:[\p{L}\p{N}-]{0,61}[\p{L}\p{N}])?\.)+\p{L}[\p{L}\p{N}-]{1,62}$/u;
/** RFC 5321 §4.5.3.1.3 */
const MAX_LENGTH = 254;

/** Lower-case address, or undefined. What was spelled out (`dana at example dot com`) is not guessed at. */
export function readEmail(text: string): string | undefined {
  if (text.length > MAX_LENGTH + 16) return undefined;
  const address = text
    .trim()
    .replace(/^mailto:/i, '')
    .replace(/\.$/, '')
    .toLowerCase();
  if (address.length > MAX_LENGTH || address.includes('..') || !ADDRESS.test(address)) return undefined;
  return address.startsWith('.') || address.includes('.@') ? undefined : address;
}

const EMAIL_WORDS: ReadonlySet<string> = new Set(['email', 'mail', 'correo', 'courriel', 'emailaddress']);
/** Words that may stand beside it and still mean the person on the other end; `agent_email` means another one. */
const OWN_WORDS: ReadonlySet<string> = new Set(
  'e address id user lead customer caller client contact person personal patient guest prospect my your their electronico'.split(
    ' ',
  ),
);

/** `email`, `user_email`, `E-Mail Address`, `customerEmail`; not `agent_email`, not `email_consent`. */
export function namesEmail(variable: string): boolean {
  if (variable.length > 80) return false;
  const words = variable
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '');
  return (
    words.some((word) => EMAIL_WORDS.has(word)) && words.every((word) => EMAIL_WORDS.has(word) || OWN_WORDS.has(word))
  );
}
