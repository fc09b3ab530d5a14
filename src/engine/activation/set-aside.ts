// Setting a run aside: it is parked with all it waits for, and none of that wakes it, until code or a key is there that it goes on with.
import { toMs } from '../../lib/duration.ts'
import { divergenceFrom, divergenceText, turnsFrom, type Difference, type Divergence } from '../../model/divergence.ts'
import type { Claimed } from '../../store/store.ts'
import type { WaitRecord } from '../../store/waits.ts'
import type { Activation } from './activation.ts'

// Whoever can go on with it takes it when it starts; this is for when both are there for a while, and the wrong one took it again.
const leastPauseMs = toMs('30s')
const mostPauseMs = toMs('1h')

/** What a run still waits for, by what its former activation left; one that was set aside has its places before limiters again. */
export function openWaits({ steps, waits }: Pick<Claimed, 'steps' | 'waits'>): readonly WaitRecord[] {
  if (waits.length === 0) return waits
  const done = new Set(steps.map(({ path }) => path))
  const turns = turnsFrom(asideText(waits))
  const inLine = turns.map(({ path, turn }): WaitRecord => ({ path, kind: 'limiter', name: turn, dueAt: null }))
  return [...waits, ...inLine].filter(({ kind, path }) => kind !== 'diverged' && !done.has(path))
}

/** What it was set aside for before this activation. */
export function knownDivergence({ waits }: Pick<Claimed, 'waits'>): Divergence | undefined {
  return divergenceFrom(asideText(waits))
}

/** Parks the run with these waits, later and later. */
export function setAside(activation: Activation, waits: readonly WaitRecord[], difference: Difference): void {
  const now = activation.deps.store.now()
  const since = knownDivergence(activation.claimed)?.since ?? now
  const dueAt = now + Math.min(mostPauseMs, Math.max(leastPauseMs, now - since))
  // Whoever is set aside stands in no line, and is there again where it was when it goes on.
  const others = waits.filter(({ kind }) => kind !== 'limiter')
  const turns = waits.flatMap(({ kind, path, name }) => (kind === 'limiter' ? [{ path, turn: name ?? '' }] : []))
  const name = divergenceText({ ...difference, since }, turns)
  activation.park([...others, { path: '', kind: 'diverged', name, dueAt }], dueAt)
}

function asideText(waits: readonly WaitRecord[]): string | null {
  return waits.find(({ kind }) => kind === 'diverged')?.name ?? null
}
