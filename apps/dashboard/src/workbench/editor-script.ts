/** The script of the workbench's editor, as browsers load it. */
import { readFile } from 'node:fs/promises';
import { Assets, type Logger } from '@wrapup/telemetry';
import type { RequestHandler } from 'express';
import { buildEditor } from './build-editor.ts';
import { builtFile } from './built-file.ts';

const NAME = 'workbench.js';

/** Of this process; made again after a failure. */
let making: Promise<Assets> | undefined;
let made: Assets | undefined;

/** Its address: for good once it is made, before that one that is asked for each time. */
export function editorScriptUrl(): string {
  return made?.url(NAME) ?? `/assets/${NAME}`;
}

/**
 * Sends it: from beside the bundles, or in a checkout made of its sources when it is asked for first. Without it the page is a form
 * that works all the same. To be mounted at `/assets`.
 */
export function sendEditorScript(log: Logger): RequestHandler {
  return async (request, response, next) => {
    if (request.path !== `/${NAME}`) return next();
    making ??= makeScript();
    try {
      made = await making;
      made.handler(request, response, next);
    } catch (error) {
      making = undefined;
      log.warn({ err: error }, 'the script of the workbench could not be made: its page is a plain form');
      response.status(404).end();
    }
  };
}

async function makeScript(): Promise<Assets> {
  const built = builtFile('workbench-editor.js');
  const text = built === undefined ? String((await buildEditor()).script) : await readFile(built, 'utf8');
  return new Assets('/assets', { [NAME]: text });
}
