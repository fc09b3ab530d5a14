// Stores for tests of crashes: one that several engines share, and one whose process dies at a commit.
import { observedStore } from '../../src/testing/observed-store.ts'
import type { Store } from '../../src/store/store.ts'

/** When a process dies: before a commit goes through, or before it hears of that. */
export type Moment = 'before' | 'after'

/** It stays open when an engine ends. */
export function kept(store: Store): Store {
  return withOwn(store, { close: async () => {} })
}

/** The same, but for what it has of its own. */
export function withOwn<Target extends object>(of: Target, own: Partial<Target>): Target {
  return new Proxy(of, {
    get: (target, name) => {
      if (Object.hasOwn(own, name)) return Reflect.get(own, name) as unknown
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  })
}

/** The store of a process that dies at its commit of this number: nothing more goes through. */
export function dyingStore(store: Store, cut: number, moment: Moment): { dying: Store; isDead: () => boolean } {
  let commits = 0
  let isOver = false
  const dying = observedStore(store, {
    asked: () => () => {},
    committing: () => {
      commits += 1
      if (commits === cut && moment === 'before') isOver = true
    },
    committed: () => {
      if (commits === cut && moment === 'after') isOver = true
    },
    published: () => {},
    named: () => {},
    isCutOff: () => isOver,
  })
  return { dying, isDead: () => isOver }
}
