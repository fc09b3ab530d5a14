// Counts from many sides at once, and loses none of it when it stops.
//
//   node --import jiti/register examples/counter/demo.ts
import { ActorSystem, isTroupeError, stub } from 'troupe/actor'
import { Counter } from './counter.ts'

const system = new ActorSystem({ name: 'counter' })
const [counter, handle] = system.spawn(() => new Counter(10), { name: 'counter', mailbox: 100 })

// tell goes on at once; send waits for room and is the backpressure; ask waits for the answer; a stub makes asks look like calls.
counter.tell('increment')
const sendMany = async (): Promise<void> => {
  for (let count = 0; count < 1000; count++) await counter.send('increment', 2)
}
await Promise.all([sendMany(), sendMany()])
await stub(counter).decrement(11)
console.log(`value: ${await counter.ask('get')}`)

// A graceful stop handles what was let in before it, then nothing more comes in.
counter.tell('increment', 5)
const stopping = handle.stop({ within: '1s' })
console.log(`told after stop: ${counter.tell('increment', 1000)}`)
const { kind, actor } = await stopping
console.log(`${kind} at ${actor?.get()}`)
await counter.ask('get').catch((error: unknown) => console.log(isTroupeError(error) ? error.code : error))
console.log(`dead letters: ${system.deadLetters.count}`)
