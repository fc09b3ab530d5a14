// A run of a template in the words of Tasker: one of its twelve states of tasks, and of each step one of its ten.
import type { InvestigationState } from '../model/investigation.ts'
import type { AttemptStatus, RunStatus, StepStatus } from '../engine/verbs/run-status.ts'
import type { WaitStatus } from '../engine/verbs/wait-status.ts'
import type { Template, TemplateStep } from './model/template.ts'

export const taskerTaskStates = [
  'pending',
  'initializing',
  'enqueuing_steps',
  'steps_in_process',
  'evaluating_results',
  'waiting_for_dependencies',
  'waiting_for_retry',
  'blocked_by_failures',
  'complete',
  'error',
  'cancelled',
  'resolved_manually',
] as const

export const taskerStepStates = [
  'pending',
  'enqueued',
  'in_progress',
  'enqueued_for_orchestration',
  'enqueued_as_error_for_orchestration',
  'waiting_for_retry',
  'complete',
  'error',
  'cancelled',
  'resolved_manually',
] as const

export type TaskerTaskState = (typeof taskerTaskStates)[number]
export type TaskerStepState = (typeof taskerStepStates)[number]

/** What is known of a run: what `troupe.get`, `steps`, `waits`, `attempts` and `runs({ parent })` give. */
export interface SeenRun {
  readonly run: Pick<RunStatus, 'state' | 'startedAt' | 'undoing' | 'reason' | 'generation'>
  readonly steps: readonly Pick<StepStatus, 'path' | 'kind' | 'attempt' | 'value' | 'error'>[]
  readonly waits?: readonly Pick<WaitStatus, 'path' | 'kind' | 'name'>[]
  readonly attempts?: readonly Pick<AttemptStatus, 'path' | 'generation'>[]
  /** The runs it started: steps that are runs of their own. */
  readonly children?: readonly Pick<RunStatus, 'id' | 'state'>[]
  /** With it steps are told too of which nothing is known yet. */
  readonly template?: Pick<Template, 'steps'>
  /** What people say of its failure. */
  readonly investigation?: { readonly state: InvestigationState } | undefined
}

export interface TaskerStates {
  readonly task: TaskerTaskState
  /** By the paths of steps: those that are known, then those of the template of which nothing is known. */
  readonly steps: ReadonlyMap<string, TaskerStepState>
}

/**
 * Tells what is known of a run in the words of Tasker. It is a view: nothing is stored of it, and nothing decided by it.
 *
 * ```ts
 * import { taskerStates, template, Troupe, worker, type TemplateBuilder } from 'troupe'
 * const pack = worker('pack', {}, () => 'packed')
 * const order = template('order', {}, (t: TemplateBuilder<void>) => t.step('pack', pack))
 * await using troupe = await Troupe.open({ store: 'sqlite::memory:', definitions: [pack, order] })
 * await troupe.start()
 * const handle = await troupe.call(order)
 * await handle.result()
 * const { task, steps } = taskerStates({ run: await handle.status(), steps: await troupe.steps(handle.id) })
 * console.log(task, [...steps]) // complete [ [ 'pack', 'complete' ] ]
 * ```
 */
export function taskerStates(seen: SeenRun): TaskerStates {
  const steps = new Map<string, TaskerStepState>()
  for (const step of seen.steps) if (isStep(step)) steps.set(step.path, recordedState(step, seen))
  for (const { path, kind, name } of seen.waits ?? [])
    if (path !== '' && !path.endsWith(resultOf)) steps.set(path, waitingState(kind, seen))
    else if (kind === 'run') setChild(steps, { path, id: name }, seen)
  for (const { path, generation } of seen.attempts ?? [])
    if (path !== '' && generation === seen.run.generation && !steps.has(path)) steps.set(path, begunState(seen))
  for (const step of seen.template?.steps ?? []) addUnseen(steps, step, seen)
  return { task: taskState(seen, [...steps.values()]), steps }
}

const resultOf = '/result'

type SeenStep = SeenRun['steps'][number]

function isStep({ kind }: SeenStep): boolean {
  return kind === 'step' || kind === 'tx' || kind === 'child' || kind === 'receive' || kind === 'sleep'
}

function recordedState(step: SeenStep, seen: SeenRun): TaskerStepState {
  if (step.kind === 'child') return childState(step, seen)
  if (step.error !== undefined) return 'error'
  // Recorded by hand without a result, as opposed to completed with one.
  return step.attempt === 0 && (step.value ?? null) === null ? 'resolved_manually' : 'complete'
}

/** A step that is a run of its own: by its result here, else by how that one is. */
function childState({ path, value }: SeenStep, seen: SeenRun): TaskerStepState {
  const result = seen.steps.find((step) => step.kind === 'result' && step.path === `${path}${resultOf}`)
  if (result !== undefined) return result.error === undefined ? 'complete' : 'error'
  const child = seen.children?.find(({ id }) => id === value)
  return child === undefined ? begunState(seen) : childStates[child.state]
}

const childStates: Readonly<Record<RunStatus['state'], TaskerStepState>> = {
  ready: 'enqueued',
  scheduled: 'waiting_for_retry',
  running: 'in_progress',
  parked: 'in_progress',
  succeeded: 'enqueued_for_orchestration',
  failed: 'enqueued_as_error_for_orchestration',
  cancelled: 'enqueued_as_error_for_orchestration',
}

function setChild(
  steps: Map<string, TaskerStepState>,
  { path, id }: { readonly path: string; readonly id: string | undefined },
  seen: SeenRun,
): void {
  const step = path.slice(0, -resultOf.length)
  steps.set(step, childState({ path: step, kind: 'child', attempt: 1, value: id, error: undefined }, seen))
}

function waitingState(kind: WaitStatus['kind'], seen: SeenRun): TaskerStepState {
  if (isOver(seen)) return 'cancelled'
  if (kind === 'backoff') return 'waiting_for_retry'
  return kind === 'limiter' ? 'enqueued' : 'in_progress'
}

/** It was begun and has no result: with the run it ended too. */
function begunState(seen: SeenRun): TaskerStepState {
  if (isOver(seen)) return 'cancelled'
  return seen.run.state === 'running' ? 'in_progress' : 'enqueued'
}

function isOver({ run: { state } }: SeenRun): boolean {
  return state === 'succeeded' || state === 'failed' || state === 'cancelled'
}

/** What nothing is known of has yet to be begun, is being done for the first time, or will not be done at all. */
function addUnseen(steps: Map<string, TaskerStepState>, step: TemplateStep, seen: SeenRun): void {
  const { state, startedAt } = seen.run
  const pieces = [`${step.name}_`, `${step.name}[`]
  const isSeen =
    steps.has(step.name) || [...steps.keys()].some((path) => pieces.some((piece) => path.startsWith(piece)))
  // One that was left out is none of Tasker's: it never made it.
  if (isSeen || state === 'succeeded') return
  if (state === 'cancelled') return void steps.set(step.name, 'cancelled')
  const isBegun = startedAt !== undefined && state !== 'failed' && isCertain(step, steps, seen)
  const begun = state === 'running' ? 'in_progress' : state === 'ready' ? 'enqueued' : 'pending'
  steps.set(step.name, isBegun ? begun : 'pending')
}

/** All it needs is there, and nothing can leave it out. */
function isCertain(step: TemplateStep, steps: ReadonlyMap<string, TaskerStepState>, { template }: SeenRun): boolean {
  const others = template?.steps ?? []
  const isSpare = others.some(({ onError }) => typeof onError === 'object' && onError.fallback === step.name)
  const isChosen = others.some(({ name, role }) => role === 'decision' && step.needs.includes(name))
  if (step.if !== undefined || isSpare || isChosen) return false
  return step.needs.every((need) => steps.get(need) === 'complete' || steps.get(need) === 'resolved_manually')
}

/** ended → undone or set aside → results to be taken in → what is done → what is waited for */
function taskState(seen: SeenRun, steps: readonly TaskerStepState[]): TaskerTaskState {
  const { run, investigation } = seen
  const has = (...states: readonly TaskerStepState[]): boolean => steps.some((state) => states.includes(state))
  if (run.state === 'succeeded') return 'complete'
  if (isOver(seen) && investigation?.state === 'manually_resolved') return 'resolved_manually'
  if (isOver(seen)) return run.state === 'failed' ? 'error' : 'cancelled'
  if (run.undoing !== undefined || run.reason?.kind === 'diverged') return 'blocked_by_failures'
  if (run.startedAt === undefined) return 'pending'
  if (has('enqueued_for_orchestration', 'enqueued_as_error_for_orchestration')) return 'evaluating_results'
  if (run.state === 'ready') return 'enqueuing_steps'
  if (run.state === 'running') return runningState(seen, has)
  // A step of it is a run that is under way.
  if (seen.waits?.some(({ kind }) => kind === 'run') === true) return 'steps_in_process'
  return run.state === 'scheduled' || has('waiting_for_retry') ? 'waiting_for_retry' : 'waiting_for_dependencies'
}

/** A step that failed changes nothing of it while others are done. */
function runningState(
  { steps, template }: SeenRun,
  has: (...states: readonly TaskerStepState[]) => boolean,
): TaskerTaskState {
  if (has('in_progress', 'enqueued')) return 'steps_in_process'
  if (has('waiting_for_retry')) return 'waiting_for_retry'
  if (template === undefined) return steps.length === 0 ? 'initializing' : 'steps_in_process'
  return 'evaluating_results'
}
