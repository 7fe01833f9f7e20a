/**
 * The way it is usually written: express, its body parser, `queue.add` with the body in the job. It verifies the
 * signature; it has no ledger, so it knows of duplicates only what BullMQ's job ids tell, and the same id with other bytes
 * is lost on it.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { Queue } from 'bullmq';
import express from 'express';
import { announce } from './announce.ts';

const secret = process.env.SYNTHFLOW_WEBHOOK_SECRET ?? '';
const queue = new Queue('calls', {
  connection: { url: process.env.REDIS_URL ?? '' },
  prefix: process.env.WRAPUP_PREFIX ?? 'bull',
  defaultJobOptions: {
    attempts: 10,
    backoff: { type: 'exponential', delay: 1000 },
    removeOnComplete: { age: 3600, count: 1000 },
  },
});

const app = express();
app.use(express.json({ limit: '25mb' }));
app.post('/webhooks/main/post-call', async (request, response) => {
  const id: string = request.body.call.call_id;
  const expected = createHmac('sha256', secret).update(id).digest();
  const given = Buffer.from(request.get('synthflow-signature') ?? '', 'base64');
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return void response.sendStatus(401);
  await queue.add('call', request.body, { jobId: `call-${id}` });
  response.status(202).json({ status: 'accepted', call_id: id });
});
const server = app.listen(0, '127.0.0.1', () => announce(server));
