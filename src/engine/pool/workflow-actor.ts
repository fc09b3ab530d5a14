// The workflow actor: performs one activation of a workflow at a time; its steps are executed by task actors.
import { PoolActor } from './pool.ts'
import type { Task } from './task.ts'

export class WorkflowActor extends PoolActor {
  Execute({ task }: { readonly task: Task }): Promise<void> | void {
    return this.execute(task)
  }
}
