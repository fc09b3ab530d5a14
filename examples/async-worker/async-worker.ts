// One actor asks for work, another does it beside its mailbox and sends each result, or each error, back.
import { Actor, Message, type Handler, type Recipient } from 'troupe/actor'

export class RequestWork extends Message('RequestWork')<{ id: number; data: string }>() {}

/** Names who wants the answer: anybody who handles `WorkResult` will do. Replies with the number of tasks that are now unsettled. */
export class ProcessTask extends Message('ProcessTask')<
  { id: number; data: string; replyTo: Recipient<WorkResult> },
  number
>() {}

/** Comes exactly once for each task, with what came of it. */
export class WorkResult extends Message('WorkResult')<{ id: number; result?: string; error?: string }>() {}

export type Work = (data: string, signal: AbortSignal) => Promise<string>
export type Say = (line: string) => void

interface WorkerDeps {
  readonly work: Work
  /** How many tasks run at once; what is more waits in the mailbox, and its senders with it once that is full. */
  readonly limit: number
  readonly say: Say
}

export class Worker extends Actor implements Handler<typeof ProcessTask> {
  readonly #deps: WorkerDeps
  peak = 0

  constructor(deps: WorkerDeps) {
    super()
    this.#deps = deps
  }

  ProcessTask({ id, data, replyTo }: ProcessTask): number {
    const { work, limit, say } = this.#deps
    this.ctx.task(
      (signal) => work(data, signal),
      (result) => void replyTo.tell(new WorkResult({ id, result })),
      { onError: (error) => void replyTo.tell(new WorkResult({ id, error: String(error) })), limit },
    )
    this.peak = Math.max(this.peak, this.ctx.active)
    say(`worker: task ${id} taken, ${this.ctx.active} unsettled`)
    return this.ctx.active
  }
}

export class Requester extends Actor implements Handler<typeof RequestWork>, Handler<typeof WorkResult> {
  readonly #worker: Recipient<ProcessTask>
  readonly #say: Say
  readonly results: string[] = []

  constructor(worker: Recipient<ProcessTask>, say: Say) {
    super()
    this.#worker = worker
    this.#say = say
  }

  async RequestWork({ id, data }: RequestWork): Promise<void> {
    // Waits while the worker has no room: this is where backpressure is felt.
    await this.#worker.send(new ProcessTask({ id, data, replyTo: this.ctx.self }))
  }

  WorkResult({ id, result, error }: WorkResult): void {
    const outcome = error === undefined ? `result ${result}` : `error ${error}`
    this.results.push(`${id}: ${outcome}`)
    this.#say(`requester: task ${id}: ${outcome}`)
  }
}
