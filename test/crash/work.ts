// What the processes of the crash tests run: every result is a new value that stands in the ledger before it is returned.
import { randomUUID } from 'node:crypto'
import { systemClock } from '../../src/lib/clock.ts'
import { worker } from '../../src/worker/worker.ts'
import type { WorkflowContext } from '../../src/workflow/context.ts'
import type { StepOptions } from '../../src/workflow/step-options.ts'
import type { StepContext } from '../../src/workflow/step.ts'
import { workflow } from '../../src/workflow/workflow.ts'
import type { Note } from './ledger.ts'
import type { Random } from './random.ts'

/** Who asked for a run: told apart when its call was never acknowledged. */
interface Asked {
  readonly from: number
}

interface OrderInput extends Asked {
  readonly lines: number
  readonly takesMs: number
  readonly isFlaky: boolean
  readonly isRefused: boolean
  readonly isRaced: boolean
  readonly naps: boolean
}

interface ErrandInput extends Asked {
  readonly takesMs: number
  readonly fails: number
  /** Goes on at least until then, in milliseconds since 1970. */
  readonly until?: number
}

/** What a child is given is told apart by its place among those of its parent. */
interface ChildInput extends ErrandInput {
  readonly parent: string
  readonly place: number
}

interface FamilyInput extends Asked {
  readonly children: number
  readonly takesMs: number
}

interface TalkInput extends Asked {
  /** How many messages it is told. */
  readonly words: number
}

interface VoyageInput extends Asked {
  readonly legs: number
  readonly takesMs: number
}

const quickRetry = { attempts: 3, base: 1, jitter: 0 } as const
const parkedMs = 5_050
// Of a dozen runs.
const often = ['errand', 'errand', 'order', 'order', 'order', 'order', 'order', 'order'] as const
// Whoever tells a run something has been killed when it was silent for so long.
const silenceMs = 4_000

/** The definitions, whose code tells everything to `note`. */
export function definitions(note: Note) {
  const order = workflow<OrderInput, string[]>('order', { retry: quickRetry }, (ctx, input) =>
    performOrder(new Teller(ctx, note), input),
  )
  const errand = worker<ErrandInput, string>('errand', { retry: quickRetry }, (ctx, { takesMs, fails, until = 0 }) => {
    const how = { takesMs: Math.max(takesMs, until - systemClock.now()), isFailing: ctx.attempt <= fails }
    return perform(note, { run: ctx.runId, path: '' }, how)
  })
  const rest = workflow<Asked, string[]>('rest', {}, async (ctx) => {
    const teller = new Teller(ctx, note)
    const before = await teller.step('before', {})
    await ctx.sleep(parkedMs)
    return [before, await teller.step('after', {})]
  })
  const voyage = workflow<VoyageInput, string[]>('voyage', {}, async (ctx, { legs, takesMs }) => {
    const teller = new Teller(ctx, note)
    const values: string[] = []
    for (let leg = 0; leg < legs; leg++) values.push(await teller.step(`leg-${leg}`, { takesMs, speaks: true }))
    return values
  })
  const family = workflow<FamilyInput, string[]>('family', {}, async (ctx, { children, takesMs, from }) => {
    const teller = new Teller(ctx, note)
    const before = await teller.step('before', { takesMs })
    const places = Array.from({ length: children }, (_, place) => place)
    const started = places.map((place) => {
      const input: ChildInput = { from, parent: ctx.runId, place, takesMs, fails: place % 2 }
      return ctx.run(errand, input, { name: `child-${place}` })
    })
    const results = await Promise.all(started)
    return [before, ...results, await teller.step('after', {})]
  })
  const talk = workflow<TalkInput, string[]>('talk', {}, async (ctx, { words }) => {
    const heard: string[] = []
    while (heard.length < words) {
      const word = await ctx.receive<string>('word', { timeout: silenceMs })
      if (word === null) break
      heard.push(word)
    }
    return heard
  })
  return { order, errand, rest, voyage, family, talk }
}

/** What one campaign may have alone, to find a certain fault. */
export type Kind = 'family' | 'talk'

/** A run of 3 to 8 steps, a plain worker, a run with children, or one that is told words. */
export function randomWork(
  random: Random,
  only?: Kind,
):
  | { readonly name: 'order'; readonly input: OrderInput }
  | { readonly name: 'errand'; readonly input: ErrandInput }
  | { readonly name: 'family'; readonly input: FamilyInput }
  | { readonly name: 'talk'; readonly input: TalkInput } {
  const takesMs = random.oneOf([0, 0, 1, 5, 15])
  const from = process.pid
  const kind = only ?? random.oneOf(['family', 'family', 'talk', 'talk', ...often])
  if (kind === 'family') return { name: kind, input: { from, takesMs, children: random.between(1, 4) } }
  if (kind === 'talk') return { name: kind, input: { from, words: random.between(1, 4) } }
  if (kind === 'errand') return { name: kind, input: { from, takesMs, fails: random.oneOf([0, 0, 1, 2]) } }
  const input = {
    from,
    takesMs,
    lines: random.between(1, 3),
    isFlaky: random.happens(0.3),
    isRefused: random.happens(0.15),
    isRaced: random.happens(0.3),
    naps: random.happens(0.3),
  }
  return { name: 'order', input }
}

async function performOrder(teller: Teller<OrderInput>, input: OrderInput): Promise<string[]> {
  const { takesMs } = input
  const values = [await teller.step('open', { takesMs })]
  if (input.naps) await teller.ctx.sleep(3)
  const names = Array.from({ length: input.lines }, (_, line) => `line-${line}`)
  const packed = await teller.ctx.map('lines', names, (_name, ctx) => teller.in(ctx).step('pack', { takesMs }), {
    key: (name) => name,
    concurrency: 2,
  })
  values.push(...packed)
  if (input.isFlaky) values.push(await teller.step('flaky', { takesMs, fails: 1 }, { retry: quickRetry }))
  if (input.isRefused) values.push(await teller.refusal('refused'))
  if (input.isRaced) values.push(...(await teller.race('hare', 'tortoise')))
  values.push(await teller.step('close', { takesMs }))
  return values
}

/** Tells a run all it is to hear, one word after the other. */
export async function tellWords(
  tell: (name: string, word: string) => Promise<unknown>,
  { run, words, note }: { readonly run: string; readonly words: number; readonly note: Note },
): Promise<void> {
  for (let n = 0; n < words; n++) {
    const word = randomUUID()
    note({ kind: 'tells', run, word })
    await tell('word', word)
    note({ kind: 'told', run, word })
  }
}

interface Effort {
  readonly takesMs?: number
  /** How many attempts fail first. */
  readonly fails?: number
  readonly speaks?: boolean
}

/** Runs steps and tells what user code saw of them. */
class Teller<Input> {
  readonly ctx: WorkflowContext<Input>
  readonly #note: Note
  readonly #fresh: Set<string>

  constructor(ctx: WorkflowContext<Input>, note: Note, fresh = new Set<string>()) {
    this.ctx = ctx
    this.#note = note
    this.#fresh = fresh
  }

  in(ctx: WorkflowContext<Input>): Teller<Input> {
    return new Teller(ctx, this.#note, this.#fresh)
  }

  async step(name: string, effort: Effort, options?: StepOptions): Promise<string> {
    const uuid = await this.ctx.step(name, (step) => this.#perform(step, effort), options)
    return this.#see(uuid)
  }

  /** A step that fails for good: its error is what is remembered. */
  async refusal(name: string): Promise<string> {
    try {
      return await this.step(name, { fails: 9 }, { retry: { ...quickRetry, attempts: 2 } })
    } catch (error) {
      return this.#see((error as Error).message)
    }
  }

  /** Both results, and a note of which came first. */
  async race(left: string, right: string): Promise<string[]> {
    const runners = [this.step(left, { takesMs: 2 }), this.step(right, { takesMs: 2 })]
    const uuid = await Promise.race(runners)
    this.#note({ kind: 'won', run: this.ctx.runId, uuid })
    return Promise.all(runners)
  }

  #perform(step: StepContext, { takesMs = 0, fails = 0, speaks = false }: Effort): Promise<string> {
    const { run, path } = placeOf(step)
    const isFailing = step.attempt <= fails
    const speak = (uuid: string): void => void (speaks && this.ctx.emit({ working: uuid }))
    return perform(this.#note, { run, path }, { takesMs, isFailing, speak, begun: (uuid) => this.#fresh.add(uuid) })
  }

  #see(uuid: string): string {
    this.#note({ kind: 'seen', run: this.ctx.runId, uuid, isFresh: this.#fresh.has(uuid) })
    this.ctx.emit({ seen: uuid })
    return uuid
  }
}

interface Performance {
  readonly takesMs: number
  readonly isFailing: boolean
  readonly begun?: (uuid: string) => void
  /** Called before and after the work. */
  readonly speak?: (uuid: string) => void
}

async function perform(
  note: Note,
  place: { readonly run: string; readonly path: string },
  how: Performance,
): Promise<string> {
  const uuid = randomUUID()
  note({ kind: 'begun', ...place, uuid })
  how.begun?.(uuid)
  how.speak?.(uuid)
  if (how.takesMs > 0) await new Promise<void>((resolve) => systemClock.after(how.takesMs, resolve))
  how.speak?.(uuid)
  note({ kind: how.isFailing ? 'failed' : 'effect', ...place, uuid })
  if (how.isFailing) throw new Error(uuid)
  return uuid
}

function placeOf({ idempotencyKey }: StepContext): { run: string; path: string } {
  const slash = idempotencyKey.indexOf('/')
  return { run: idempotencyKey.slice(0, slash), path: idempotencyKey.slice(slash + 1) }
}
