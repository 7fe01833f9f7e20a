/** Bodies of HubSpot's errors. */
import { randomUUID } from 'node:crypto';
import type { ErrorBodies } from '../../control/fault.ts';

export function hubspotError(message: string, category?: string): object {
  return { status: 'error', message, correlationId: randomUUID(), ...(category && { category }) };
}

const EMPTY = {
  status: 'COMPLETE',
  results: [],
  startedAt: new Date(0).toISOString(),
  completedAt: new Date(0).toISOString(),
};

/** @param success status of the answer that a fault empties */
export function hubspotErrorBodies(success: number): ErrorBodies {
  return {
    error: () => hubspotError('internal error'),
    unauthorized: () => ({
      status: 401,
      body: hubspotError('Authentication credentials not found.', 'INVALID_AUTHENTICATION'),
    }),
    emptySuccess: () => ({ status: success, body: EMPTY }),
  };
}
