// Limiters: named bounds that runs share, on all nodes.
import { checkFunction, checkKey, checkName, checkOptions } from '../engine/checks.ts'
import { checkedBounds, knownOfBounds, type LimitBounds, type LimiterRule } from '../engine/limits/limits.ts'
import type { LimitedFunction } from '../engine/limits/slots.ts'
import { optionInvalid } from '../model/errors.ts'
import { unbounded, type Bounds } from '../model/limiter.ts'
import { hostOf } from './global.ts'

export interface LimiterOptions<Input = never> extends LimitBounds {
  /** Whom the bounds are for, made of the input of the run: each key has bounds of its own. */
  readonly key?: (input: Input) => string
}

export interface LimitedOptions {
  /** Whom the bounds are for; needed where the limiter has keys. */
  readonly key?: string
  /** Ends the wait, and is told to what runs. */
  readonly signal?: AbortSignal
}

/** What `limiter` returns; definitions take it in `limits`. */
export class Limiter<Input = never> implements LimiterRule {
  readonly name: string
  readonly bounds: Bounds
  readonly keyOf: ((input: Input) => string) | undefined

  /** @internal */
  constructor(name: string, options: LimiterOptions<Input>) {
    checkName('The name of a limiter', name)
    const what = `limiter '${name}'`
    checkOptions(what, options, [...knownOfBounds, 'key'])
    if (options.key !== undefined) checkFunction(`key of ${what}`, options.key)
    if (knownOfBounds.every((bound) => options[bound as keyof LimitBounds] === undefined))
      throw optionInvalid(`The options object of ${what}`, options, 'a bound: concurrency, total or rate')
    this.name = name
    this.bounds = { ...unbounded, ...checkedBounds(what, options) }
    this.keyOf = options.key
  }

  /**
   * Does anything under this limiter: waits in line with the runs of all nodes, then calls `fn` and gives back what that gives.
   *
   * The slot is free again when `fn` is done, however it ends, and when this process dies. It is asked for at the engine of this process at which a definition with
   * this limiter is registered, else at that of `WORKER`. Do not wait for a slot of a limiter while you have one of it: that may never end.
   * `fn` is called with a signal, which aborts when yours does, when the engine stops and does not want to wait for it any longer, and when the slot is lost because
   * the lease of this node is.
   *
   * Saves: the slot, while it is held. Throws: what `fn` throws; the reason of an aborted `signal`, without calling `fn` when it waited; `engine_stopped`;
   * `worker_manager_not_initialised` without an engine; `option_invalid`, also when the limiter has keys and none is given; `definition_invalid` when another
   * limiter of its name has other bounds; `store_…`.
   *
   * ```ts
   * import { limiter, Troupe } from 'troupe'
   * await using troupe = await Troupe.open({ store: 'sqlite::memory:' })
   * const api = limiter('api', { concurrency: 2 })
   * console.log(await api.run(() => 'answer')) // answer
   * ```
   */
  async run<Output>(fn: LimitedFunction<Output>, options: LimitedOptions = {}): Promise<Output> {
    const what = `limiter '${this.name}'`
    checkFunction(`What ${what} is to run`, fn)
    checkOptions(`run of ${what}`, options, ['key', 'signal'])
    const { key, signal } = options
    if (signal !== undefined && !(signal instanceof AbortSignal))
      throw optionInvalid(`signal of run of ${what}`, signal, 'an AbortSignal')
    if (key !== undefined || this.keyOf !== undefined) checkKey(`key of run of ${what}`, key)
    return hostOf(this).runLimited({ rule: this, key: key ?? '', signal }, fn)
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
export function limiter<Input = unknown>(name: string, options: LimiterOptions<Input>): Limiter<Input> {
  return new Limiter(name, options)
}
