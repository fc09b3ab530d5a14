// One attempt of a step, a worker or a workflow: what an actor of a pool executes.
import type { Clock } from '../lib/clock.ts'
import { toError } from '../lib/errors.ts'

export interface Task {
  readonly timeoutMs: number | undefined
  /** Starts the work; may throw, or return a promise. */
  run(): unknown
  /** The time is up: tells the work so and gives the error it failed with. */
  timeOut(): Error
  /** Told the first of: result, error, timeout. Not told when the attempt was abandoned before. */
  attempted(result: AttemptResult): void
  /** Set while it is executed; calling it frees the actor, and whatever the work still does is ignored. */
  abandon: (() => void) | undefined
}

export type AttemptResult =
  | { readonly isError: false; readonly value: unknown }
  | { readonly isError: true; readonly error: Error }

/** Executes a task to its first result and reports that; resolves when the actor is free again. Never rejects. */
export async function executeTask(task: Task, clock: Clock): Promise<void> {
  const result = await firstResult(task, clock)
  task.abandon = undefined
  if (result !== undefined) task.attempted(result)
}

function firstResult(task: Task, clock: Clock): Promise<AttemptResult | undefined> {
  return new Promise((resolve) => {
    const timer =
      task.timeoutMs === undefined
        ? undefined
        : clock.after(task.timeoutMs, () => resolve({ isError: true, error: task.timeOut() }))
    const settle = (result: AttemptResult | undefined): void => {
      timer?.cancel()
      resolve(result)
    }
    task.abandon = () => settle(undefined)
    start(task).then(
      (value) => settle({ isError: false, value }),
      (error: unknown) => settle({ isError: true, error: toError(error) }),
    )
  })
}

async function start(task: Task): Promise<unknown> {
  return task.run()
}
