import { readdirSync, readFileSync } from 'node:fs';
import { Assets, readLook } from '@wrapup/telemetry';

const FOLDER = `${import.meta.dirname}/../assets`;
/** In the order of the cascade. */
const STYLES = ['base', 'forms', 'tables', 'call', 'overview', 'calls'];

/** Beside a page that is not ours, with our colours. */
const BOARD = 'board.css';

const read = (name: string) => readFileSync(`${FOLDER}/${name}`, 'utf8');

/** What pages load. All their styles are one request: each page needs most of them, and a browser asks once. */
export const ASSETS = new Assets('/assets', {
  'dashboard.css': [readLook('tokens.css'), ...STYLES.map((name) => read(`styles/${name}.css`))].join('\n'),
  'icon.svg': readLook('icon.svg'),
  ...Object.fromEntries(
    readdirSync(FOLDER, { withFileTypes: true }).flatMap((file) =>
      file.isFile() ? [[file.name, read(file.name)]] : [],
    ),
  ),
  [BOARD]: `${readLook('tokens.css')}\n${read(BOARD)}`,
});
