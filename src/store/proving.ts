// Opening a store with codecs: they have to be those that its values are written with.
import { seenFromOutside, type Coding } from '../model/codecs/codecs.ts'
import { codecMissing, isProved, proofOf } from '../model/codecs/proof.ts'
import type { Store } from './store.ts'

/** Throws `value_unreadable` when there are codecs and none is given, or the keys of some are others than those of their names. */
export async function checkCoding(store: Store, coding: Coding | undefined): Promise<void> {
  const [current, ...others] = await store.codings.list()
  if (current === undefined) return
  if (coding !== undefined) for (const proof of [current, ...others]) isProved(coding, proof)
  else if (current.form !== '') throw codecMissing(current)
}

/**
 * The same for who is about to write, which is told to whoever comes next.
 *
 * Who lacks the key of what is written now stays behind: it does not serve, and changes nothing for those who have it.
 */
export async function proveCoding(store: Store, coding: Coding | undefined): Promise<void> {
  await checkCoding(store, coding)
  if (coding === undefined) return
  const own = proofOf(coding)
  const [current = { form: '', proof: '' }] = await store.codings.list()
  if (current.form === own.form || !isProved(coding, current)) return
  await store.codings.use(own)
  // Race: another process may have come before with another key of that name.
  await checkCoding(store, coding)
}

/** For those who only look: of a store with codecs they write nothing but why they cancel. */
export async function codingFromOutside(store: Store): Promise<Coding> {
  const [current] = await store.codings.list()
  if (current === undefined || current.form === '') return seenFromOutside
  const refusing = (allowed: string) => (text: string, place: string) => {
    if (place !== allowed) throw codecMissing(current)
    return text
  }
  return { ...seenFromOutside, write: refusing('reason'), writeError: refusing('outcome') }
}
