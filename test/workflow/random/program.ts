// Workflow programs as data, what they mean, and how fast-check makes them.
import * as fc from 'fast-check'
import { worker, workflow, type Definition, type WorkflowContext } from '../../../src/index.ts'
import { cancelRun } from '../../../src/testing/crash-trial.ts'
import type { Effects } from '../../../src/testing/effects.ts'
import type { Undo } from '../../../src/workflow/undoing/undo-options.ts'
import { History } from './history.ts'

/** Each part has a number of its own, in the order of the text: its names and times are made of that, so that no two things happen at one time. */
export type Program =
  | { readonly kind: 'step'; readonly failures: number; readonly isLost: boolean; readonly undo: Undoing }
  | { readonly kind: 'sleep'; readonly size: number }
  | { readonly kind: 'receive'; readonly told: 'message' | 'nothing' | 'cancel' }
  | { readonly kind: 'value'; readonly of: 'now' | 'random' | 'uuid' }
  | { readonly kind: 'worker'; readonly failures: number; readonly undo: Undoing }
  | { readonly kind: 'child' | 'abandoned' | 'given up' | 'caught' | 'scope'; readonly body: Program }
  | { readonly kind: 'sequence' | 'parallel' | 'race'; readonly parts: readonly Program[] }
  | { readonly kind: 'map'; readonly items: number; readonly concurrency: number; readonly body: Program }
  | { readonly kind: 'loop'; readonly turns: number; readonly body: Program }

/** Whether what was done is undone, and in which attempt. */
type Undoing = 'not' | 'at once' | 'again' | 'in vain'

type Ctx = WorkflowContext<unknown>

/** Stands in every value, and in no name. */
export const said = 'needle-in-a-haystack'

/** What is made of a program: the workflow, what it starts, and what it is told. */
export interface Made {
  readonly root: Definition<unknown, unknown>
  readonly definitions: readonly Definition<never, unknown>[]
  readonly messages: Readonly<Record<string, readonly unknown[]>>
  readonly history: History
}

const undoing = fc.constantFrom<Undoing[]>('not', 'at once', 'at once', 'again', 'in vain')

const { program } = fc.letrec<{ program: Program; body: Program }>((tie) => ({
  body: tie('program'),
  program: fc.oneof(
    { maxDepth: 3, depthIdentifier: 'program' },
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant('step' as const),
        failures: fc.nat({ max: 2 }),
        isLost: fc.nat({ max: 5 }).map((chance) => chance === 0),
        undo: undoing,
      }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('sleep' as const), size: fc.nat({ max: 2 }) }) },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('receive' as const),
        told: fc.constantFrom('message', 'message', 'message', 'nothing', 'nothing', 'cancel'),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant('value' as const), of: fc.constantFrom('now', 'random', 'uuid') }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant('worker' as const), failures: fc.nat({ max: 1 }), undo: undoing }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constantFrom('child', 'abandoned', 'given up', 'caught', 'scope'),
        body: tie('body') as fc.Arbitrary<Program>,
      }),
    },
    {
      weight: 5,
      arbitrary: fc.record({
        kind: fc.constantFrom('sequence', 'parallel', 'race'),
        parts: fc.array(tie('body') as fc.Arbitrary<Program>, { minLength: 1, maxLength: 3, size: 'max' }),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('map' as const),
        items: fc.integer({ min: 1, max: 3 }),
        concurrency: fc.integer({ min: 1, max: 2 }),
        body: tie('body') as fc.Arbitrary<Program>,
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('loop' as const),
        turns: fc.integer({ min: 1, max: 3 }),
        body: tie('body') as fc.Arbitrary<Program>,
      }),
    },
  ) as fc.Arbitrary<Program>,
}))

export const programs: fc.Arbitrary<Program> = fc
  .array(program, { minLength: 2, maxLength: 4, size: 'max' })
  .map((parts): Program => ({ kind: 'sequence', parts }))

/** A part with its number. */
interface Numbered {
  readonly n: number
  readonly part: Program
  readonly below: readonly Numbered[]
  /** It is done in the turns of a loop, which are forgotten. */
  readonly isForgotten: boolean
}

interface Said {
  readonly said: typeof said
}

interface WorkInput extends Said {
  readonly n: number
  readonly failures: number
}

interface PartInput extends Said {
  readonly n: number
  readonly salt: number
  readonly delayMs: number
}

const sizesMs = [1_000, 3_600_000, 259_200_000]

/** Makes the workflow that a program means; what it does is told to `effects`. */
export function made(given: Program, effects: Effects): Made {
  const parts = new Map<number, Numbered>()
  const rootPart = numbered(given, parts)
  const work = worker('work', { retry: { attempts: 3, base: '7s' } }, (ctx, { n, failures }: WorkInput) => {
    effects.note(`work ${n}`)
    if (ctx.attempt <= failures) throw new Error(`work ${n} failed: ${said}`)
    return `worked ${n}: ${said}`
  })
  const part: Definition<PartInput, unknown> = workflow('part', {}, async (ctx, { n, salt, delayMs }: PartInput) => {
    history.begun(ctx.runId)
    if (delayMs > 0) await ctx.sleep(delayMs)
    return meaning.of(parts.get(n) as Numbered, ctx as Ctx, salt)
  })
  const history = new History()
  const meaning: Meaning = new Meaning({ effects, history }, { work, part })
  const root = workflow<unknown>('root', {}, (ctx) => {
    history.begun(ctx.runId)
    return meaning.of(rootPart, ctx, 0)
  })
  const messages: Record<string, unknown[]> = {}
  for (const { n, part: one } of parts.values())
    if (one.kind === 'receive' && one.told !== 'nothing')
      messages[`message ${n}`] = Array.from({ length: 30 }, () =>
        one.told === 'cancel' ? cancelRun : `told ${n}: ${said}`,
      )
  return { root, definitions: [work, part], messages, history }
}

function numbered(part: Program, all: Map<number, Numbered>, isForgotten = false): Numbered {
  const n = all.size + 1
  // Its place is taken before the parts below it take theirs.
  all.set(n, { n, part, below: [], isForgotten })
  const below = 'parts' in part ? part.parts : 'body' in part ? [part.body] : []
  const isLoop = isForgotten || part.kind === 'loop'
  const own = { n, part, below: below.map((one) => numbered(one, all, isLoop)), isForgotten }
  all.set(n, own)
  return own
}

interface Parts {
  readonly work: Definition<WorkInput, string>
  readonly part: Definition<PartInput, unknown>
}

interface Telling {
  readonly effects: Effects
  readonly history: History
}

/** Performs a program by the means of a context. */
class Meaning {
  readonly #effects: Effects
  readonly #history: History
  readonly #definitions: Parts

  constructor({ effects, history }: Telling, definitions: Parts) {
    this.#effects = effects
    this.#history = history
    this.#definitions = definitions
  }

  async of({ n, part, below, isForgotten }: Numbered, ctx: Ctx, salt: number): Promise<unknown> {
    const [first] = below
    switch (part.kind) {
      case 'step':
        return this.#step({ n, salt, isForgotten }, part, ctx)
      case 'sleep':
        return ctx.sleep((sizesMs[part.size] ?? 0) + offset(n, salt))
      case 'receive':
        return ctx.receive(`message ${n}`, { timeout: 172_800_000 + offset(n, salt) })
      case 'value':
        return typeof (await ctx[part.of]())
      case 'worker':
        return this.#work({ n, salt, isForgotten }, part, ctx)
      case 'scope':
        return ctx.scope(`scope ${n}`, (inner) => this.of(first as Numbered, inner, salt))
      case 'caught':
        return this.of(first as Numbered, ctx, salt).catch(toldError)
      case 'child':
      case 'abandoned':
      case 'given up':
        return this.#child({ n, kind: part.kind, child: (first as Numbered).n }, ctx, salt)
      default:
        return this.#many({ n, part, below, isForgotten }, ctx, salt)
    }
  }

  async #step(place: Place, { failures, isLost, undo }: Program & { kind: 'step' }, ctx: Ctx): Promise<unknown> {
    const { n } = place
    const attempts = isLost ? Math.max(1, failures) : failures + 1
    const fn = async ({ attempt }: { attempt: number }): Promise<string> => {
      this.#effects.note(`step ${n}`)
      await Promise.resolve()
      if (attempt <= failures) throw new Error(`step ${n} failed: ${said}`)
      return `did ${n}: ${said}`
    }
    const retry = { attempts, backoff: 'linear', base: offset(n, attempts) >> (n % 4), jitter: 0 } as const
    const done = await ctx.step(`step ${n}`, fn, { retry, ...this.#undo(place, undo, ctx) })
    this.#history.given(ctx.runId, nameOf(place), undo !== 'not' && !place.isForgotten)
    return done
  }

  async #work(place: Place, { failures, undo }: Program & { kind: 'worker' }, ctx: Ctx): Promise<unknown> {
    const { n } = place
    const options = { name: `work ${n}`, ...this.#undo(place, undo, ctx) }
    const run = await ctx.call(this.#definitions.work, { n, failures, said }, options)
    // What has not ended when its run does is cancelled.
    this.#history.given(ctx.runId, nameOf(place), false)
    return run.result()
  }

  #undo(place: Place, undoing: Undoing, { runId }: Ctx): { readonly undo?: Undo<string> } {
    if (undoing === 'not') return {}
    const fails = undoing === 'again' ? 1 : undoing === 'in vain' ? 9 : 0
    const run = (done: string, { attempt }: { readonly attempt: number }): void => {
      const before = this.#effects.notes.length
      this.#effects.note(`undo ${place.n}`, done)
      if (this.#effects.notes.length === before) return
      this.#history.undone(runId, nameOf(place), attempt)
      if (attempt <= fails) throw new Error(`undo ${place.n} failed: ${said}`)
    }
    return { undo: { run, retry: { attempts: 2, base: '7s' } } }
  }

  async #child(
    { n, kind, child }: { n: number; kind: string; child: number },
    ctx: Ctx,
    salt: number,
  ): Promise<unknown> {
    const delayMs = kind === 'abandoned' ? 400_000_000_000 : offset(n, salt)
    const run = await ctx.call(this.#definitions.part, { n: child, salt, delayMs, said }, { name: `child ${n}` })
    if (kind === 'child') return run.result()
    if (kind === 'abandoned') return 'abandoned'
    return run.result({ timeout: '90m' }).catch(toldError)
  }

  async #many(numbered: Numbered, ctx: Ctx, salt: number): Promise<unknown> {
    const { n, part, below } = numbered
    if (part.kind === 'sequence') {
      const results: unknown[] = []
      for (const one of below) results.push(await this.of(one, ctx, salt))
      return results
    }
    if (part.kind === 'parallel') return settled(await Promise.allSettled(below.map((one) => this.of(one, ctx, salt))))
    if (part.kind === 'race') {
      const runners = below.map((one, index) =>
        ctx.scope(`lane ${n} ${index}`, async (inner) => {
          await inner.sleep(laneMs(n, index) + offset(n * 7 + index, salt))
          return this.of(one, inner, salt)
        }),
      )
      return Promise.race(runners).catch(toldError)
    }
    return this.#repeated(numbered, ctx, salt)
  }

  async #repeated({ n, part, below }: Numbered, ctx: Ctx, salt: number): Promise<unknown> {
    const body = below[0] as Numbered
    if (part.kind === 'map') {
      const items = Array.from({ length: part.items }, (_, index) => index)
      const { concurrency } = part
      const each = (item: number, inner: Ctx): Promise<unknown> => this.of(body, inner, salt * 5 + item + 1)
      return settled(await ctx.map(`map ${n}`, items, each, { key: String, concurrency, onError: 'collect' }))
    }
    const turns = part.kind === 'loop' ? part.turns : 1
    return ctx.loop(`loop ${n}`, { turn: 0, said }, async ({ turn }, inner) => {
      await this.of(body, inner, salt * 5 + turn + 1)
      return turn + 1 === turns ? { done: turns } : { again: { turn: turn + 1, said } }
    })
  }
}

interface Place extends Pick<Numbered, 'n' | 'isForgotten'> {
  readonly salt: number
}

/** What stands for it in all activations of its run. */
function nameOf({ n, salt }: Pick<Place, 'n' | 'salt'>): string {
  return `${n} (${salt})`
}

/** Milliseconds that hardly anything else of the program waits. */
function offset(n: number, salt: number): number {
  return 100 + ((n * 7_919 + salt * 104_729) % 30_011)
}

/**
 * Lanes of a race are days apart. A wait of seconds begins anew after a crash: a race of seconds may end in another way then.
 */
function laneMs(n: number, index: number): number {
  return 10_000 + index * (864_000_000 + n * 25_200_000)
}

function toldError(error: Error & { readonly code?: string }): string {
  return `caught ${error.code ?? error.message}`
}

function settled(results: readonly PromiseSettledResult<unknown>[]): unknown[] {
  return results.map((result) => (result.status === 'fulfilled' ? result.value : toldError(result.reason as Error)))
}
