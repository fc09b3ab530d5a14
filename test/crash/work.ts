// What the processes of the crash tests run.
import { randomUUID } from 'node:crypto'
import { systemClock } from '../../src/lib/clock.ts'
import { worker } from '../../src/worker/worker.ts'
import { workflow } from '../../src/workflow/workflow.ts'
import type { Note } from './ledger.ts'
import type { Random } from './random.ts'
import {
  randomApproval,
  randomSaga,
  sagaDefinitions,
  type ApprovalInput,
  type Asked,
  type ChildInput,
  type ErrandInput,
  type SagaInput,
} from './sagas.ts'
import { perform, quickRetry, Teller } from './teller.ts'

interface OrderInput extends Asked {
  readonly lines: number
  readonly takesMs: number
  readonly isFlaky: boolean
  readonly isRefused: boolean
  readonly isRaced: boolean
  readonly naps: boolean
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

const parkedMs = 5_050
// Of fifteen runs.
const often = ['errand', 'errand', 'order', 'order', 'order', 'order', 'order', 'order'] as const
const seldom = ['family', 'family', 'talk', 'talk', 'saga', 'saga', 'approval'] as const
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
  return { order, errand, rest, voyage, family, talk, ...sagaDefinitions(note, errand) }
}

/** What one campaign may have alone, to find a certain fault. */
export type Kind = 'saga'

/** A run of 3 to 8 steps, a plain worker, a run with children, one that is told words, that undoes, or that others finish. */
export function randomWork(
  random: Random,
  only?: Kind,
):
  | { readonly name: 'order'; readonly input: OrderInput }
  | { readonly name: 'errand'; readonly input: ErrandInput }
  | { readonly name: 'family'; readonly input: FamilyInput }
  | { readonly name: 'talk'; readonly input: TalkInput }
  | { readonly name: 'saga'; readonly input: SagaInput }
  | { readonly name: 'approval'; readonly input: ApprovalInput } {
  const takesMs = random.oneOf([0, 0, 1, 5, 15])
  const from = process.pid
  const kind = only ?? random.oneOf([...seldom, ...often])
  if (kind === 'saga') return { name: kind, input: randomSaga(random, { from, takesMs }) }
  if (kind === 'approval') return { name: kind, input: randomApproval(random, { from, takesMs }) }
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
