/**
 * Keeps personal data and secrets out of logs, whatever a caller passes: values by the name of their key, texts by what
 * they look like. A second line of defence; the first is not to log such things.
 */

const SECRET_KEY =
  /phone|e[-_]?mail|transcript|recording|authorization|cookie|token|secret|signature|passw|api[-_]?key|private[-_]?key|^(body|payload|lead|person|raw)$|^lead[-_]|(from|to|agent|caller)[-_]?number|^((first|last|full|given|family|caller|contact|display)[-_]?)?name$/i;

const EMAIL = /[^\s@<>"'(),;:[\]{}=]+@[^\s@<>"'(),;:[\]{}=]+\.[^\s@<>"'(),;:[\]{}=]+/g;
const INTERNATIONAL = /\+\d[\d\s().-]{5,}\d/g;
/** Ten digits or more in groups; not part of a UUID, a time, an address or a longer word. */
const NATIONAL = /(?<![\w.:@/-])\(?\d(?:[ ().-]{0,2}\d){9,14}(?![\w:@/-])/g;
const AN_ID_FOLLOWS = /\b(?:ids?|record|portalId|object\w*Id|correlationId)\W{0,3}$/i;

/** Levels below which a logged object is not looked into. */
const MAX_DEPTH = 6;
const MAX_TEXT_LENGTH = 2_000;

/** The text without e-mail addresses and telephone numbers, cut to 2,000 characters. Numbers announced as ids stay. */
export function maskText(text: string): string {
  const cut = text.length > MAX_TEXT_LENGTH ? `${text.slice(0, MAX_TEXT_LENGTH - 1)}…` : text;
  return cut
    .replace(EMAIL, '[e-mail]')
    .replace(INTERNATIONAL, '[number]')
    .replace(NATIONAL, (match, offset: number, whole: string) =>
      AN_ID_FOLLOWS.test(whole.slice(Math.max(0, offset - 20), offset)) ? match : '[number]',
    );
}

/** A copy of the fields in which the value of every key that names something personal or secret is `[redacted]`. */
export function redactFields(fields: Record<string, unknown>): Record<string, unknown> {
  return redactObject(fields, 0);
}

function redactObject(object: object, depth: number): Record<string, unknown> {
  const copy: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(object)) {
    copy[key] = SECRET_KEY.test(key) && value !== undefined ? '[redacted]' : redactValue(value, depth + 1);
  }
  return copy;
}

function redactValue(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Error) return describeError(value, depth);
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (depth >= MAX_DEPTH) return '[deep]';
  if (Array.isArray(value)) return value.map((item) => redactValue(item, depth + 1));
  if (value instanceof Date) return value.toISOString();
  return redactObject(value, depth);
}

/** Fields that our own and the drivers' errors carry and that say something: codes, never data. */
const LOGGED_FIELDS = ['code', 'errno', 'syscall', 'status', 'next', 'hint', 'command'] as const;

/** What a log says of an error: its type, message, stack and cause, masked. Other properties may hold a request or a record, so they stay out. */
export function describeError(error: Error, depth = 0): Record<string, unknown> {
  const said: Record<string, unknown> = { type: error.name, message: maskText(String(error.message)) };
  for (const key of LOGGED_FIELDS) {
    const value = (error as unknown as Record<string, unknown>)[key];
    if (typeof value === 'string') said[key] = maskText(value);
    else if (typeof value === 'number') said[key] = value;
  }
  // ioredis puts {name, args} there: the arguments are payloads.
  const command = (error as { command?: { name?: unknown } }).command;
  if (typeof command === 'object' && command !== null) said.command = String(command.name);
  if (error.stack) said.stack = maskText(error.stack);
  if (error.cause instanceof Error && depth < MAX_DEPTH) said.cause = describeError(error.cause, depth + 1);
  if (error instanceof AggregateError && depth < MAX_DEPTH) {
    said.errors = error.errors.slice(0, 5).map((one) => redactValue(one, depth + 1));
  }
  return said;
}
