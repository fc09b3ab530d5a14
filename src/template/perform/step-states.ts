// What workers that are steps of a run keep from one attempt to the next, as it is now: a claim tells what it was.
import type { Activation } from '../../engine/activation/activation.ts'
import type { HeldRecord } from '../../engine/writes.ts'
import { checkpointKey, stateKeyOf } from '../../model/path.ts'
import type { RememberedState } from '../../store/store.ts'

type Values = Map<string, string>

const nothing: ReadonlyMap<string, string> = new Map()

const keptBy = new WeakMap<Activation, Values>()

/** What one step kept, under the keys that its worker knows. */
export function statesOfStep(activation: Activation, path: string): readonly RememberedState[] {
  const prefix = stateKeyOf(path, '')
  const found: RememberedState[] = []
  for (const [key, value] of statesOf(activation))
    if (key.startsWith(prefix)) found.push({ key: key.slice(prefix.length), value })
  return found
}

/** What a step keeps as its run is to keep it. */
export function keepState(activation: Activation, path: string, kept: HeldRecord): HeldRecord {
  if (kept.list !== 'states') return kept
  const { value } = kept.record
  const key = stateKeyOf(path, kept.record.key)
  const values = keptBy.get(activation) ?? new Map(statesOf(activation))
  keptBy.set(activation, values)
  if (value === null) values.delete(key)
  else values.set(key, value)
  return { list: 'states', record: { ...kept.record, key } }
}

/** What is written with the success of a step: it has no place to go on from any more. */
export function withoutCheckpoint(activation: Activation, path: string): readonly HeldRecord[] {
  if (!statesOf(activation).has(stateKeyOf(path, checkpointKey))) return []
  const { held } = activation
  return [keepState(activation, path, { list: 'states', record: { held, key: checkpointKey, value: null } })]
}

/** Of most runs nothing. */
function statesOf(activation: Activation): ReadonlyMap<string, string> {
  const { states } = activation.claimed
  const values = keptBy.get(activation)
  if (values !== undefined || states.length === 0) return values ?? nothing
  const claimed = new Map(states.map(({ key, value }) => [key, value]))
  keptBy.set(activation, claimed)
  return claimed
}
