// What must compile and what must not, kept by the type checker: a line that stops being an error fails the check.

import { Actor } from './actor.ts'
import type { ActorResult, Handle } from './handle.ts'
import { Message } from './message.ts'
import type { Handler } from './message.ts'
import type { Recipient, Ref } from './ref.ts'
import { stub } from './stub.ts'
import { ActorSystem } from './system.ts'

class ExecuteStep extends Message('ExecuteStep')<{ step: string; queue: string }, boolean>() {}
class WorkDone extends Message('WorkDone')<{ id: number }>() {}
class Unheard extends Message('Unheard')<{ id: number }, string>() {}
class Total extends Message('Total')<number[], number>() {}
class Ping extends Message('Ping')() {}

class Counter extends Actor implements Handler<typeof ExecuteStep>, Handler<typeof Total> {
  label = 'counter'
  readonly #n = 0
  override async started(): Promise<void> {}
  override stopped(reason: 'stopped' | 'killed' | 'failed'): void {
    this.label = reason
  }
  add(by: number): number {
    this.helper()
    return this.#n + by
  }
  rename(label?: string): void {
    this.label = label ?? ''
  }
  get(): number {
    return this.#n
  }
  async later(): Promise<string> {
    return this.label
  }
  async ExecuteStep(message: ExecuteStep): Promise<boolean> {
    return message.queue.length > 0 && message.tag === 'ExecuteStep'
  }
  Total(message: Total): number {
    return message.payload.length
  }
  Ping(): void {}
  two(first: number, second: number): number {
    return first + second
  }
  protected guarded(): void {}
  private helper(): void {
    this.guarded()
  }
}

class Requester extends Actor {
  request(worker: Ref<Worker>): void {
    worker.tell('work', this.ctx.self)
    const own: Recipient<WorkDone> = this.ctx.self
    own.tell(new WorkDone({ id: 1 }))
    this.ctx.self.tell(new WorkDone({ id: 1 }))
    this.ctx.self.tell('count', 1)
    this.ctx.self.tell('reset')
    void this.ctx.self.send('count', 1)
    const me: Ref<Requester> = this.ctx.self
    me.tell('reset')
    // @ts-expect-error a wrong payload to oneself
    this.ctx.self.tell('count', 'one')
    // @ts-expect-error a missing payload to oneself
    this.ctx.self.tell('count')
    // @ts-expect-error a message one does not handle
    this.ctx.self.tell('nothing')
    // @ts-expect-error a message one does not handle
    this.ctx.self.tell(new Unheard({ id: 1 }))
    // @ts-expect-error a hook of one's own
    this.ctx.self.tell('started')
    this.ctx.pipe(Promise.resolve(1), (value) => this.count(value))
    this.ctx.after('1s', () => this.reset()).cancel()
  }
  count(by: number): void {
    void by
  }
  reset(): void {}
  WorkDone(message: WorkDone): void {
    void message.id
  }
  override started(): void {}
}

class Worker extends Actor {
  work(callback: Recipient<WorkDone>): void {
    callback.tell(new WorkDone({ id: 1 }))
    // @ts-expect-error a recipient takes nothing else
    callback.tell(new Unheard({ id: 1 }))
  }
}

class Labelled extends Actor {
  readonly #label: string
  constructor(label: string) {
    super()
    this.#label = label
  }
  read(): string {
    return this.#label
  }
}

export async function accepted(system: ActorSystem): Promise<unknown[]> {
  const [counter, handle]: readonly [Ref<Counter>, Handle<Counter>] = system.spawn(() => new Counter(), {
    name: 'counter',
    mailbox: 10,
  })
  const [requester] = system.spawn(Requester, { mailbox: { capacity: 5, overflow: 'drop-oldest' } })
  const told: boolean = counter.tell('add', 2)
  const sent: Promise<void> | undefined = counter.send('add', 2)
  const sum: number = await counter.ask('add', 2)
  const value: number = await counter.ask('get')
  const inTime: number = await counter.ask('get', undefined, { timeout: '1s' })
  const text: string = await counter.ask('later')
  const done: boolean = await counter.ask(new ExecuteStep({ step: 'a', queue: 'q' }), { timeout: 1000 })
  const total: number = await counter.ask(new Total([1, 2]))
  counter.tell(new Ping())
  counter.tell('rename')
  counter.tell('rename', 'x')
  const viaStub: number = await stub(counter).add(1)
  const viaStubLater: string = await stub(counter).later(undefined, { timeout: '1s' })
  const recipient: Recipient<WorkDone> = requester
  const anyRef: Ref<Actor> = counter
  const result: ActorResult<Counter> = await handle.stop({ within: '5s' })
  const found: Ref<Counter> | undefined = system.lookup('counter', Counter)
  return [
    told,
    sent,
    sum,
    value,
    inTime,
    text,
    done,
    total,
    viaStub,
    viaStubLater,
    recipient,
    anyRef,
    result.actor?.label,
    found,
  ]
}

export async function refused(system: ActorSystem, counter: Ref<Counter>): Promise<unknown[]> {
  // @ts-expect-error an unhandled message
  counter.tell(new Unheard({ id: 1 }))
  // @ts-expect-error an unhandled message, asked
  await counter.ask(new Unheard({ id: 1 }))
  // @ts-expect-error an unhandled message, sent
  void counter.send(new Unheard({ id: 1 }))
  // @ts-expect-error an unknown name
  counter.tell('nothing')
  // @ts-expect-error a wrong payload
  counter.tell('add', 'two')
  // @ts-expect-error a missing payload
  counter.tell('add')
  // @ts-expect-error a missing payload, asked
  await counter.ask('add')
  // @ts-expect-error a payload too many
  counter.tell('get', 1)
  // @ts-expect-error a wrong payload of a message class
  counter.tell(new ExecuteStep({ step: 'a', queue: 1 }))
  // @ts-expect-error a missing field
  counter.tell(new ExecuteStep({ step: 'a' }))
  // @ts-expect-error a missing payload of a message class
  counter.tell(new ExecuteStep())
  // @ts-expect-error a wrong reply type
  const wrong: string = await counter.ask('get')
  // @ts-expect-error a wrong reply type of a message class
  const wrongToo: string = await counter.ask(new ExecuteStep({ step: 'a', queue: 'q' }))
  // @ts-expect-error a wrong reply type through a stub
  const wrongAsWell: string = await stub(counter).get()
  // @ts-expect-error a lifecycle hook
  counter.tell('started')
  // @ts-expect-error a lifecycle hook through a stub
  void stub(counter).stopped
  // @ts-expect-error the context
  counter.tell('ctx')
  // @ts-expect-error a private method
  counter.tell('helper')
  // @ts-expect-error a protected method
  counter.tell('guarded')
  // @ts-expect-error a field that is no method
  counter.tell('label')
  // @ts-expect-error a method of two parameters
  counter.tell('two', 1)
  // @ts-expect-error a recipient of what the actor does not handle
  const recipient: Recipient<WorkDone> = counter
  // @ts-expect-error options that do not exist
  system.spawn(Counter, { mailbox: { capacity: 1, overflow: 'block' } })
  // @ts-expect-error a class that needs arguments
  system.spawn(Labelled)
  // @ts-expect-error an object that is no actor
  system.spawn(() => ({ add: 1 }))
  // @ts-expect-error a hook as the tag of a message
  Message('started')
  return [wrong, wrongToo, wrongAsWell, recipient]
}

// @ts-expect-error a handler that is missing
export class Missing extends Actor implements Handler<typeof ExecuteStep> {}

export class WrongReply extends Actor implements Handler<typeof ExecuteStep> {
  // @ts-expect-error a handler with the wrong reply
  ExecuteStep(message: ExecuteStep): string {
    return message.step
  }
}
