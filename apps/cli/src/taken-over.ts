import { statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Loaded } from '@wrapup/config';
import type { Output } from './output.ts';

/**
 * Milliseconds after a change by which every running process has it: they look every three seconds, and take what two
 * looks in a row saw.
 */
const TAKEN_OVER = 7_000;

/** Waits while the files of the configuration are so new that a worker may still go by the old ones. */
export async function untilTakenOver({ config, files }: Loaded, output: Output): Promise<void> {
  if (!config) return;
  const folder = dirname(config.file);
  const changed = Math.max(0, ...[config.file, ...files.names].map((name) => changedAt(resolve(folder, name))));
  const wait = changed + TAKEN_OVER - Date.now();
  if (wait <= 0) return;
  output.remark('The configuration has just changed: waiting some seconds, so that the workers have it.');
  await pause(Math.min(wait, TAKEN_OVER));
}

function changedAt(file: string): number {
  try {
    return statSync(file).mtimeMs;
  } catch {
    return 0;
  }
}
