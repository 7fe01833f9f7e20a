import { once } from 'node:events';
import { styleText } from 'node:util';
import { callable } from '@wrapup/telemetry/command-name';
import { clean, cleanJson } from './clean.ts';

type Style = Parameters<typeof styleText>[0];

/** Where a command writes: text for people, or one JSON document for machines. */
export interface Output {
  readonly json: boolean;
  /** A line for people; says nothing under `--json`. Its parts must be cleaned already. */
  line(text?: string): void;
  /** The document for machines; says nothing without `--json`. Called once a command. */
  data(value: unknown): void;
  /** As `data`, of an array that need not fit into memory. */
  stream(items: AsyncIterable<unknown>): Promise<void>;
  /** JSON lines instead, one for each item; says nothing without `--json`. */
  lines(items: AsyncIterable<unknown>): Promise<void>;
  /** A remark beside the result, on standard error. */
  remark(text: string): void;
  /** Colours, when standard output is a terminal that has them. */
  style(style: Style, text: string): string;
}

export function makeOutput(json: boolean): Output {
  return {
    json,
    line(text = '') {
      if (!json) process.stdout.write(`${callable(text)}\n`);
    },
    data(value) {
      if (json) process.stdout.write(`${cleanJson(value)}\n`);
    },
    async stream(items) {
      if (!json) return;
      let open = '[';
      for await (const item of items) {
        const text = cleanJson(item).replaceAll('\n', '\n  ');
        if (process.stdout.write(`${open}\n  ${text}`) === false) await once(process.stdout, 'drain');
        open = ',';
      }
      process.stdout.write(open === '[' ? '[]\n' : '\n]\n');
    },
    async lines(items) {
      if (!json) return;
      for await (const item of items) {
        if (process.stdout.write(`${cleanJson(item, 0)}\n`) === false) await once(process.stdout, 'drain');
      }
    },
    remark(text) {
      process.stderr.write(`${callable(text)}\n`);
    },
    style: (style, text) => styleText(style, text, { stream: process.stdout }),
  };
}

/** Columns padded to their widest cell; cells are cleaned here. The last column is not padded. */
export function table(head: string[], rows: unknown[][]): string[] {
  const cells = [head, ...rows.map((row) => row.map((cell) => clean(cell ?? '', 200)))];
  const widths = head.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  return cells.map((row) =>
    row
      .map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
}

/** `3 min ago`, `2 h ago`: how long ago an epoch ms was. */
export function ago(at: number, now = Date.now()): string {
  const seconds = Math.max(0, Math.round((now - at) / 1000));
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 2 * 86_400) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / 86_400)} d ago`;
}

/** `2026-05-04 08:59:46Z`. */
export function when(at: number): string {
  return new Date(at).toISOString().replace('T', ' ').replace(/\.\d+/, '');
}

export function count(number: number, noun: string, many = `${noun}s`): string {
  return `${number} ${number === 1 ? noun : many}`;
}
