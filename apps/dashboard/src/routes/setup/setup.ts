import { own } from '@wrapup/call';
import { type Connection, mappingsOf } from '@wrapup/config';
import { saveSchemaCheck } from '@wrapup/queue';
import express, { type Request, type Response, Router } from 'express';
import { renderMessage, sendPage } from '../../pages/layout.ts';
import { renderExamination, renderFields, renderSetup } from '../../pages/setup/setup-page.ts';
import { askAccount, askFields } from '../../queries/ask-crm.ts';
import { ask } from '../../queries/ask-redis.ts';
import { readSetup } from '../../queries/setup.ts';
import { configOfScope, scopeOf } from '../../security/client-scope.ts';
import type { HandlerParts } from '../handler-parts.ts';
import { noteLook } from '../operator.ts';
import { fieldOf } from '../request.ts';

/**
 * `/setup`: what leads from nothing to the first call that is written, and what a connection’s account says of it on demand. Asking
 * an account reads only and is noted in the audit before; fields are made for an admin who has confirmed it.
 */
export function setupRoutes({ store, config, log }: HandlerParts): Router {
  const router = Router();
  const form = express.urlencoded({ extended: false, limit: '10kb' });

  router.get('/setup', async (_request, response) => {
    const scope = scopeOf(response);
    const parts = { store, config: configOfScope(config(), scope), client: scope.client, now: Date.now() };
    const setup = await ask(store, () => readSetup(parts));
    sendPage(response, { title: 'Set-up', at: '/setup', body: renderSetup(setup) });
  });

  /** The connection that the address names, inside the scope; else the request is answered. */
  function findConnection(request: Request, response: Response): Connection | undefined {
    const known = own(configOfScope(config(), scopeOf(response)).connections, request.params.name as string);
    if (!known) response.status(404).send(renderMessage('No such connection', ['Nothing was asked or changed.']));
    return known;
  }

  router.post('/setup/connections/:name/check', form, async (request, response) => {
    const connection = findConnection(request, response);
    if (!connection) return;
    const { name } = connection;
    await noteLook({ store, log }, request, response, { connection: name });
    const answer = await askAccount(store, connection, mappingsOf(config(), name));
    // What a page has just found is what the others and the metrics say, too.
    if ('findings' in answer)
      await ask(store, () => saveSchemaCheck(store, { connection: name, at: Date.now(), findings: answer.findings }));
    sendPage(response, { title: name, at: '/setup', body: renderExamination(name, answer) });
  });

  router.post('/setup/connections/:name/fields', form, async (request, response) => {
    const connection = findConnection(request, response);
    if (!connection) return;
    const { name } = connection;
    await noteLook({ store, log }, request, response, { connection: name });
    const answer = await askFields(store, connection, mappingsOf(config(), name), { make: false });
    sendPage(response, {
      ...{ title: `Fields in ${name}`, at: '/setup' },
      body: renderFields({ connection: name, answer, made: false }),
    });
  });

  router.post('/setup/connections/:name/provision', form, async (request, response) => {
    const connection = findConnection(request, response);
    if (!connection) return;
    const { name } = connection;
    if (fieldOf(request, 'confirmed') !== 'yes') {
      const why = ['Tick what is to be done, then press the button again. Nothing was changed.'];
      return void response.status(400).send(renderMessage('It was not confirmed', why));
    }
    await noteLook({ store, log }, request, response, { connection: name }, 'provision');
    const answer = await askFields(store, connection, mappingsOf(config(), name), { make: true });
    sendPage(response, {
      ...{ title: `Fields in ${name}`, at: '/setup' },
      body: renderFields({ connection: name, answer, made: true }),
    });
  });
  return router;
}
