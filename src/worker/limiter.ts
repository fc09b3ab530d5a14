// Limiters: named bounds that runs share, on all nodes.
import { checkFunction, checkName, checkOptions } from '../engine/checks.ts'
import { checkedBounds, knownOfBounds, type LimitBounds, type LimiterRule } from '../engine/limits.ts'
import { unbounded, type Bounds } from '../model/limiter.ts'

export interface LimiterOptions<Input = never> extends LimitBounds {
  /** Whom the bounds are for, made of the input of the run: each key has bounds of its own. */
  readonly key?: (input: Input) => string
}

/** What `limiter` returns; definitions take it in `limits`. */
export class Limiter<Input = never> implements LimiterRule {
  readonly name: string
  readonly bounds: Bounds
  readonly keyOf: ((input: Input) => string) | undefined

  constructor(name: string, options: LimiterOptions<Input>) {
    checkName('The name of a limiter', name)
    const what = `limiter '${name}'`
    checkOptions(what, options, [...knownOfBounds, 'key'])
    if (options.key !== undefined) checkFunction(`key of ${what}`, options.key)
    this.name = name
    this.bounds = { ...unbounded, ...checkedBounds(what, options) }
    this.keyOf = options.key
  }
}

/**
 * Defines a limiter: so many at once, so many in a time, for each key; shared by all nodes that use its name, and changed live with `troupe.limit`.
 *
 * A run that names it in `limits` is performed when it may pass, and waits without an actor until then. It has a slot while it is performed: not while it
 * sleeps parked, backs off or is snoozed. A rate counts each time it passes, so every attempt. Of one limiter's keys, that was served longest ago is next; within a key
 * priority decides, then age.
 *
 * Saves: its bounds, when a definition is registered that names it. Throws: `option_invalid`.
 *
 * ```ts
 * import { limiter, Troupe, worker } from 'troupe'
 * const stripe = limiter('stripe', { concurrency: 5, rate: { limit: 100, per: '1s', burst: 20 }, key: (order: { tenant: string }) => order.tenant })
 * const charge = worker('charge', { limits: [stripe] }, (ctx, order: { tenant: string; cents: number }) => order.cents)
 * await using troupe = await Troupe.open({ store: 'sqlite::memory:', definitions: [charge] })
 * await troupe.start()
 * console.log(await troupe.run(charge, { tenant: 'a', cents: 990 })) // 990
 * ```
 */
export function limiter<Input = never>(name: string, options: LimiterOptions<Input>): Limiter<Input> {
  return new Limiter(name, options)
}
