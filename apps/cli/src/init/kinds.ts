/** What `wrapup init` writes for each kind of destination: its connection, and the variables it needs. */

export interface InitKind {
  /** Name that the connection gets unless said otherwise. */
  connection: string;
  /** Lines of the connection in wrapup.yaml, below its name. */
  settings: string[];
  variables: { name: string; about: string }[];
  /** Property of the CRM that a variable may be written to, and how it begins when Wrapup is to create it. */
  property(variable: string): string;
}

const words = (name: string) => name.split(/[^\p{L}\p{N}]+/u).filter(Boolean);
const capital = (word: string) => word.charAt(0).toUpperCase() + word.slice(1);

export const INIT_KINDS: Record<string, InitKind> = {
  hubspot: {
    connection: 'sales',
    settings: ['access_token: "${HUBSPOT_ACCESS_TOKEN}"', 'base_url: "${HUBSPOT_BASE_URL:-https://api.hubapi.com}"'],
    variables: [
      {
        name: 'HUBSPOT_ACCESS_TOKEN',
        about:
          'HubSpot: Settings > Integrations > Service keys, with crm.objects.contacts.read and .write, crm.schemas.contacts.read and .write.',
      },
    ],
    // `wrapup provision` creates what begins with wrapup_.
    property: (variable) => `wrapup_${words(variable).join('_').toLowerCase()}`,
  },
  salesforce: {
    connection: 'service',
    settings: [
      'login_url: "${SALESFORCE_LOGIN_URL}"',
      'client_id: "${SALESFORCE_CLIENT_ID}"',
      'client_secret: "${SALESFORCE_CLIENT_SECRET}"',
    ],
    variables: [
      { name: 'SALESFORCE_LOGIN_URL', about: 'The org’s My Domain address: https://acme.my.salesforce.com.' },
      {
        name: 'SALESFORCE_CLIENT_ID',
        about: 'Consumer key of an external client app with the client credentials flow.',
      },
      { name: 'SALESFORCE_CLIENT_SECRET', about: 'Its consumer secret.' },
    ],
    property: (variable) => `Wrapup_${words(variable).map(capital).join('_')}__c`,
  },
  http: {
    connection: 'events',
    settings: ['url: "${WEBHOOK_URL}"', 'secret: "${WEBHOOK_SECRET:-}"'],
    variables: [
      { name: 'WEBHOOK_URL', about: 'Where events are sent: Zapier, Make, n8n, Slack, your own system.' },
      {
        name: 'WEBHOOK_SECRET',
        about: 'Signs the events; whsec_… and optional: echo "whsec_$(openssl rand -base64 32)".',
      },
    ],
    property: (variable) => words(variable).join('_').toLowerCase(),
  },
};
