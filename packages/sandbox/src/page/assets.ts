import { readFileSync } from 'node:fs';
import { Assets, readLook } from '@wrapup/telemetry';

const read = (name: string) => readFileSync(`${import.meta.dirname}/${name}`, 'utf8');

/** What the page loads. */
export const ASSETS = new Assets('/assets', {
  'sandbox.css': `${readLook('tokens.css')}\n${read('sandbox.css')}`,
  'refresh.js': read('refresh.js'),
  'icon.svg': readLook('icon.svg'),
});
