// A run of a template in Tasker's form on virtual time, from its text to what is left of it.
import { loadTemplate, template, type Publisher, type Template } from '../../src/index.ts'
import { eventually, moving, onStage } from '../engine/stage.ts'
import { workersOf, type Handler } from './tasker-handlers.ts'

export interface Text {
  readonly text: string
  readonly file?: string
  readonly environment?: string
  /** How many events are waited for. */
  readonly events?: number
}

interface Told {
  readonly event: string
  readonly step: string | undefined
  readonly payload: unknown
}

/** What is left of a run. */
export interface Left {
  readonly state: string
  readonly output: unknown
  readonly message: string | undefined
  /** What each step gave, by its path, in the order of the paths. */
  readonly steps: Readonly<Record<string, unknown>>
  /** Those that failed for good. */
  readonly failed: readonly string[]
  /** Which attempt it was, of those that took more than one. */
  readonly attempts: Readonly<Record<string, number>>
  /** By the names of their steps. */
  readonly events: readonly Told[]
}

/** Those that it names publish what they are given as it is. */
function publishersOf({ steps }: Template): Readonly<Record<string, Publisher>> {
  const asItIs: Publisher = (event, publish) => publish(event.name, event.payload)
  const names = steps.flatMap(({ publishes }) => publishes.flatMap(({ publisher }) => publisher ?? []))
  return Object.fromEntries(names.map((name) => [name, asItIs]))
}

/** Handlers by the last part of their names in the template. */
export async function performed(
  { text, file = 'tasker.yaml', environment, events = 0 }: Text,
  handlers: Readonly<Record<string, Handler>>,
  input: unknown,
): Promise<Left> {
  const loading = { file, ...(environment !== undefined && { environment }) }
  const { template: loaded } = loadTemplate(text, loading)
  const names = loaded.steps.flatMap(({ work }) => (work.kind === 'worker' ? [work.uses] : []))
  const own = names.map((name) => [name, handlerFor(name, handlers)] as const)
  const definition = template(loaded)
  const { troupe, clock } = await onStage({
    definitions: [...workersOf(Object.fromEntries(own)), definition],
    publishers: publishersOf(loaded),
  })
  const told: Told[] = []
  await troupe.subscribe('*', (payload, { name: event, step }) => {
    if (!event.startsWith('run.')) told.push({ event, step, payload })
  })
  const run = await troupe.call(definition, input)
  const [result] = await moving(clock, Promise.allSettled([run.result()]))
  const steps = (await troupe.steps(run.id)).toSorted((one, other) => (one.path < other.path ? -1 : 1))
  const { state } = await run.status()
  await eventually(() => told.length >= events)
  return {
    state,
    output: result.status === 'fulfilled' ? result.value : undefined,
    message: result.status === 'rejected' ? (result.reason as Error).message : undefined,
    steps: Object.fromEntries(steps.flatMap(({ path, value, error }) => (error === undefined ? [[path, value]] : []))),
    failed: steps.flatMap(({ path, error }) => (error === undefined ? [] : [path])),
    attempts: Object.fromEntries(steps.flatMap(({ path, attempt }) => (attempt > 1 ? [[path, attempt]] : []))),
    events: told.toSorted((one, other) => (one.event < other.event ? -1 : 1)),
  }
}

function handlerFor(name: string, handlers: Readonly<Record<string, Handler>>): Handler {
  const handler = handlers[name.split('::').at(-1) ?? name]
  if (handler === undefined) throw new Error(`The test has no handler for ${name}`)
  return handler
}

/** A file of goods: so many rows with a price and a stock, and what they are worth. */
export function goods(count: number): { readonly text: string; readonly value: number } {
  const all = Array.from({ length: count }, (_, n) => ({ id: n + 1, price: (n % 13) + 1, stock: n % 7 }))
  const lines = all.map(({ id, price, stock }) => `${id},${price},${stock}`)
  return {
    text: ['id,price,stock', ...lines, ''].join('\n'),
    value: all.reduce((sum, { price, stock }) => sum + price * stock, 0),
  }
}
