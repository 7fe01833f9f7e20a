import type { Config } from '@wrapup/config';
import type { ApiToken, AuditedOperator, Store } from '@wrapup/queue';
import type { Logger } from '@wrapup/telemetry';
import type { z } from 'zod';
import type { Latest } from '../routes/actions.ts';
import type { ApiOperation, OPERATIONS, OperationId } from './contract.ts';

export interface ApiParts {
  store: Store;
  config: () => Config;
  /** The configuration as its files are now. */
  latest: () => Promise<Latest>;
  /** Names of all connections that have a queue, configured or not. */
  connections: () => Promise<string[]>;
  log: Logger;
}

type QueryOf<O> = O extends { query: infer Q extends z.ZodType } ? z.output<Q> : undefined;
type BodyOf<O> = O extends { body: infer B extends z.ZodType } ? z.output<B> : undefined;

/** A request that was let in, with what it gave, checked. */
export interface CheckedRequest<O extends ApiOperation = ApiOperation> {
  /** Of the path, decoded. */
  params: Record<string, string>;
  query: QueryOf<O>;
  body: BodyOf<O>;
  token: ApiToken;
  by: AuditedOperator;
  /** Client that it may see: the token's, or the one that it asks for; undefined: all. */
  client: string | undefined;
}

/** What answers each operation of a part of the API. */
export type Handlers<Id extends OperationId> = {
  [One in Id]: (
    request: CheckedRequest<(typeof OPERATIONS)[One]>,
  ) => Promise<z.input<(typeof OPERATIONS)[One]['answer']>>;
};
