// The processor: the front door for commands from outside. It routes, and decides nothing.
import { Actor } from '../actor/actor.ts'
import { Message, type Handler } from '../actor/message.ts'
import type { Ref } from '../actor/ref.ts'
import { engineStopped } from '../model/errors.ts'
import type { Committer } from './committer.ts'
import type { Dispatcher } from './dispatcher.ts'
import type { RequestWrite } from './request-write.ts'
import type { ManyStarts, StartOrder } from './starts.ts'
import type { Write } from './writes.ts'

/** Starts a run that is made of steps. */
export class ExecuteWorkflow extends Message('ExecuteWorkflow')<{ order: StartOrder }>() {}

/** Starts a run that is one piece of work. */
export class ExecuteTask extends Message('ExecuteTask')<{ order: StartOrder }>() {}

/** Starts many runs of one definition. */
export class ExecuteMany extends Message('ExecuteMany')<{ starts: ManyStarts }>() {}

export class Cancel extends Message('Cancel')<{ write: RequestWrite<'cancels'> }>() {}

/** Brings what came for a run from outside. */
export class Complete extends Message('Complete')<{ write: RequestWrite<'completions'> }>() {}

/** Brings a message for a run, which may want an answer. */
export class Tell extends Message('Tell')<{ write: RequestWrite<'tells'> }>() {}

/** What somebody asks of a run that is there. */
export type RunCommand = Cancel | Complete | Tell

/** Takes no more work from outside. */
export class Shutdown extends Message('Shutdown')() {}

export class Processor
  extends Actor
  implements
    Handler<typeof ExecuteWorkflow>,
    Handler<typeof ExecuteTask>,
    Handler<typeof ExecuteMany>,
    Handler<typeof Cancel>,
    Handler<typeof Complete>,
    Handler<typeof Tell>,
    Handler<typeof Shutdown>
{
  readonly #dispatcher: Ref<Dispatcher>
  readonly #committer: Ref<Committer>
  #isClosed = false

  constructor(dispatcher: Ref<Dispatcher>, committer: Ref<Committer>) {
    super()
    this.#dispatcher = dispatcher
    this.#committer = committer
  }

  ExecuteWorkflow({ order }: ExecuteWorkflow): void | Promise<void> {
    return this.#start(order)
  }

  ExecuteTask({ order }: ExecuteTask): void | Promise<void> {
    return this.#start(order)
  }

  ExecuteMany({ starts }: ExecuteMany): void | Promise<void> {
    if (this.#isClosed) return starts.durable.reject(engineStopped())
    return this.#dispatcher.send('startMany', starts)
  }

  Cancel({ write }: Cancel): void | Promise<void> {
    return this.#write(write)
  }

  Complete({ write }: Complete): void | Promise<void> {
    return this.#write(write)
  }

  Tell({ write }: Tell): void | Promise<void> {
    return this.#write(write)
  }

  Shutdown(): void {
    this.#isClosed = true
  }

  // Waits for room, so that callers feel how fast the store is.
  #start(order: StartOrder): void | Promise<void> {
    if (this.#isClosed) return order.durable.reject(engineStopped())
    return this.#dispatcher.send('start', order)
  }

  #write(write: Write): void | Promise<void> {
    if (this.#isClosed) return write.failed(engineStopped())
    return this.#committer.send('write', write)
  }
}
