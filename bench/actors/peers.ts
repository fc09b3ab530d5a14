// The same rows for actor libraries of others.
import { addPeers, loadPeer } from '../installed-peers.ts'
import { burst, check, inBursts } from './row.ts'
import type { Row } from './row.ts'

interface Nact {
  start(): object
  stop(system: object): void
  spawn(
    parent: object,
    handle: (count: number | undefined, message: NactMessage, ctx: { sender: object }) => number,
    name: string,
  ): object
  dispatch(ref: object, message: NactMessage | number): void
  query(ref: object, message: (sender: object) => NactMessage, timeoutMs: number): Promise<number>
}

interface NactMessage {
  readonly by: number
  readonly sender?: object
}

interface XState {
  createActor(logic: object): { start(): XStateActor }
  fromTransition(transition: (count: number, event: { type: string; by: number }) => number, initial: number): object
}

interface XStateActor {
  send(event: { type: string; by: number }): void
  getSnapshot(): { context: number }
  stop(): void
}

interface Comedy {
  createSystem(options: object): { rootActor(): Promise<ComedyActor>; destroy(): Promise<void> }
}

interface ComedyActor {
  createChild(definition: object): Promise<ComedyActor>
  send(topic: string, payload?: number): Promise<void>
  sendAndReceive(topic: string, payload?: number): Promise<number>
}

interface EffectOf<T> {
  [Symbol.iterator](): Iterator<unknown, T, unknown>
}

type Steps = Generator<unknown, void, unknown>

/** The parts of Effect that are used, with `object` for its own types. */
interface EffectModule {
  readonly Effect: {
    gen(body: () => Steps): EffectOf<void>
    runPromise(effect: EffectOf<void>): Promise<void>
    forkChild(effect: EffectOf<void>): EffectOf<object>
  }
  readonly Queue: {
    bounded(capacity: number): EffectOf<object>
    take(queue: object): EffectOf<EffectMessage>
    offer(queue: object, message: EffectMessage): EffectOf<boolean>
  }
  readonly Deferred: {
    make(): EffectOf<object>
    succeed(deferred: object, value: number): EffectOf<boolean>
    await(deferred: object): EffectOf<number>
  }
}

interface EffectMessage {
  readonly reply?: object
}

/** The rows of the peers that can be had. Of one that cannot, the reason is told. */
export async function peerRows(tell: (line: string) => void): Promise<readonly Row[]> {
  const rows: Row[] = []
  const adders = {
    nact: async () => rows.push(...nactRows(await loadDefault('nact'))),
    xstate: async () => rows.push(...xstateRows(await loadDefault('xstate'))),
    comedy: async () => rows.push(...comedyRows(await loadDefault('comedy'))),
    effect: async () => rows.push(...effectRows(await loadPeer('effect'))),
  }
  await addPeers('dependencies', adders, tell)
  return rows
}

async function loadDefault<T>(name: string): Promise<T> {
  const module = await loadPeer<{ default?: T }>(name)
  return module.default ?? (module as T)
}

function nactRows(nact: Nact): Row[] {
  // The names it makes up itself are random and soon meet a second time.
  let named = 0
  const counter = (system: object): object =>
    nact.spawn(
      system,
      (count = 0, { by, sender }) => {
        if (sender !== undefined) nact.dispatch(sender, count + by)
        return count + by
      },
      `counter-${++named}`,
    )
  const withSystem = async (use: (ref: object) => Promise<number>, count: number): Promise<void> => {
    const system = nact.start()
    check(await use(counter(system)), count)
    nact.stop(system)
  }
  const ask = (ref: object, by: number): Promise<number> => nact.query(ref, (sender) => ({ by, sender }), 30_000)
  const row = (what: string, count: number, use: (ref: object, count: number) => Promise<number>): Row => ({
    what,
    who: 'nact',
    count,
    run: (times) => withSystem((ref) => use(ref, times), times),
  })
  return [
    row('tell', 200_000, async (ref, count) => {
      await inBursts(
        count,
        () => nact.dispatch(ref, { by: 1 }),
        () => ask(ref, 1),
      )
      return ask(ref, 0)
    }),
    row('ask, one by one', 100_000, async (ref, count) => {
      for (let index = 0; index < count; index++) await ask(ref, 1)
      return ask(ref, 0)
    }),
    row('ask, 100 in flight', 100_000, async (ref, count) => {
      for (let done = 0; done < count; done += burst)
        await Promise.all(Array.from({ length: burst }, () => ask(ref, 1)))
      return ask(ref, 0)
    }),
    {
      what: 'spawn',
      who: 'nact',
      count: 50_000,
      run: async (count) => {
        const system = nact.start()
        const refs = Array.from({ length: count }, () => counter(system))
        check(refs.length, count)
        nact.stop(system)
      },
    },
  ]
}

/** XState's transition actors have no mailbox to speak of: `send` runs the transition at once. They cannot be asked. */
function xstateRows({ createActor, fromTransition }: XState): Row[] {
  const counter = (): XStateActor => createActor(fromTransition((count, { by }) => count + by, 0)).start()
  return [
    {
      what: 'tell',
      who: 'xstate',
      count: 500_000,
      run: async (count) => {
        const actor = counter()
        for (let index = 0; index < count; index++) actor.send({ type: 'add', by: 1 })
        check(actor.getSnapshot().context, count)
        actor.stop()
      },
    },
    {
      what: 'spawn',
      who: 'xstate',
      count: 20_000,
      run: async (count) => {
        const actors = Array.from({ length: count }, counter)
        check(actors.length, count)
      },
    },
  ]
}

function comedyRows({ createSystem }: Comedy): Row[] {
  const withActor = async (use: (actor: ComedyActor) => Promise<void>, count: number): Promise<void> => {
    const system = createSystem({ test: true })
    let sum = 0
    const root = await system.rootActor()
    const actor = await root.createChild({ add: (by: number) => (sum += by) })
    await use(actor)
    check(sum, count)
    await system.destroy()
  }
  const row = (what: string, count: number, use: (actor: ComedyActor, count: number) => Promise<void>): Row => ({
    what,
    who: 'comedy',
    count,
    run: (times) => withActor((actor) => use(actor, times), times),
  })
  return [
    row('tell', 200_000, (actor, count) =>
      inBursts(
        count,
        () => void actor.send('add', 1),
        () => actor.sendAndReceive('add', 1),
      ),
    ),
    row('ask, one by one', 100_000, async (actor, count) => {
      for (let index = 0; index < count; index++) await actor.sendAndReceive('add', 1)
    }),
    row('ask, 100 in flight', 100_000, async (actor, count) => {
      for (let done = 0; done < count; done += burst)
        await Promise.all(Array.from({ length: burst }, () => actor.sendAndReceive('add', 1)))
    }),
  ]
}

/** A bounded queue and a fiber that takes from it; the answer to an ask is a `Deferred`. */
function effectRows({ Effect, Queue, Deferred }: EffectModule): Row[] {
  const counting = (queue: object, counted: () => number): EffectOf<void> =>
    Effect.gen(function* () {
      for (;;) {
        const { reply } = yield* Queue.take(queue)
        const sum = counted()
        if (reply !== undefined) yield* Deferred.succeed(reply, sum)
      }
    })
  const row = (what: string, count: number, use: (queue: object, count: number) => Steps): Row => ({
    what,
    who: 'effect',
    count,
    run: async (times) => {
      let sum = 0
      await Effect.runPromise(
        Effect.gen(function* () {
          const queue = yield* Queue.bounded(burst)
          yield* Effect.forkChild(counting(queue, () => ++sum))
          yield* use(queue, times)
        }),
      )
      check(sum, times)
    },
  })
  const ask = function* (queue: object): Steps {
    const reply = yield* Deferred.make()
    yield* Queue.offer(queue, { reply })
    yield* Deferred.await(reply)
  }
  return [
    row('tell', 200_000, function* (queue, count) {
      for (let done = 0; done < count; done += burst) {
        for (let index = 1; index < burst; index++) yield* Queue.offer(queue, {})
        yield* ask(queue)
      }
    }),
    row('ask, one by one', 50_000, function* (queue, count) {
      for (let index = 0; index < count; index++) yield* ask(queue)
    }),
  ]
}
