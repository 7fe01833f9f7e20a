import { type RequestHandler, Router } from 'express';
import type { Sandbox } from '../sandbox.ts';

export function pageRouter(sandbox: Sandbox, only: RequestHandler): Router {
  const router = Router();
  router.get('/', only, (_request, response) => {
    response.type('text/plain').send(`${sandbox.requests.counts.total} requests\n`);
  });
  return router;
}
