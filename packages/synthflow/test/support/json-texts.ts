/** JSON texts as no serialiser writes them: names twice, escapes anywhere, blanks anywhere, numbers in any form. */
import fc from 'fast-check';

/** A name or text, each character as it is or escaped. */
function quoted(text: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc.tuple(text, fc.infiniteStream(fc.nat(9))).map(([plain, dice]) => {
    let token = '"';
    for (const unit of plain.split('')) {
      const roll = dice.next().value ?? 0;
      const escaped = `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
      token += roll === 0 || /[\ud800-\udfff]/.test(unit) ? escaped : JSON.stringify(unit).slice(1, -1);
    }
    return `${token}"`;
  });
}

const NAMES = [
  ...['call', 'call_id', 'callId', 'Call_id', 'call_Id', 'CallId', 'CALL_ID', 'Call-ID', 'callid'],
  ...['response', 'calls', 'status', '__proto__', 'constructor', '', 'c', 'r'],
];
const name = fc.oneof({ weight: 8, arbitrary: fc.constantFrom(...NAMES) }, fc.string({ maxLength: 6, unit: 'binary' }));
const text = fc.oneof(
  fc.constantFrom('a', 'b', '1', ' a ', '', ' ', 'a\nb', '"', '\\', '\ud800', 'x'.repeat(256), 'x'.repeat(257)),
  fc.constantFrom('{"call_id":"n"}', ',,,[[', '\\"call_id":'),
  fc.string({ maxLength: 40, unit: 'binary' }),
);
const number = fc.oneof(
  fc.constantFrom('0', '-0', '1', '42', '1.5', '10.0', '1e0', '1E+2', '9007199254740992', '-7', '100e-2', '1e400'),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => JSON.stringify(value)),
);
const blank = fc.constantFrom('', '', '', ' ', '\n\t', '\r\n');
const literal = fc.constantFrom('null', 'true', 'false');

/** Any JSON text whose shape and names come near to those of events. */
export function jsonTexts(): fc.Arbitrary<string> {
  return fc.letrec<{ value: string; scalar: string; list: string; object: string }>((tie) => ({
    scalar: fc.oneof(quoted(text), number, literal),
    list: fc.tuple(fc.array(tie('value'), { maxLength: 4 }), blank).map(([items, gap]) => `[${gap}${items.join(',')}]`),
    object: fc
      .tuple(fc.array(fc.tuple(blank, quoted(name), blank, tie('value')), { maxLength: 6 }), blank)
      .map(([members, gap]) => `{${gap}${members.map(([a, key, b, value]) => `${a}${key}${b}:${value}`).join(',')}}`),
    value: fc
      .tuple(
        blank,
        fc.oneof(
          { maxDepth: 5, depthSize: 'medium' },
          tie('scalar'),
          { weight: 2, arbitrary: tie('object') },
          tie('list'),
        ),
        blank,
      )
      .map((parts) => parts.join('')),
  })).value;
}

/** As `jsonTexts`, but nearly always with ids where events have them, often several times. */
export function eventTexts(): fc.Arbitrary<string> {
  const scalar = fc.oneof({ weight: 4, arbitrary: quoted(text) }, number, literal);
  const objectOf = (...members: [string, fc.Arbitrary<string>][]) => {
    const member = fc.oneof(
      ...members.map(([key, value]) => fc.tuple(quoted(fc.constant(key)), value)),
      fc.tuple(quoted(name), jsonTexts()),
    );
    return fc.array(fc.tuple(member, blank), { maxLength: 6 }).map((all) => {
      return `{${all.map(([[key, value], gap]) => `${key}${gap}:${value}`).join(',')}}`;
    });
  };
  const flat = ['call_id', 'callId', 'Call_id', 'CALL_ID'].map((key): [string, fc.Arbitrary<string>] => [key, scalar]);
  const calls = fc.array(fc.oneof(objectOf(...flat), scalar), { maxLength: 3 }).map((items) => `[${items.join(',')}]`);
  return objectOf(['call', objectOf(['call_id', scalar])], ['response', objectOf(['calls', calls])], ...flat);
}

/** Tokens of a JSON text, without what stands between them. */
function tokensOf(json: string): string[] {
  return json.match(/"(?:[^"\\]|\\.)*"|[[\]{}:,]|[^\s[\]{}:,"]+/g) ?? [];
}

/** Levels of nesting of a JSON text. */
export function depthOf(json: string): number {
  let depth = 0;
  let deepest = 0;
  for (const token of tokensOf(json)) {
    if (token === '[' || token === '{') depth += 1;
    else if (token === ']' || token === '}') depth -= 1;
    deepest = Math.max(deepest, depth);
  }
  return deepest;
}

/** Values in a JSON text: every token or opening bracket that is not followed by a colon. */
export function valuesIn(json: string): number {
  const tokens = tokensOf(json);
  return tokens.filter((token, index) => !/^[\]}:,]$/.test(token) && tokens[index + 1] !== ':').length;
}
