// Work that is undone when it fails or is cancelled, that others finish, that ends with hundreds of children, and that waits beside its steps.
import { randomUUID } from 'node:crypto'
import { PermanentError } from '../../src/index.ts'
import type { Definition } from '../../src/engine/definition/definition.ts'
import { systemClock } from '../../src/lib/clock.ts'
import type { UndoContext } from '../../src/workflow/undoing/undo-options.ts'
import { workflow } from '../../src/workflow/workflow.ts'
import type { Note } from './ledger.ts'
import type { Random } from './random.ts'
import { placeOf, quickRetry, Teller } from './teller.ts'

/** Who asked for a run: told apart when its call was never acknowledged. */
export interface Asked {
  readonly from: number
}

export interface ErrandInput extends Asked {
  readonly takesMs: number
  readonly fails: number
  /** Goes on at least until then, in milliseconds since 1970. */
  readonly until?: number
}

/** What a child is given is told apart by its place among those of its parent. */
export interface ChildInput extends ErrandInput {
  readonly parent: string
  readonly place: number
}

export interface SagaInput extends Asked {
  readonly legs: number
  readonly takesMs: number
  /** A cancelled one succeeds when nobody cancels it in time. */
  readonly ends: 'well' | 'badly' | 'cancelled'
  /** How many attempts to undo each of its legs fail first. */
  readonly fails: number
}

export interface ApprovalInput extends Asked {
  readonly takesMs: number
}

export interface ClanInput extends Asked {
  readonly children: number
}

export interface VigilInput extends Asked {
  readonly sleepsMs: number
  /** In milliseconds since 1970: a step beside its sleep goes on until then. */
  readonly until: number
}

// Whoever cancels a run has been killed when nothing came for so long.
const silenceMs = 4_000

/** The definitions, whose code tells everything to `note`. */
export function sagaDefinitions(note: Note, errand: Definition<ErrandInput, string>) {
  const saga = workflow<SagaInput, string[]>('saga', {}, async (ctx, { legs, takesMs, ends, fails }) => {
    const teller = new Teller(ctx, note)
    const undo = { run: (uuid: string, step: UndoContext) => undone(note, uuid, { step, fails }), retry: quickRetry }
    const values: string[] = []
    for (let leg = 0; leg < legs; leg++) values.push(await teller.step(`leg-${leg}`, { takesMs }, { undo }))
    if (ends === 'badly') throw new PermanentError('as it is meant to')
    if (ends === 'cancelled') await ctx.receive('never', { timeout: silenceMs })
    return values
  })
  const approval = workflow<ApprovalInput, string[]>('approval', {}, async (ctx, { takesMs }) => {
    const teller = new Teller(ctx, note)
    const asked = ctx.step('ask', async ({ later }): Promise<string> => {
      note({ kind: 'asked', run: ctx.runId, token: await later() })
      return 'means nothing'
    })
    const values = await Promise.all([asked, teller.step('beside', { takesMs })])
    return [...values, await teller.step('after', { takesMs })]
  })
  const clan = workflow<ClanInput, string[]>('clan', {}, async (ctx, { children, from }) => {
    const before = await new Teller(ctx, note).step('before', {})
    const places = Array.from({ length: children }, (_, place) => place)
    const started = places.map((place) => {
      const input: ChildInput = { from, parent: ctx.runId, place, takesMs: 0, fails: 0 }
      return ctx.call(errand, input, { name: `child-${place}`, delay: place % 10 === 0 ? 0 : '1h' })
    })
    await Promise.all(started)
    // Those that have not ended end with it.
    return [before]
  })
  const vigil = workflow<VigilInput, string[]>('vigil', {}, async (ctx, { sleepsMs, until }) => {
    const takesMs = Math.max(0, until - systemClock.now())
    const [value] = await Promise.all([new Teller(ctx, note).step('work', { takesMs }), ctx.sleep(sleepsMs)])
    return [value]
  })
  return { saga, approval, clan, vigil }
}

export function randomSaga(random: Random, { from, takesMs }: Omit<ApprovalInput, 'ends'>): SagaInput {
  const ends = random.oneOf(['well', 'badly', 'badly', 'cancelled'] as const)
  return { from, takesMs, legs: random.between(1, 5), ends, fails: random.oneOf([0, 0, 1]) }
}

export function randomApproval(random: Random, { from, takesMs }: ApprovalInput): ApprovalInput {
  return { from, takesMs: random.oneOf([takesMs, 200]) }
}

/** Cancels a run that is to be, and tells what became of that; never rejects. */
export async function cancelSaga(
  { id, cancel }: { readonly id: string; readonly cancel: (reason: string) => Promise<boolean> },
  note: Note,
): Promise<void> {
  note({ kind: 'cancels', run: id })
  try {
    note({ kind: 'cancelled', run: id, isCancelled: await cancel('as it is meant to be') })
  } catch {
    // Its process ends, or the run had another end.
  }
}

function undone(note: Note, uuid: string, { step, fails }: { step: UndoContext; fails: number }): void {
  const { run, path } = placeOf(step)
  if (step.attempt > fails) return note({ kind: 'undone', run, path, uuid })
  const failure = randomUUID()
  note({ kind: 'failed', run, path, uuid: failure })
  throw new Error(failure)
}
