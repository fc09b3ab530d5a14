// What becomes of a run whose code does not fit its journal: it is told of, and set aside until code comes that fits.
import type { Activation } from '../engine/activation.ts'
import { toMs } from '../lib/duration.ts'
import {
  differenceLines,
  differenceText,
  divergenceFrom,
  divergenceRemedy,
  divergenceText,
  isTakenForOne,
  remedyForSlow,
  turnsFrom,
  type Difference,
  type Divergence,
  type DivergencePolicy,
} from '../model/divergence.ts'
import type { Claimed } from '../store/store.ts'
import type { WaitRecord } from '../store/waits.ts'

// Whose code fits wakes it when it starts; this is for when both are there for a while, and the wrong one took it again.
const leastPauseMs = toMs('30s')
const mostPauseMs = toMs('1h')

// What a former activation could be woken for, and the code does not wait for.
const wokenFor: ReadonlySet<WaitRecord['kind']> = new Set(['diverged', 'ask'])

/** What a run still waits for, by what its former activation left. */
export function openWaits({ steps, waits }: Claimed): readonly WaitRecord[] {
  if (waits.length === 0) return waits
  const done = new Set(steps.map(({ path }) => path))
  const diverged = waits.find(({ kind }) => kind === 'diverged')
  const turns = diverged === undefined ? [] : turnsFrom(diverged.name)
  const inLine = turns.map(({ path, turn }): WaitRecord => ({ path, kind: 'limiter', name: turn, dueAt: null }))
  return [...waits, ...inLine].filter(({ kind, path }) => !wokenFor.has(kind) && !done.has(path))
}

/** As its definition says, or its engine. */
export function policyOf({ definition, around }: Activation): DivergencePolicy {
  if (around.rehearsing !== undefined) return 'strict'
  return definition.settings.divergence ?? around.divergence
}

/** Tells of what was found, and with the policy `strict` sets the run aside with all it waits for. */
export function tellOfDifference(activation: Activation, waits: readonly WaitRecord[], difference: Difference): void {
  if (activation.isOver) return
  if (activation.around.rehearsing !== undefined) return activation.around.rehearsing.found(difference)
  const { claimed, definition, deps } = activation
  const { name } = definition
  const known = divergenceFrom(claimed.waits.find(({ kind }) => kind === 'diverged')?.name ?? null)
  const lines = differenceLines(difference).join('\n')
  const fields = { run: claimed.id, definition: name, version: definition.version }
  const text = `code of '${name}' that does not fit its journal: ${differenceText(difference)}`
  if (policyOf(activation) !== 'strict') {
    const hint = isTakenForOne(difference) ? `\n${remedyForSlow}` : ''
    return deps.log.warn(fields, `a run goes on with ${text}\n${lines}${hint}`)
  }
  const now = deps.store.now()
  const divergence: Divergence = { ...difference, since: known?.since ?? now }
  const isNews = known === undefined || differenceText(known) !== differenceText(difference)
  deps.log[isNews ? 'error' : 'debug'](
    fields,
    `a run was set aside, for ${text}\n${lines}\n${divergenceRemedy(difference)}`,
  )
  const dueAt = now + Math.min(mostPauseMs, Math.max(leastPauseMs, now - divergence.since))
  // Whoever is set aside stands in no line, and is there again where it was when it goes on.
  const others = waits.filter(({ kind }) => kind !== 'limiter')
  const turns = waits.flatMap(({ kind, path, name }) => (kind === 'limiter' ? [{ path, turn: name ?? '' }] : []))
  const wait: WaitRecord = { path: '', kind: 'diverged', name: divergenceText(divergence, turns), dueAt }
  activation.park([...others, wait], dueAt)
}
