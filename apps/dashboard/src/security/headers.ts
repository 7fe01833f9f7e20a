import type { RequestHandler } from 'express';

const SHARED = "default-src 'self'; object-src 'none'; frame-ancestors 'none'; form-action 'self'";

/** Our own pages need no script at all. */
const PAGE_POLICY = `${SHARED}; script-src 'none'; base-uri 'none'`;
/** Those that have one load it from here: to say in which time zone the browser is, or to edit a mapping. */
export const SCRIPT_POLICY = `${SHARED}; script-src 'self'; base-uri 'none'`;
/** Two style elements that Bull Board 9.10.1 adds: the colours of its Redis icon, and one that hides scroll bars. */
const BOARD_STYLES = [
  'sha256-r2N1TB/gHbBtBZFKg7ejmq1acVSREzucTAEw6ga4hoU=',
  'sha256-kLmvWqfziFavKtqHqRsb90f006UAK2Dmd0It5Iz2KFA=',
];
/** Bull Board is a script, its page sets a base address and draws icons from data. */
export const BOARD_POLICY = `${SHARED}; style-src 'self' ${BOARD_STYLES.map((hash) => `'${hash}'`).join(' ')}; img-src 'self' data:; base-uri 'self'`;

/**
 * Headers of every answer. The referrer policy is `same-origin` rather than `no-referrer`: both tell other sites
 * nothing, but under the latter browsers send `Origin: null` with forms (https://fetch.spec.whatwg.org/#append-a-request-origin-header),
 * and the origin is what writes are judged by.
 */
export const setHeaders: RequestHandler = (_request, response, next) => {
  response.set({
    'content-security-policy': PAGE_POLICY,
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'referrer-policy': 'same-origin',
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'x-robots-tag': 'noindex, nofollow',
    'cache-control': 'no-store',
  });
  next();
};
