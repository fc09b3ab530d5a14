// The task actor: executes one attempt of a step, or of a plain worker, at a time.
import { PoolActor } from './pool.ts'
import type { Task } from './task.ts'

export class TaskActor extends PoolActor {
  Execute({ task }: { readonly task: Task }): Promise<void> | void {
    return this.execute(task)
  }
}
