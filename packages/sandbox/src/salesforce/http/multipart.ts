/** A record with a file beside it: one part is JSON, the other the file's bytes. */
import { malformedJson } from './refusal.ts';

/** @returns the JSON part with the file in the field of its name, in base64. @throws Refusal */
export function readMultipart(bytes: Buffer, contentType: string): Record<string, unknown> {
  const boundary = /boundary="?([^";]+)"?/i.exec(contentType)?.[1];
  if (!boundary) throw malformedJson('Multipart message has no boundary');
  const text = bytes.toString('latin1');
  let record: Record<string, unknown> | undefined;
  const files: Record<string, string> = {};
  for (const part of text.split(`--${boundary}`).slice(1, -1)) {
    const end = part.indexOf('\r\n\r\n');
    const [head, body] = [part.slice(0, end), part.slice(end + 4).replace(/\r\n$/, '')];
    const name = /\bname="([^"]*)"/i.exec(head)?.[1] ?? '';
    if (/\bfilename="/i.test(head)) files[name] = Buffer.from(body, 'latin1').toString('base64');
    else record = parse(Buffer.from(body, 'latin1').toString('utf8'));
  }
  if (!record) throw malformedJson('Multipart message must include a non-binary part');
  return { ...record, ...files };
}

function parse(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    throw malformedJson('The non-binary part is no JSON');
  }
}
