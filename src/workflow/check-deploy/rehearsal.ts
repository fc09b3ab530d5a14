// A rehearsal: the code of a run is led through its journal and stopped where that ends, without any effect on the run or the store.
import { Activation } from '../../engine/activation/activation.ts'
import { Counts } from '../../engine/counts.ts'
import type { AnyDefinition } from '../../engine/definition/definition.ts'
import type { Deps } from '../../engine/deps.ts'
import { inputEncoder } from '../../worker/input.ts'
import type { Known, Rehearsing, Surroundings } from '../../engine/activation/surroundings.ts'
import { defaultValueBytes } from '../../engine/value-size.ts'
import { HeldWrite, type Write } from '../../engine/writes.ts'
import { deferred } from '../../lib/deferred.ts'
import { toError } from '../../lib/errors.ts'
import type { Difference, JournalPlace } from '../../model/divergence.ts'
import { nothingCommitted } from '../../store/lists.ts'
import type { Claimed } from '../../store/store.ts'

/** Where a rehearsal came to its end. */
export type Rehearsed =
  /** It asked for something that no journal holds yet. */
  | { readonly end: 'asked'; readonly asked: JournalPlace }
  | { readonly end: 'differs'; readonly difference: Difference; readonly isFinal: boolean }
  | { readonly end: 'returned' }
  | { readonly end: 'threw'; readonly error: Error }
  /** It asked for nothing more in all its time. */
  | { readonly end: 'stood still' }

/** What was found on the way there. */
export interface RehearsedRun {
  readonly rehearsed: Rehearsed
  /** Steps that were done and could not be undone any more. */
  readonly lacksUndo: ReadonlySet<string>
}

export interface RehearsalWorld {
  readonly deps: Deps
  readonly config: Readonly<Record<string, unknown>>
  readonly environment: string
  readonly known: Known
}

// Code between two steps is quick.
const mostMs = 5_000

// What a run says is no step.
const said: readonly string[] = ['emits', 'drops', 'logs', 'progress', 'states', 'begins']

/** Performs the code of a run against its journal; no step is executed, nothing is started, told or written. */
export async function rehearse(
  definition: AnyDefinition,
  claimed: Claimed,
  world: RehearsalWorld,
): Promise<RehearsedRun> {
  const end = deferred<Rehearsed>()
  const lacksUndo = new Set<string>()
  const rehearsing: Rehearsing = {
    asked: (asked) => end.resolve({ end: 'asked', asked }),
    found: (difference, isFinal = false) => end.resolve({ end: 'differs', difference, isFinal }),
    lacksUndo: (path) => lacksUndo.add(path),
    takenOver: () => {
      const isBegun = hasJournal(claimed)
      if (!isBegun) end.resolve({ end: 'asked', asked: anew })
      return isBegun
    },
  }
  const activation = new Activation(claimed, definition, surroundingsOf(world, rehearsing))
  const timer = world.deps.clock.after(mostMs, () => end.resolve({ end: 'stood still' }))
  performed(activation).then(
    () => end.resolve({ end: 'returned' }),
    (error: unknown) => end.resolve({ end: 'threw', error: toError(error) }),
  )
  const rehearsed = await end.promise
  timer.cancel()
  // Its promises are never settled, and nothing of its code is told.
  activation.park([])
  return { rehearsed, lacksUndo }
}

/** Whether it has come to something that its code has to be led through. */
export function hasJournal({ steps, waits }: Pick<Claimed, 'steps' | 'waits'>): boolean {
  return steps.length + waits.length > 0
}

async function performed(activation: Activation): Promise<unknown> {
  return activation.run()
}

const anew: JournalPlace = { path: '', kind: 'input' }

function surroundingsOf(world: RehearsalWorld, rehearsing: Rehearsing): Surroundings {
  const { deps, config, environment, known } = world
  const nothing = (): void => undefined
  return {
    deps,
    config,
    environment,
    known,
    rehearsing,
    logLevel: 'silent',
    divergence: 'strict',
    maxValueBytes: defaultValueBytes,
    encodeInput: inputEncoder(defaultValueBytes),
    counts: new Counts(),
    draft: () => {
      rehearsing.asked(anew)
      return new Promise(nothing)
    },
    isFull: () => false,
    write: (write) => hear(write, rehearsing),
    execute: nothing,
    ended: nothing,
    failed: nothing,
    heard: nothing,
    troubled: nothing,
    events: { published: nothing, dropped: nothing },
    startedByRun: nothing,
    dueAt: nothing,
    // Nothing is begun that would come to these.
    ...(unused as Pick<Surroundings, 'threads' | 'scripts' | 'slots' | 'watch' | 'post'>),
  }
}

const unused: unknown = {}

/** A step of its own, as the answer to a patch, is more than the journal holds. */
function hear(write: Write, { asked, takenOver }: Rehearsing): void {
  if (!(write instanceof HeldWrite)) return
  if (write.records.some(({ list }) => list === 'upgrades')) {
    if (takenOver()) write.committed(nothingCommitted)
    return
  }
  for (const { list, record } of write.records) {
    if (said.includes(list) || list === 'parks' || list === 'waits') continue
    asked({ path: 'path' in record ? String(record.path) : '', kind: 'patch' })
  }
}
