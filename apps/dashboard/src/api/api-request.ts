import type { ApiToken, AuditedOperator } from '@wrapup/queue';
import type { z } from 'zod';
import type { ApiOperation, OPERATIONS, OperationId } from './contract.ts';

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
