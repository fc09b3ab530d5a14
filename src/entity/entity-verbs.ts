// What a program does with entities.
import { Tell } from '../engine/processor.ts'
import type { Face } from '../engine/verbs/face.ts'
import { addressOf } from './address.ts'
import { EntityPost } from './entity-post.ts'
import type { Entity } from './entity.ts'
import { listEntities, type EntitiesFilter, type EntityStatus } from './listing.ts'
import { SentRef, type EntityRef, type EntityRefOptions } from './entity-ref.ts'

export interface EntityVerbs {
  /**
   * Reaches the entity of a key, in any process of the store; it begins with its first message, and any node that has its definition performs it.
   *
   * Saves: nothing before something is sent. Throws: `option_invalid` (a key of more than 1,024 characters).
   *
   * ```ts
   * import { Troupe, entity } from 'troupe'
   * const account = entity('account', { state: () => ({ balance: 0 }) }, {
   *   deposit(ctx, amount: number) {
   *     return (ctx.state.balance += amount)
   *   },
   *   send(ctx, to: string, amount: number) {
   *     if (ctx.state.balance < amount) throw new Error(`${ctx.key} has not so much`)
   *     ctx.state.balance -= amount
   *     ctx.entity('account', to).tell('deposit', amount)
   *   },
   * })
   * await using troupe = await Troupe.open({ store: 'sqlite::memory:', definitions: [account] })
   * await troupe.start()
   * await troupe.entity(account, 'ann').ask('deposit', 10)
   * await troupe.entity(account, 'ann').ask('send', 'bob', 4)
   * console.log(await troupe.entity(account, 'bob').ask('deposit', 1)) // 5
   * ```
   */
  entity<Handlers>(definition: Entity<Handlers>, key: string, options?: EntityRefOptions): EntityRef<Handlers>
  entity(name: string, key: string, options?: EntityRefOptions): EntityRef

  /**
   * Lists entities by name and key, on whatever node they are: of all names, of one, or the one of a key. What keeps nothing and has nothing to handle is not there.
   *
   * Costs a few short walks of an index for each that is listed. Throws: `option_invalid`, `engine_stopped`, `store_…`.
   *
   * ```ts
   * import { Troupe, entity } from 'troupe'
   * const cart = entity('cart', { state: () => ['bread'] }, { add: (ctx, item: string) => void ctx.state.push(item) })
   * await using troupe = await Troupe.open({ store: 'sqlite::memory:', definitions: [cart] })
   * for (const key of ['ann', 'bob']) await troupe.entity(cart, key).tell('add', 'salt')
   * const [ann, bob] = await troupe.entities(cart)
   * console.log(ann?.key, ann?.waiting, bob?.state) // ann 1 ready
   * ```
   */
  entities(definition?: Entity | string, filter?: EntitiesFilter): Promise<EntityStatus[]>
}

/** The verbs of an engine. */
export function entityVerbs(face: Face): EntityVerbs {
  const { deps, engine, checkOpen } = face
  const post = new EntityPost({
    deps,
    draft: (...start) => engine.draft(...start),
    replies: engine.post.replies,
    bring: (write) => {
      checkOpen()
      return engine.door.bring(new Tell({ write }))
    },
  })
  return {
    entity: (target: Entity | string, key: string, options?: EntityRefOptions): EntityRef => {
      const { address, timeoutMs } = addressOf(target, key, options)
      return new SentRef(key, post.to(address, timeoutMs))
    },
    entities: (target, filter = {}) => listEntities(face, target, filter),
  }
}
