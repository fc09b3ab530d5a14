// A run that this process cannot read: one whose key it was not given is left to those that have it, one that was changed has failed.
import { toMs } from '../lib/duration.ts'
import type { TroupeError } from '../lib/errors.ts'
import { failureOf } from '../lib/value-codec.ts'
import { divergenceFrom, divergenceText, turnsFrom, type Divergence } from '../model/divergence.ts'
import type { Claimed, Store } from '../store/store.ts'
import type { Activation } from './activation.ts'
import { goOnWith } from './later.ts'

// Whoever has the key takes it when it starts; this is for when both are there, and the wrong one took it.
const pauseMs = toMs('1m')

/** Whether the code of a run is not what it goes on with. */
export function isDecided({ unread, awaiting }: Claimed): boolean {
  return awaiting !== undefined || unread !== undefined
}

/** What somebody made of it from outside is taken in; what cannot be read is left. */
export function goOnWithout(activation: Activation): unknown {
  const { unread, awaiting } = activation.claimed
  if (unread !== undefined) return leaveUnread(activation, unread)
  return awaiting === undefined ? undefined : goOnWith(activation, awaiting)
}

/** Sets a run aside with all it waits for. Throws why it cannot be read where no other process could. */
function leaveUnread(activation: Activation, why: TroupeError): void {
  if (why.retryable !== true || activation.around.rehearsing !== undefined) throw why
  const { claimed, definition, deps } = activation
  const before = claimed.waits.find(({ kind }) => kind === 'diverged')?.name ?? null
  const known = divergenceFrom(before)
  const now = deps.store.now()
  const holds = { path: '', kind: 'value' }
  const divergence: Divergence = { holds, more: 0, asked: [], unread: why.message, since: known?.since ?? now }
  const fields = { run: claimed.id, definition: definition.name }
  deps.log[known === undefined ? 'error' : 'debug'](fields, `a run was set aside, as it cannot be read: ${why.message}`)
  const others = claimed.waits.filter(({ kind }) => kind !== 'limiter' && kind !== 'diverged')
  const dueAt = now + pauseMs
  activation.park(
    [...others, { path: '', kind: 'diverged', name: divergenceText(divergence, turnsFrom(before)), dueAt }],
    dueAt,
  )
}

/** Throws when what was written last cannot be read for want of a codec or a key: whoever performs runs here would take those that are not for it. */
export async function checkReadable(store: Store): Promise<void> {
  const [newest] = await store.listRuns({ limit: 1 })
  const why = newest && failureOf(newest.input)
  if (why?.retryable === true) throw why
}
