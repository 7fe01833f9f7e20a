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
  } catch (error) {
    // The parser quotes the text around the mistake, which may be personal: only the position is repeated.
    const position = /position (\d+)/.exec((error as Error).message)?.[1];
    const where = position === undefined ? '' : ` (at character ${position})`;
    throw new CliError(EXIT.usage, `${name === '-' ? 'standard input' : name} is not JSON${where}`);
  }
}
