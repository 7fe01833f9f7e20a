import { readFile } from 'node:fs/promises';
import { CliError, EXIT } from './exit.ts';

/** Bytes of a payload file, or of standard input for `-`. */
export async function readInput(name: string): Promise<Buffer> {
  if (name === '-') {
    const chunks: Buffer[] = [];
    for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks);
  }
  try {
    return await readFile(name);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unreadable';
    throw new CliError(
      EXIT.usage,
      `cannot read ${name} (${code})`,
      'give the path of a JSON file, or - for standard input',
    );
  }
}

export function parseJson(bytes: Buffer, name: string): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    // The parser quotes the text around the mistake, which may be personal: only the place is given.
    const text = bytes.toString('utf8');
    const before = text.slice(0, firstMistake(text)).split('\n');
    const place = `line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`;
    const what = name === '-' ? 'standard input' : name;
    if (text.trim() === '') throw new CliError(EXIT.usage, `${what} is empty`, 'a payload is one JSON document');
    throw new CliError(EXIT.usage, `${what} is not JSON: the first mistake is at ${place}`);
  }
}

/**
 * Characters before the first that cannot stand there. The parser does not always say: whatever it stops at in a text cut
 * short, other than its end, is a mistake that the whole text has at the same place.
 */
function firstMistake(text: string): number {
  let [good, bad] = [0, text.length + 1];
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    if (hasMistake(text.slice(0, middle))) bad = middle;
    else good = middle;
  }
  return good;
}

function hasMistake(text: string): boolean {
  try {
    JSON.parse(text);
    return false;
  } catch (error) {
    const { message } = error as Error;
    const position = /at position (\d+)/.exec(message)?.[1];
    return position === undefined
      ? !/end of JSON input/.test(message)
      : Number(position) < text.length && !/^Unterminated/.test(message);
  }
}
