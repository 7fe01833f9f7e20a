/** Progress of long work, on standard error: a bar that is redrawn on a terminal, a line now and then elsewhere. */
import type { Output } from './output.ts';

export interface Progress {
  /** @param total undefined while it is not known */
  show(done: number, total: number | undefined, note?: string): void;
  /** Takes the bar away, so that the result stands alone. */
  end(): void;
}

/** Milliseconds between two drawings on a terminal, and between two lines elsewhere. */
const REDRAW_MS = 100;
const LINE_EVERY_MS = 10_000;
const BAR_WIDTH = 28;

/** @param noun what is counted: `calls` */
export function makeProgress(output: Output, noun: string, stream = process.stderr): Progress {
  const began = Date.now();
  const isTerminal = stream.isTTY === true;
  let last = isTerminal ? 0 : began;
  let drawn = false;
  return {
    show(done, total, note = '') {
      const now = Date.now();
      if (output.json || now - last < (isTerminal ? REDRAW_MS : LINE_EVERY_MS)) return;
      last = now;
      const line = describeProgress({ done, total, noun, ms: now - began, note });
      if (!isTerminal) return void stream.write(`${line}\n`);
      drawn = true;
      const width = stream.columns || 80;
      const text = `${total ? `${bar(done / total)} ` : ''}${line}`;
      stream.write(`\r\u001b[2K${text.slice(0, width - 1)}`);
    },
    end() {
      if (drawn) stream.write('\r\u001b[2K');
      drawn = false;
    },
  };
}

export interface Progressed {
  done: number;
  total: number | undefined;
  noun: string;
  /** Milliseconds that it has taken. */
  ms: number;
  note?: string;
}

/** `340 of 1000 calls, 12.5/s, 53 s left` */
export function describeProgress({ done, total, noun, ms, note = '' }: Progressed): string {
  const rate = ms > 0 ? (done * 1000) / ms : 0;
  const parts = [total === undefined ? `${done} ${noun}` : `${done} of ${total} ${noun}`];
  if (rate > 0) parts.push(`${rate >= 10 ? Math.round(rate) : rate.toFixed(1)}/s`);
  if (total !== undefined && rate > 0 && done < total) parts.push(`${describeTime((total - done) / rate)} left`);
  if (note) parts.push(note);
  return parts.join(', ');
}

/** @param seconds as `53 s`, `4 min`, `2 h 5 min` */
function describeTime(seconds: number): string {
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  const minutes = Math.ceil(seconds / 60);
  if (minutes < 90) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

function bar(part: number): string {
  const full = Math.max(0, Math.min(BAR_WIDTH, Math.round(part * BAR_WIDTH)));
  return `[${'█'.repeat(full)}${'·'.repeat(BAR_WIDTH - full)}]`;
}
