// What tells whether a coding reads what another wrote: a text that everybody knows, as that one writes it.
import { codecText, failureOf, layersOf, withoutCodec } from '../../lib/coded-text.ts'
import { TroupeError } from '../../lib/errors.ts'
import type { Coding } from './codecs.ts'

const known = 'jtrue'
/** Where it is found. */
export const proofPlace = 'value'

/** A form of values: codecs, the outermost first, with the names of their keys; empty for values that are in no other. */
export interface Proof {
  readonly form: string
  /** What everybody knows, in that form. */
  readonly proof: string
}

/** Of what this coding writes; its form is empty where that is no other than without. */
export function proofOf(coding: Coding): Proof {
  const proof = coding.write(known, proofPlace)
  return { form: layersOf(proof).join(','), proof }
}

/** Whether the coding has the keys of a form. Throws `value_unreadable` where its keys only have their names. */
export function isProved(coding: Coding, { form, proof }: Proof): boolean {
  if (form === '') return true
  const read = coding.read(proof, proofPlace)
  if (read === known) return true
  if (failureOf(read)?.retryable === true) return false
  throw otherKey(proof)
}

/** Who has no codecs would write what everybody can read. */
export function codecMissing({ proof }: Proof): TroupeError {
  return new TroupeError(
    'value_unreadable',
    `The values of this store are written ${codecText(proof)}, and this process was given no codec: give it the same { codec } as those who write them.`,
    { retryable: false, details: { ...withoutCodec(proof).details } },
  )
}

function otherKey(proof: string): TroupeError {
  return new TroupeError(
    'value_unreadable',
    `The values of this store are written ${codecText(proof)}, and what this process was given by that name is another: give it the right one, or give the other one a name of its own.`,
    { retryable: false, details: { ...withoutCodec(proof).details } },
  )
}
