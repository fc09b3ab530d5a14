// The process-wide engine, for programs that want one without handing it around.
import type { LimiterRule } from '../engine/limits/limits.ts'
import type { LimiterHost } from '../engine/limits/slots.ts'
import { limiterNotInitialised, workerManagerNotInitialised } from '../model/errors.ts'
import type { Discoverer } from './discover.ts'
import type { WorkerVerbs } from './registration.ts'

/** What can be the engine of the process. */
export type ProcessEngine = WorkerVerbs & Discoverer

// One for the process, also when files of workers load another copy of this package.
const place = Symbol.for('troupe.engine')
const hostsPlace = Symbol.for('troupe.limiters')
const world = globalThis as { [place]?: ProcessEngine | undefined; [hostsPlace]?: Map<ProcessEngine, LimiterHost> }

/**
 * The process-wide engine: its verbs go to the engine that the first `Troupe.open` of this process made.
 *
 * It is there before that engine discovers its folder, until that engine has stopped; `{ global: false }` keeps an engine out of it.
 * Throws: `worker_manager_not_initialised` while there is none; what the verbs of the engine throw.
 *
 * ```ts
 * import { Troupe, WORKER } from 'troupe'
 * await using troupe = await Troupe.open({ store: 'sqlite::memory:' })
 * await troupe.start()
 * await WORKER.register('greet', (ctx, name: string) => `hello ${name}`)
 * console.log(await WORKER.run('greet', 'ann')) // hello ann
 * ```
 */
export const WORKER: WorkerVerbs = Object.freeze({
  register: asked('register'),
  call: asked('call'),
  callMany: asked('callMany'),
  run: asked('run'),
  cancel: asked('cancel'),
  definitions: () => processEngine().definitions(),
  running: asked('running'),
  runningFor: asked('runningFor'),
  stats: asked('stats'),
  shutdown: asked('shutdown'),
})

/** Lets limiters find an engine, and makes it that of the process unless there is one, or it is not to be. */
export function bindEngine(engine: ProcessEngine, limits: LimiterHost, isGlobal: boolean): void {
  hosts().set(engine, limits)
  if (isGlobal) world[place] ??= engine
}

/** Takes an engine out again; another one stays. */
export function unbindEngine(engine: ProcessEngine): void {
  hosts().delete(engine)
  if (world[place] === engine) world[place] = undefined
}

/** The first engine with a definition that names the limiter, else that of the process. Throws `worker_manager_not_initialised`. */
export function hostOf(rule: LimiterRule): LimiterHost {
  const ofProcess = world[place]
  const host =
    [...hosts().values()].find((other) => other.isUsing(rule)) ??
    (ofProcess === undefined ? undefined : hosts().get(ofProcess))
  if (host === undefined) throw limiterNotInitialised(rule.name)
  return host
}

/** Throws `worker_manager_not_initialised`. */
export function processEngine(): ProcessEngine {
  const engine = world[place]
  if (engine === undefined) throw workerManagerNotInitialised()
  return engine
}

function hosts(): Map<ProcessEngine, LimiterHost> {
  return (world[hostsPlace] ??= new Map())
}

/** A verb that waits for the engine's own; all its troubles are rejections. */
function asked<Verb extends Exclude<keyof WorkerVerbs, 'definitions'>>(verb: Verb): WorkerVerbs[Verb] {
  const ask = async (...args: unknown[]): Promise<unknown> => {
    const engine = processEngine()
    return (engine[verb] as (...args: unknown[]) => unknown).apply(engine, args)
  }
  return ask as WorkerVerbs[Verb]
}
