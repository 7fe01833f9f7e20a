/** What HubSpot says when it fails on purpose. */
import { randomUUID } from 'node:crypto';
import type { FaultWords } from '../control/faults.ts';

export function hubspotError(message: string, category?: string): object {
  return { status: 'error', message, correlationId: randomUUID(), ...(category && { category }) };
}

const EMPTY = {
  status: 'COMPLETE',
  results: [],
  startedAt: new Date(0).toISOString(),
  completedAt: new Date(0).toISOString(),
};

/** @param success status of the answer that a fault makes an empty one of */
export function hubspotWords(success: number): FaultWords {
  return {
    error: () => hubspotError('internal error'),
    unauthorized: () => ({
      status: 401,
      body: hubspotError('Authentication credentials not found.', 'INVALID_AUTHENTICATION'),
    }),
    emptySuccess: () => ({ status: success, body: EMPTY }),
  };
}
