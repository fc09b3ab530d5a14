// In which forms codecs have written into the store: whoever opens it is told by their proofs whether it can read that, whatever else is kept.
import type { Proof } from '../model/codecs/proof.ts'

export interface CodingStore {
  /** The form of whoever opened the store last comes first. Nothing before there was a codec. */
  list(): Promise<Proof[]>
  /** Values are in that form from now on. The first proof of a form is kept. */
  use(coding: Proof): Promise<void>
}
