/**
 * HubSpot's official client over our own transport: its generated classes build the requests and `send` sends them.
 *
 * The client as a whole has no timeout, cannot be aborted and keeps one token for its lifetime. Its generated classes take
 * an HTTP library when they are made, so each request has its own; a library given with a single call is ignored (14.0.1).
 */
import type { Send } from '@wrapup/destination/http';

type Associations = typeof import('@hubspot/api-client/lib/codegen/crm/associations/v4/index.js');
type Labels = typeof import('@hubspot/api-client/lib/codegen/crm/associations/v4/schema/index.js');
type Objects = typeof import('@hubspot/api-client/lib/codegen/crm/objects/index.js');
type Owners = typeof import('@hubspot/api-client/lib/codegen/crm/owners/index.js');
type Properties = typeof import('@hubspot/api-client/lib/codegen/crm/properties/index.js');

/** The parts of the client that are loaded. */
export interface GeneratedModules {
  associations: Associations;
  labels: Labels;
  objects: Objects;
  owners: Owners;
  properties: Properties;
}

/** Loads them. Only called where a connection of this kind exists: it takes a third of a second. */
export async function loadGenerated(): Promise<GeneratedModules> {
  const [associations, labels, objects, owners, properties] = await Promise.all([
    import('@hubspot/api-client/lib/codegen/crm/associations/v4/index.js'),
    import('@hubspot/api-client/lib/codegen/crm/associations/v4/schema/index.js'),
    import('@hubspot/api-client/lib/codegen/crm/objects/index.js'),
    import('@hubspot/api-client/lib/codegen/crm/owners/index.js'),
    import('@hubspot/api-client/lib/codegen/crm/properties/index.js'),
  ]);
  return { associations, labels, objects, owners, properties };
}

/** The generated classes for one request: each is made when it is used, and costs a fraction of a millisecond. */
export class GeneratedClient {
  readonly #modules: GeneratedModules;
  readonly #baseUrl: string;
  readonly #send: Send;

  constructor(modules: GeneratedModules, baseUrl: string, send: Send) {
    this.#modules = modules;
    this.#baseUrl = baseUrl;
    this.#send = send;
  }

  get records() {
    return new this.#modules.objects.BasicApi(this.#configure(this.#modules.objects));
  }
  get batches() {
    return new this.#modules.objects.BatchApi(this.#configure(this.#modules.objects));
  }
  get searches() {
    return new this.#modules.objects.SearchApi(this.#configure(this.#modules.objects));
  }
  get associations() {
    return new this.#modules.associations.BatchApi(this.#configure(this.#modules.associations));
  }
  get labels() {
    return new this.#modules.labels.DefinitionsApi(this.#configure(this.#modules.labels));
  }
  get properties() {
    return new this.#modules.properties.CoreApi(this.#configure(this.#modules.properties));
  }
  get propertyGroups() {
    return new this.#modules.properties.GroupsApi(this.#configure(this.#modules.properties));
  }
  get owners() {
    return new this.#modules.owners.OwnersApi(this.#configure(this.#modules.owners));
  }

  /** A configuration of that module whose HTTP library sends through `send`. */
  #configure<Configuration>(module: GeneratedModule<Configuration>): Configuration {
    const library = {
      send: async (request: BuiltRequest) => {
        const { status, headers, text } = await this.#send({
          method: request.getHttpMethod(),
          url: request.getUrl(),
          headers: request.getHeaders(),
          body: request.getBody(),
        });
        const body = { text: async () => text, binary: async () => Buffer.from(text) };
        return new module.ResponseContext(status, headers, body);
      },
    };
    const options = {
      baseServer: new module.ServerConfiguration(this.#baseUrl, {}),
      httpApi: module.wrapHttpLibrary(library as never),
    };
    return module.createConfiguration(options as never);
  }
}

/** What the generated modules have in common: the same code five times, of which TypeScript does not know that it is. */
interface GeneratedModule<Configuration> {
  createConfiguration(options: never): Configuration;
  wrapHttpLibrary(library: never): unknown;
  ServerConfiguration: new (url: string, variables: Record<string, string>) => unknown;
  ResponseContext: new (
    status: number,
    headers: Record<string, string>,
    body: { text(): Promise<string>; binary(): Promise<Buffer> },
  ) => unknown;
}

interface BuiltRequest {
  getHttpMethod(): string;
  getUrl(): string;
  getHeaders(): Record<string, string>;
  getBody(): string | undefined;
}

/** The client's own paths and the dated ones that replace them. */
const DATED_PATHS: [from: string, to: (version: string) => string][] = [
  ['/crm/v3/objects/', (version) => `/crm/objects/${version}/`],
  ['/crm/v4/objects/', (version) => `/crm/objects/${version}/`],
  ['/crm/v4/associations/', (version) => `/crm/associations/${version}/`],
  ['/crm/v3/properties/', (version) => `/crm/properties/${version}/`],
  ['/crm-object-schemas/v3/', (version) => `/crm-object-schemas/${version}/`],
  ['/crm/v3/pipelines/', (version) => `/crm/pipelines/${version}/`],
  // The client's own path ends in a slash, the dated one does not.
  ['/crm/v3/owners/?', (version) => `/crm/owners/${version}?`],
  ['/crm/v3/owners', (version) => `/crm/owners/${version}`],
];

/** Rewrites the client's v3 and v4 paths to `version`; `v3` leaves them. */
export function datePath(url: string, version: string): string {
  if (version === 'v3') return url;
  for (const [from, to] of DATED_PATHS) if (url.includes(from)) return url.replace(from, to(version));
  return url;
}
