/** `/_sandbox`: looking at what the sandbox holds, counting requests, and making things go wrong. */
import express, { type NextFunction, type Request, type Response, Router } from 'express';
import { DemoError } from '../demo/spec.ts';
import { HubSpotRefusal } from '../hubspot/http/refusal.ts';
import { SalesforceRefusal } from '../salesforce/http/refusal.ts';
import { readOrg } from '../salesforce/state.ts';
import type { Sandbox } from '../sandbox.ts';
import { SettingsError } from '../settings.ts';
import { FaultError, type FaultSpec } from './faults.ts';
import { seed } from './seed.ts';
import { readState } from './state.ts';

export function controlRouter(sandbox: Sandbox): Router {
  const router = Router();
  router.use(express.json({ limit: '50mb', strict: false }));

  router.get('/state', (request, response) => {
    const object = typeof request.query.object === 'string' ? request.query.object : undefined;
    const isSalesforce = request.query.api === 'salesforce';
    response.json(isSalesforce ? readOrg(sandbox.salesforce, object) : readState(sandbox.hubspot, object));
  });
  router.get('/requests', (request, response) => {
    const entries = sandbox.requests.entries({ bodies: request.query.bodies === '1' });
    response.json({ ...sandbox.requests.counts, requests: entries });
  });
  router.get('/journal', (request, response) => {
    const account = request.query.api === 'salesforce' ? sandbox.salesforce : sandbox.hubspot;
    response.json(account.journal.entries);
  });

  router.get('/faults', (_request, response) => {
    response.json(sandbox.faults.list());
  });
  router.post('/faults', (request, response) => {
    const given: unknown[] = Array.isArray(request.body) ? request.body : [request.body];
    response.status(201).json(given.map((spec) => sandbox.faults.add(spec as FaultSpec)));
  });
  router.delete('/faults', (_request, response) => {
    sandbox.faults.clear();
    response.status(204).end();
  });

  router.get('/settings', (_request, response) => {
    response.json(sandbox.settings);
  });
  router.post('/settings', (request, response) => {
    response.json(sandbox.change(request.body));
  });
  router.post('/seed', (request, response) => {
    response.status(201).json(seed(sandbox, request.body));
  });
  router.get('/demo', (_request, response) => {
    response.json(sandbox.demo?.status ?? null);
  });
  router.post('/demo', (request, response) => {
    response.status(202).json(sandbox.startDemo(request.body ?? {}).status);
  });
  router.delete('/demo', (_request, response) => {
    sandbox.demo?.stop();
    response.status(204).end();
  });

  router.post('/reset', (request, response) => {
    const { provisioned } = (request.body ?? {}) as { provisioned?: unknown };
    sandbox.reset(typeof provisioned === 'boolean' ? { provisioned } : {});
    response.status(204).end();
  });

  router.use((request, response) => {
    response.status(404).json({ error: `There is no ${request.method} ${request.path} here` });
  });
  router.use((error: unknown, _request: Request, response: Response, next: NextFunction) => {
    const known =
      error instanceof SettingsError ||
      error instanceof FaultError ||
      error instanceof DemoError ||
      error instanceof SalesforceRefusal ||
      error instanceof HubSpotRefusal;
    if (!known) return next(error);
    response
      .status(400)
      .json({ error: error.message, ...(error instanceof HubSpotRefusal && { details: error.parts.details }) });
  });
  return router;
}
