// What a pool accepts and what not, kept by the type checker: a line that stops being an error fails the check.

import { Actor } from './actor.ts'
import type { Handle } from './handle.ts'
import { Message } from './message.ts'
import type { Handler } from './message.ts'
import type { Pool } from './pool.ts'
import type { Recipient, Ref } from './ref.ts'
import { stub } from './stub.ts'
import { ActorSystem } from './system.ts'

class Total extends Message('Total')<{ of: string }, number>() {}
class Unheard extends Message('Unheard')<{ id: number }>() {}

class Counter extends Actor implements Handler<typeof Total> {
  add(by: number): number {
    return by
  }
  get(): string {
    return ''
  }
  Total({ of }: Total): number {
    return of.length
  }
}

class Owner extends Actor {
  own(): Pool<Counter> {
    return this.ctx.pool(Counter, { size: 2, route: 'hash', key: (name: string) => name })
  }
}

const system = new ActorSystem()
const pool = system.pool(() => new Counter(), { min: 1, max: 4, mailbox: 10, priority: true, idleAfter: '5s' })

pool satisfies Pool<Counter>
pool satisfies Ref<Counter>
pool satisfies Recipient<Total>
pool.handle satisfies Handle
pool.size satisfies number
pool.tell('add', 1) satisfies boolean
void (pool.send('add', 1) satisfies Promise<void> | undefined)
void (pool.ask('add', 1) satisfies Promise<number>)
void (pool.ask(new Total({ of: 'all' })) satisfies Promise<number>)
void (stub(pool).get() satisfies Promise<string>)
void (new Owner().own().ask('get') satisfies Promise<string>)

// @ts-expect-error: no such message
pool.tell('subtract', 1)
// @ts-expect-error: the wrong payload
pool.tell('add', 'one')
// @ts-expect-error: not handled by the members
pool.tell(new Unheard({ id: 1 }))
// @ts-expect-error: only read
pool.size = 3

system.pool(Counter, { size: 1, route: 'hash', key: (name, payload) => (name === 'add' ? payload : name) })
system.pool(Counter, { size: 1, route: 'hash', key: (name, payload) => (name === 'Total' ? payload.of : 0) })
system.pool(Counter, { size: 1, route: 'hash', key: () => 'one' })
// @ts-expect-error: the payload is a number only for one of the messages
system.pool(Counter, { size: 1, route: 'hash', key: (_name, payload) => payload })
// @ts-expect-error: no such route
system.pool(Counter, { size: 1, route: 'fastest' })
// @ts-expect-error: the options are needed
system.pool(Counter)
