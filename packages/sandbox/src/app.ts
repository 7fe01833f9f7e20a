/** What the sandbox serves, by prefix. */
import express, { type NextFunction, type Request, type Response } from 'express';
import type { Hung } from './control/exchange.ts';
import { type Guard, guard } from './control/guard.ts';
import { controlRouter } from './control/routes.ts';
import { hubspotRouter } from './hubspot/http/serve.ts';
import { pageRouter } from './page/routes.ts';
import { salesforceRouter } from './salesforce/http/serve.ts';
import type { Sandbox } from './sandbox.ts';
import { synthflowRouter } from './synthflow/serve.ts';

/** Vendors by the prefix of their API. */
export const APIS = ['/hubspot', '/salesforce', '/synthflow'];

export interface Problems {
  error(fields: object, message: string): void;
}

export function sandboxApp(sandbox: Sandbox, who: Guard, hung: Hung, log?: Problems): express.Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.get('/healthz', (_request, response) => {
    response.json({ status: 'ok' });
  });
  // Before the APIs: a record of Salesforce is opened under the same address.
  app.use(pageRouter(sandbox, guard(who)));
  app.use('/hubspot', hubspotRouter(sandbox, hung));
  app.use('/salesforce', salesforceRouter(sandbox, hung));
  app.use('/synthflow', synthflowRouter(sandbox, hung));
  app.use('/_sandbox', guard(who), controlRouter(sandbox));
  app.use((request, response) => {
    response.status(404).json({
      error: `Nothing is served at ${request.path}`,
      apis: APIS,
      hint: 'This sandbox serves the APIs listed here, / as a page, /_sandbox to steer it, and /healthz.',
    });
  });
  app.use((error: unknown, _request: Request, response: Response, _next: NextFunction) => {
    const { status, message } = error as { status?: number; message?: string };
    // Too large a body, or one that is no JSON: Express says which.
    if (status !== undefined && status < 500)
      return void response.status(status).json({ status: 'error', error: message });
    log?.error({ err: error }, 'the sandbox itself failed');
    response
      .status(500)
      .json({ status: 'error', message: 'The sandbox itself failed; see its log.', category: 'SANDBOX_BUG' });
  });
  return app;
}
