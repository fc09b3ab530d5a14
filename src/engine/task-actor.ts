// The task actor: executes one attempt of a step, or of a plain worker, at a time.
import { PoolActor } from './pool.ts'
import type { Task } from './task.ts'

export class TaskActor extends PoolActor {
  async Execute({ task }: { readonly task: Task }): Promise<void> {
    await this.execute(task)
  }
}
