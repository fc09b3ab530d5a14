// An actor for the tests of threads; it lives in a module of its own, as a thread wants it.
import { threadId } from 'node:worker_threads'
import { Actor } from '../../../src/actor/actor.ts'
import { Message } from '../../../src/actor/message.ts'

export class Multiply extends Message('Multiply')<{ by: number }, number>() {}

export interface CalculatorOptions {
  readonly start?: number
  readonly failsToStart?: boolean
  readonly failsToStop?: boolean
  readonly hangsAtStart?: boolean
}

export class Calculator extends Actor {
  static readonly concurrent = { wait: 100 }
  #total: number
  #isOpen = false
  readonly #options: CalculatorOptions
  readonly #waiting: (() => void)[] = []

  constructor(options: CalculatorOptions = {}) {
    super()
    this.#options = options
    this.#total = options.start ?? 0
  }
  override async started(): Promise<void> {
    if (this.#options.failsToStart === true) throw new RangeError('no calculator today')
    if (this.#options.hangsAtStart !== true) return
    this.ctx.log.info({}, 'hangs')
    await new Promise(() => undefined)
  }
  override stopped(reason: string): void {
    if (this.#options.failsToStop === true) throw new Error('no end')
    this.ctx.log.info({ total: this.#total }, `stopped: ${reason}`)
  }
  add(by: number): number {
    return (this.#total += by)
  }
  Multiply({ by }: Multiply): number {
    return (this.#total *= by)
  }
  total(): number {
    return this.#total
  }
  thread(): number {
    return threadId
  }
  divide(by: number): number {
    if (by === 0) throw Object.assign(new RangeError('divided by zero'), { code: 'E_ZERO' })
    return (this.#total /= by)
  }
  async addLater(by: number): Promise<number> {
    await undefined
    return this.add(by)
  }
  wait(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve))
  }
  go(): number {
    for (const resolve of this.#waiting.splice(0)) resolve()
    return this.#total
  }
  spin(): void {
    for (;;);
  }
  exit(code: number): void {
    process.exit(code)
  }
  makeFunction(): () => number {
    return () => this.#total
  }
  failLater(): void {
    this.ctx.after(1, () => {
      throw new Error('failed in a timer')
    })
  }
  later(by: number): void {
    if (this.#isOpen) this.add(by)
    else this.ctx.stash()
  }
  now(): void {
    this.#isOpen = true
    this.ctx.unstash()
  }
  again(_by: number): void {
    this.ctx.stash()
  }
  shout(text: string): void {
    this.ctx.log.info({ phase: 'one of the user' }, text)
  }
  fog(): void {
    const unreadable = {
      get(): string {
        throw new Error('no')
      },
    }
    throw Object.defineProperties(new Error('fog'), { message: unreadable, stack: unreadable })
  }
  because(root: string): void {
    throw new Error('because of it', { cause: new Error(root) })
  }
  leave(): void {
    this.ctx.stop()
  }
}
