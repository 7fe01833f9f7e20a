/** Deployments by REST. */
import { bodyOf, type SalesforceEndpoint } from '../http/endpoint.ts';
import { malformedJson } from '../http/refusal.ts';

export const metadataEndpoints: SalesforceEndpoint[] = [
  {
    method: 'POST',
    path: '/metadata/deployRequest',
    operation: 'metadata/deploy',
    handle: (call) => {
      const { file, deployOptions } = bodyOf(call) as { file?: string; deployOptions?: { checkOnly?: boolean } };
      if (file === undefined) throw malformedJson('The zip file is missing');
      const id = call.org.deployments.start(file, deployOptions?.checkOnly === true);
      const deployResult = { ...call.org.deployments.status(id, false), done: false, status: 'Pending' };
      return { status: 201, body: { id, deployOptions, deployResult } };
    },
  },
  {
    method: 'GET',
    path: '/metadata/deployRequest/:id',
    operation: 'metadata/status',
    handle: ({ org, params, query }) => {
      const id = params.id ?? '';
      return {
        status: 200,
        body: { id, deployResult: org.deployments.status(id, query.get('includeDetails') === 'true') },
      };
    },
  },
];
