/**
 * Proves the sender of a body from its bytes, while they arrive and before they are parsed.
 *
 * unproved   nothing proves the sender yet; little is read (`UNPROVED`), and its room is given to others
 * proved     by the path token before the body, or by the signature of a call id as soon as that id has arrived
 *
 * The complete body decides: a later member with the same name replaces an earlier one, and so does its id.
 */
import type { Source } from '@wrapup/config';
import { SYNTHETIC_ID, type Verified } from '@wrapup/queue';
import { CallIdReader, readCallId, type ScanProblem, verifySignature } from '@wrapup/synthflow';
import { UNPROVED } from '../body/collect-body.ts';
import type { Share } from '../body/in-flight.ts';
import { HttpProblem } from '../http/http-problem.ts';
import { findCallIds, idOfBytes } from './unrecognised.ts';

/** The call and the proof of its sender, read from the bytes. */
export interface CallIdentity {
  call_id: string;
  verified: Verified;
  /** Whether the id stands where Synthflow, its API or a known workflow puts it. */
  known: boolean;
}

/** A source with a path token is found by that token only, so it proves the sender. */
export function hasToken(source: Source): boolean {
  return source.path_token.some(Boolean);
}

/** Whether calls of this source must be signed: wherever they can be, except under `trust: none`. */
function demandsSignature(source: Source): boolean {
  return source.trust === 'signature' || (source.trust === 'api' && source.webhook_secrets.some(Boolean));
}

/**
 * Checks what can be checked before the body is read.
 * @throws HttpProblem `signature-missing`, `no-proof`
 */
export function requireProof(source: Source, signature: string | undefined): void {
  if (hasToken(source)) return;
  if (signature === undefined && demandsSignature(source)) throw new HttpProblem('signature-missing');
  // Without a secret and a token, anyone could have calls read on the API key of the source.
  if (source.trust === 'api' && !demandsSignature(source)) throw new HttpProblem('no-proof');
}

export class SenderProof {
  readonly #source: Source;
  readonly #signature: string | undefined;
  readonly #share: Share;
  readonly #reader = new CallIdReader();
  #changes = 0;
  /** The last id whose signature was right. */
  #signed: string | undefined;

  /** @param share is proved when the path token was right */
  constructor(source: Source, signature: string | undefined, share: Share) {
    this.#source = source;
    this.#signature = signature;
    this.#share = share;
  }

  /**
   * Reads what has arrived so far, and proves the share when it holds a signed id.
   * @throws HttpProblem `too-many-values`, `too-deep`, `signature-wrong`
   */
  examine(bytes: Buffer, end: number): void {
    this.#reader.advance(bytes, end);
    const { problem } = this.#reader;
    // A body that is not JSON may also be too large, which is the better reason.
    if (problem && problem.what !== 'not-json') throw problemOf(problem);
    if (this.#share.proved) return;
    if (this.#changes !== this.#reader.changes) {
      this.#changes = this.#reader.changes;
      const { ids, candidates } = this.#reader;
      if ((ids.length > 0 ? ids : [...candidates]).some((id) => this.#isSigned(id))) {
        // Names of sources hold no space.
        this.#share.prove(`${this.#source.name} ${this.#signed}`);
      }
    }
    // Beyond what is read of unproved senders, a wrong signature is the better reason.
    if (!this.#share.proved && end > UNPROVED.body && this.#reader.ids.length > 0)
      this.#verify(this.#reader.ids[0] as string);
  }

  /**
   * Returns what the complete body proves.
   * @throws HttpProblem `not-json`, `too-many-values`, `too-deep`, `no-call-id`, `two-call-ids`, `signature-missing`, `signature-wrong`
   */
  identify(body: Buffer): CallIdentity {
    const problem = this.#reader.finish(body, body.length);
    if (problem) throw problemOf(problem);
    const { ids, candidates } = this.#reader;
    const [id] = ids;
    if (ids.length > 1) throw new HttpProblem('two-call-ids');
    if (id !== undefined) return { call_id: id, verified: this.#verify(id), known: true };
    const signed = [...candidates].find((candidate) => this.#isSigned(candidate));
    if (signed !== undefined) return { call_id: signed, verified: 'signature', known: false };
    if (hasToken(this.#source)) return { call_id: idOfBytes(body), verified: 'none', known: false };
    const [first] = candidates;
    if (first === undefined) throw new HttpProblem('no-call-id');
    return { call_id: first, verified: this.#verify(first), known: false };
  }

  /**
   * Returns what proves this id. Where no proof is required, a signature may be absent but not wrong; without secrets it
   * cannot be verified.
   * @throws HttpProblem `signature-missing`, `signature-wrong`
   */
  #verify(id: string): Verified {
    const source = this.#source;
    if (this.#signature === undefined) {
      if (demandsSignature(source)) throw new HttpProblem('signature-missing');
      return 'none';
    }
    if (this.#isSigned(id)) return 'signature';
    if (demandsSignature(source) || source.webhook_secrets.some(Boolean)) throw new HttpProblem('signature-wrong');
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
 * Compares the parsed payload with what was read from its bytes, so that no id is used that was not verified.
 * @throws HttpProblem `no-call-id`
 */
export function confirmIdentity({ call_id, known }: CallIdentity, payload: unknown): void {
  const read = readCallId(payload);
  const agrees = known
    ? read === call_id
    : read === undefined && (call_id.startsWith(SYNTHETIC_ID) || findCallIds(payload).includes(call_id));
  if (!agrees) throw new HttpProblem('no-call-id', 'No call id stands where it is looked for.');
}

function problemOf(problem: ScanProblem): HttpProblem {
  if (problem.what === 'not-json') return new HttpProblem('not-json', `It stops being JSON at byte ${problem.at}.`);
  const limit = problem.limit.toLocaleString('en');
  return problem.what === 'too-deep'
    ? new HttpProblem('too-deep', `The limit is ${limit} levels of nesting.`)
    : new HttpProblem('too-many-values', `The limit is ${limit} values in one body.`);
}
