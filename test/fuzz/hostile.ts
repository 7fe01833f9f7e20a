/** Requests that are made to harm: bombs of shape and size, payloads with anything in them, bytes that are nearly right. */
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { samplePayload, sign } from '../../packages/synthflow/src/payload.ts';
import { eventTexts, jsonTexts } from '../../packages/synthflow/test/support/json-texts.ts';

/** Call ids whose signature was captured: a stranger has it, and may send what they like under it. */
export const CAPTURED = ['captured-1', 'captured-2', 'captured-3'] as const;

export interface HostileRequest {
  /** What it is, for the report. */
  what: string;
  path: string;
  headers: Record<string, string>;
  body: Buffer;
  /** Parts of the body, from 0 to 1, after which it pauses; without any it is sent as a whole. */
  cuts: number[];
  /** Leaves off in the middle and never goes on. */
  stalls: boolean;
}

const MB = 1024 ** 2;

/** A text of about so many bytes, made of one piece. */
function repeat(unit: string, bytes: number): string {
  return unit.repeat(Math.ceil(bytes / unit.length));
}

/** Bytes between a handful and some MB, each order of magnitude as likely as the next. */
const size = fc.double({ min: 1, max: 6.9, noNaN: true }).map((power) => Math.floor(10 ** power));

const bomb = fc
  .record({
    unit: fc.constantFrom(
      '1,',
      '{},',
      '[],',
      '{"a":1},',
      '[[]],',
      '"",',
      '[',
      '{"a":',
      '\\u0000',
      'a',
      '👋',
      '\\"',
      ' ',
    ),
    bytes: size,
    around: fc.constantFrom('', 'list', 'text', 'nested', 'action'),
    id: fc.constantFrom(...CAPTURED),
    idFirst: fc.boolean(),
  })
  .map(({ unit, bytes, around, id, idFirst }) => {
    const filler = repeat(unit, bytes);
    const value =
      around === 'list'
        ? `[${filler}1]`
        : around === 'text'
          ? `"${filler}"`
          : around === 'nested' || around === 'action'
            ? JSON.stringify(`[${filler}1]`)
            : filler;
    const member =
      around === 'action'
        ? `"executed_actions":{"a":{"return_value":${value}}}`
        : `"collected_variables":{"x":${value}}`;
    const call = `"call":{"call_id":"${id}","status":"completed"}`;
    return { what: `bomb ${unit} ${bytes} ${around}`, text: idFirst ? `{${call},${member}}` : `{${member},${call}}` };
  });

/** A sample with one of its values replaced by anything. */
const mutated = fc
  .record({
    kind: fc.constantFrom('connected' as const, 'voicemail' as const, 'no-answer' as const, 'unknown-caller' as const),
    id: fc.constantFrom(...CAPTURED),
    where: fc.nat(200),
    value: fc.oneof(fc.jsonValue({ maxDepth: 5 }), fc.string({ unit: 'binary', maxLength: 2_000 })),
  })
  .map(({ kind, id, where, value }) => {
    const payload = samplePayload(kind, { call_id: id });
    const places: [Record<string, unknown>, string][] = [];
    const walk = (node: unknown) => {
      if (typeof node !== 'object' || node === null) return;
      for (const key of Object.keys(node)) {
        if (key !== 'call_id') places.push([node as Record<string, unknown>, key]);
        walk((node as Record<string, unknown>)[key]);
      }
    };
    walk(payload);
    const [holder, key] = places[where % places.length] as [Record<string, unknown>, string];
    if (key !== 'call') holder[key] = value;
    return { what: `sample with another ${key}`, text: JSON.stringify(payload) };
  });

/** A sample of which some bytes are others, missing, or there twice. */
const broken = fc
  .record({
    id: fc.constantFrom(...CAPTURED),
    edits: fc.array(
      fc.record({ at: fc.nat(4_000), length: fc.nat(20), put: fc.uint8Array({ maxLength: 20 }), twice: fc.boolean() }),
      { minLength: 1, maxLength: 6 },
    ),
  })
  .map(({ id, edits }) => {
    let bytes = Buffer.from(JSON.stringify(samplePayload('connected', { call_id: id })));
    for (const { at, length, put, twice } of edits) {
      const begin = at % bytes.length;
      const rest = bytes.subarray(twice ? begin : begin + length);
      bytes = Buffer.concat([bytes.subarray(0, begin), put, rest]);
    }
    return { what: 'sample with broken bytes', text: bytes };
  });

const body: fc.Arbitrary<{ what: string; text: string | Buffer }> = fc.oneof(
  { weight: 5, arbitrary: bomb },
  { weight: 3, arbitrary: mutated },
  { weight: 2, arbitrary: broken },
  { weight: 2, arbitrary: eventTexts().map((text) => ({ what: 'ids anywhere', text })) },
  { weight: 1, arbitrary: jsonTexts().map((text) => ({ what: 'any JSON', text })) },
  {
    weight: 1,
    arbitrary: fc.uint8Array({ maxLength: 5_000 }).map((bytes) => ({ what: 'bytes', text: Buffer.from(bytes) })),
  },
);

const ENCODERS: Record<string, (bytes: Buffer) => Buffer> = {
  gzip: (bytes) => gzipSync(bytes, { level: 1 }),
  deflate: (bytes) => deflateSync(bytes, { level: 1 }),
  br: (bytes) => brotliCompressSync(bytes, { params: { 1: 1 } }),
  // Says so, and is not.
  'gzip ': (bytes) => bytes,
};

/** @param secret what webhooks are signed with @param token the path token of the source `guarded` */
export function hostileRequests(secret: string, token: string): fc.Arbitrary<HostileRequest> {
  return fc
    .record({
      body,
      encoding: fc.option(fc.constantFrom(...Object.keys(ENCODERS)), { freq: 2 }),
      truncated: fc.oneof({ weight: 9, arbitrary: fc.constant(1) }, fc.double({ min: 0, max: 1, noNaN: true })),
      signature: fc.constantFrom('captured', 'captured', 'wrong', 'garbage', 'none'),
      path: fc.oneof(
        { weight: 6, arbitrary: fc.constant('/webhooks/main/post-call') },
        { weight: 2, arbitrary: fc.constant(`/webhooks/guarded/${token}/post-call`) },
        fc.constantFrom('/webhooks/main/inbound-call', '/webhooks/nobody/post-call', '/webhooks/%zz/post-call'),
      ),
      cuts: fc.oneof(
        { weight: 4, arbitrary: fc.constant<number[]>([]) },
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 4 }),
      ),
      stalls: fc.oneof({ weight: 9, arbitrary: fc.constant(false) }, fc.constant(true)),
      id: fc.constantFrom(...CAPTURED),
    })
    .map(({ body: { what, text }, encoding, truncated, signature, path, cuts, stalls, id }) => {
      const whole = Buffer.from(text as string);
      const encoded = encoding ? (ENCODERS[encoding]?.(whole) ?? whole) : whole;
      const bytes = encoded.subarray(0, Math.ceil(encoded.length * truncated));
      // Under a captured id the signature is right: whichever the body says.
      const said = CAPTURED.find((one) => whole.includes(one)) ?? id;
      const headers: Record<string, string> = {
        'content-type': 'application/json',
        ...(encoding && { 'content-encoding': encoding.trim() }),
      };
      if (signature !== 'none') {
        headers['synthflow-signature'] =
          signature === 'captured' ? sign(said, secret) : signature === 'wrong' ? sign('another', secret) : '\u00ff,,=';
      }
      return { what: `${what}, ${encoding ?? 'plain'}, ${signature}`, path, headers, body: bytes, cuts, stalls };
    });
}

/** Bodies of the size that only a proved sender may send, under captured ids: rare, since each is many bytes. */
export function largeBodies(secret: string): fc.Arbitrary<HostileRequest> {
  return fc
    .record({
      id: fc.constantFrom(...CAPTURED),
      megabytes: fc.integer({ min: 2, max: 24 }),
      unit: fc.constantFrom('a', 'é👋', '\\n'),
      salt: fc.nat(),
    })
    .map(({ id, megabytes, unit, salt }) => ({
      what: `${megabytes} MB of ${unit}`,
      path: '/webhooks/main/post-call',
      headers: { 'content-type': 'application/json', 'synthflow-signature': sign(id, secret) },
      body: Buffer.from(`{"call":{"call_id":"${id}"},"salt":${salt},"a":"${repeat(unit, (megabytes * MB) / 2)}"}`),
      cuts: [],
      stalls: false,
    }));
}
