// One attempt of a step, a worker or a workflow: what an actor of a pool executes.
import type { Clock, Timer } from '../../lib/clock.ts'
import { toError } from '../../lib/errors.ts'
import { isThenable } from '../../lib/thenable.ts'

export interface Task {
  readonly timeoutMs: number | undefined
  /** Nobody wants the work any more: it is not begun. */
  readonly isOver: boolean
  /** Starts the work; may throw, or return a promise. */
  run(): unknown
  /** What the started work must wait for before it can begin, such as a thread: none of its time. Never rejects. */
  readonly waitsFor?: Promise<void> | undefined
  /** The time is up: tells the work so and gives the error it failed with. */
  timeOut(): Error
  /** Told the first of: result, error, timeout. Not told when the attempt was abandoned before. */
  attempted(result: AttemptResult): void
  /** Set while it is executed; calling it ends the execution, and whatever the work still does is ignored. */
  abandon: (() => void) | undefined
  /** What is still to be done for it at its end; the actor is busy until then. Never rejects. */
  readonly closing: Promise<void> | undefined
}

export type AttemptResult =
  | { readonly isError: false; readonly value: unknown }
  | { readonly isError: true; readonly error: Error }

/** Executes a task to its first result and reports that; the actor is free when this returns or resolves. Never fails. */
export function executeTask(task: Task, clock: Clock): Promise<void> | void {
  if (task.isOver) return
  const outcome = started(task)
  if (outcome instanceof Promise) return firstResult(task, outcome, clock).then((result) => report(task, result))
  return report(task, outcome)
}

/** Calls as soon as the started work has begun. */
export function whenBegun({ waitsFor }: Pick<Task, 'waitsFor'>, begin: () => void): void {
  if (waitsFor === undefined) begin()
  else void waitsFor.then(begin)
}

function started(task: Task): AttemptResult | Promise<unknown> {
  try {
    const value = task.run()
    // Work that is done at once needs no promise, and cannot run out of time.
    return isThenable(value) ? Promise.resolve(value) : { isError: false, value }
  } catch (error) {
    return { isError: true, error: toError(error) }
  }
}

function firstResult(task: Task, pending: Promise<unknown>, clock: Clock): Promise<AttemptResult | undefined> {
  return new Promise((resolve) => {
    const { timeoutMs } = task
    let isSettled = false
    let timer: Timer | undefined
    const runOut = (): void => resolve({ isError: true, error: task.timeOut() })
    const begin = (): void => {
      if (timeoutMs !== undefined && !isSettled) timer = clock.after(timeoutMs, runOut)
    }
    whenBegun(task, begin)
    const settle = (result: AttemptResult | undefined): void => {
      isSettled = true
      timer?.cancel()
      resolve(result)
    }
    task.abandon = () => settle(undefined)
    // It may have had its end before its first await, when there was nobody to tell.
    if (task.isOver) task.abandon()
    pending.then(
      (value) => settle({ isError: false, value }),
      (error: unknown) => settle({ isError: true, error: toError(error) }),
    )
  })
}

function report(task: Task, result: AttemptResult | undefined): Promise<void> | undefined {
  task.abandon = undefined
  if (result !== undefined) task.attempted(result)
  return task.closing
}
