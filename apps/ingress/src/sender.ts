/**
 * Who sent a body, decided from its bytes while they come in and before anything parses them.
 *
 * unproved   nothing speaks for the sender yet; little is read (`UNPROVED`), and room is made at its expense
 * proved     by the path token before the body, or by the signature of a call id as soon as that id has come
 *
 * The last word is said when the body is complete: a later member with the same name takes the place of an earlier one,
 * and so does its id.
 */
import type { Source } from '@wrapup/config';
import { SYNTHETIC_ID, type Verified } from '@wrapup/queue';
import { CallIdReader, readCallId, type ScanProblem, verifySignature } from '@wrapup/synthflow';
import { UNPROVED } from './collect-body.ts';
import type { Share } from './in-flight.ts';
import { Refusal } from './refusal.ts';
import { findCallIds, idOfBytes } from './unrecognised.ts';

/** What the bytes say about call and sender. */
export interface Identity {
  call_id: string;
  verified: Verified;
  /** Whether the id stands where Synthflow, its API or a known workflow puts it. */
  known: boolean;
}

/** A source that has a path token was only found by it. */
export function hasToken(source: Source): boolean {
  return source.path_token.some(Boolean);
}

/** Whether a call of this source must be signed: everywhere where it can be, except under `trust: none`. */
export function demandsSignature(source: Source): boolean {
  return source.trust === 'signature' || (source.trust === 'api' && source.webhook_secrets.some(Boolean));
}

/**
 * What can be said before the body is read.
 * @throws Refusal `signature-missing`, `no-proof`
 */
export function requireProof(source: Source, signature: string | undefined): void {
  if (hasToken(source)) return;
  if (signature === undefined && demandsSignature(source)) throw new Refusal('signature-missing');
  // Without a secret and without a token anybody could make us read calls on the key of the source.
  if (source.trust === 'api' && !demandsSignature(source)) throw new Refusal('no-proof');
}

export class Sender {
  readonly #source: Source;
  readonly #signature: string | undefined;
  readonly #share: Share;
  readonly #reader = new CallIdReader();
  #changes = 0;
  /** The last id whose signature was found right. */
  #signed: string | undefined;

  /** @param share is proved when the path token was right */
  constructor(source: Source, signature: string | undefined, share: Share) {
    this.#source = source;
    this.#signature = signature;
    this.#share = share;
  }

  /**
   * Looks at what has come so far, and proves the share when it carries a signed id.
   * @throws Refusal `too-many-values`, `too-deep`, `signature-wrong`
   */
  examine(bytes: Buffer, end: number): void {
    this.#reader.advance(bytes, end);
    const { problem } = this.#reader;
    // What is no JSON may still be too large, which says more.
    if (problem && problem.what !== 'not-json') throw refusalOf(problem);
    if (this.#share.proved) return;
    if (this.#changes !== this.#reader.changes) {
      this.#changes = this.#reader.changes;
      const { ids, candidates } = this.#reader;
      if ((ids.length > 0 ? ids : [...candidates]).some((id) => this.#isSigned(id))) {
        // Names of sources hold no space.
        this.#share.prove(`${this.#source.name} ${this.#signed}`);
      }
    }
    // Past what is read of strangers, a wrong signature is the better reason.
    if (!this.#share.proved && end > UNPROVED.body && this.#reader.ids.length > 0)
      this.#verify(this.#reader.ids[0] as string);
  }

  /**
   * What the complete body says.
   * @throws Refusal `not-json`, `too-many-values`, `too-deep`, `no-call-id`, `two-call-ids`, `signature-missing`, `signature-wrong`
   */
  identify(body: Buffer): Identity {
    const problem = this.#reader.finish(body, body.length);
    if (problem) throw refusalOf(problem);
    const { ids, candidates } = this.#reader;
    const [id] = ids;
    if (ids.length > 1) throw new Refusal('two-call-ids');
    if (id !== undefined) return { call_id: id, verified: this.#verify(id), known: true };
    const signed = [...candidates].find((candidate) => this.#isSigned(candidate));
    if (signed !== undefined) return { call_id: signed, verified: 'signature', known: false };
    if (hasToken(this.#source)) return { call_id: idOfBytes(body), verified: 'none', known: false };
    const [first] = candidates;
    if (first === undefined) throw new Refusal('no-call-id');
    return { call_id: first, verified: this.#verify(first), known: false };
  }

  /**
   * What proves this id. Where nothing has to, a signature may be absent but not wrong; without secrets nothing can be
   * said about it.
   * @throws Refusal `signature-missing`, `signature-wrong`
   */
  #verify(id: string): Verified {
    const source = this.#source;
    if (this.#signature === undefined) {
      if (demandsSignature(source)) throw new Refusal('signature-missing');
      return 'none';
    }
    if (this.#isSigned(id)) return 'signature';
    if (demandsSignature(source) || source.webhook_secrets.some(Boolean)) throw new Refusal('signature-wrong');
    return 'none';
  }

  #isSigned(id: string): boolean {
    if (this.#signed === id) return true;
    const signed = verifySignature({ callId: id, secrets: this.#source.webhook_secrets, header: this.#signature });
    if (signed) this.#signed = id;
    return signed;
  }
}

/**
 * Holds the parsed payload against what its bytes said, so that no id that was not verified is ever used.
 * @throws Refusal `no-call-id`
 */
export function confirmIdentity({ call_id, known }: Identity, payload: unknown): void {
  const read = readCallId(payload);
  const agrees = known
    ? read === call_id
    : read === undefined && (call_id.startsWith(SYNTHETIC_ID) || findCallIds(payload).includes(call_id));
  if (!agrees) throw new Refusal('no-call-id', 'No call id stands where it is looked for.');
}

function refusalOf(problem: ScanProblem): Refusal {
  if (problem.what === 'not-json') return new Refusal('not-json', `It stops being JSON at byte ${problem.at}.`);
  const limit = problem.limit.toLocaleString('en');
  return problem.what === 'too-deep'
    ? new Refusal('too-deep', `The limit is ${limit} levels of nesting.`)
    : new Refusal('too-many-values', `The limit is ${limit} values in one body.`);
}
