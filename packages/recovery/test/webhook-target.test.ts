import { expect, it } from 'vitest';
import { findWebhookTarget } from '../src/index.ts';

const main = { name: 'main', path_token: [] };
const guarded = { name: 'main', path_token: ['new-token-1', 'old-token-1'] };
const HOST = 'https://hooks.example.com';

it.each([
  ['no address', undefined, main, 'nowhere'],
  ['an empty one', ' ', main, 'nowhere'],
  ['the source’s', `${HOST}/webhooks/main/post-call`, main, 'here'],
  ['behind a path of a proxy', `${HOST}/wrapup/webhooks/main/post-call/`, main, 'here'],
  ['with any of the tokens in force', `${HOST}/webhooks/main/old-token-1/post-call`, guarded, 'here'],
  ['without the token', `${HOST}/webhooks/main/post-call`, guarded, 'no-token'],
  ['with a token of before', `${HOST}/webhooks/main/gone-token-1/post-call`, guarded, 'old-token'],
  ['with a token where there is none', `${HOST}/webhooks/main/gone-token-1/post-call`, main, 'old-token'],
  ['the other kind of webhook', `${HOST}/webhooks/main/inbound-call`, main, 'wrong-path'],
  ['a source that is not there', `${HOST}/webhooks/mian/post-call`, main, 'wrong-path'],
  ['another source', `${HOST}/webhooks/second/post-call`, main, 'other-source'],
  ['another system', 'https://hooks.zapier.example/hooks/catch/1/secret/?key=secret', main, 'elsewhere'],
  ['no address at all', 'not an address', main, 'elsewhere'],
] as const)('%s', (_name, url, source, points) => {
  const pointing = findWebhookTarget(url, 'post-call', { ...source, path_token: [...source.path_token] }, [
    'main',
    'second',
  ]);
  expect(pointing.points).toBe(points);
  expect(pointing.address ?? '').not.toMatch(/secret|token-1/);
});
