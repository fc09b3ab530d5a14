import { describe, expect, it } from 'vitest'
import { Actor } from '../actor/actor.ts'
import type { Ref } from '../actor/ref.ts'
import { testSystem } from './test-system.ts'
import type { TestSystem } from './test-system.ts'
import { underSeeds } from './under-seeds.ts'

class Account extends Actor {
  balance = 100
  read(): number {
    return this.balance
  }
  write(balance: number): void {
    this.balance = balance
  }
}

/** Reads, then writes: what another one writes in between is lost. */
class Teller extends Actor {
  readonly #account: Ref<Account>
  constructor(account: Ref<Account>) {
    super()
    this.#account = account
  }
  async deposit(sum: number): Promise<void> {
    const balance = await this.#account.ask('read')
    this.#account.tell('write', balance + sum)
  }
}

class Clumsy extends Actor {
  drop(): void {
    throw new Error('dropped')
  }
}

const failureOf = (run: Promise<void>): Promise<Error | undefined> =>
  run.then(
    () => undefined,
    (error: Error) => error,
  )

describe('underSeeds', () => {
  it('finds an order in which a test fails and names its seed, which fails again alone', async () => {
    const scenario = async ({ system, settle }: TestSystem): Promise<void> => {
      const [account] = system.spawn(Account)
      const tellers = [10, 1].map((sum) => ({ sum, ref: system.spawn(() => new Teller(account))[0] }))
      for (const { sum, ref } of tellers) ref.tell('deposit', sum)
      await settle()
      const balance = await account.ask('read')
      if (balance !== 111) throw new Error(`the balance is ${balance}`)
    }
    const failure = await failureOf(underSeeds(100, scenario))
    expect(failure?.message).toMatch(
      /^Under seed \d+: the balance is 1\d+\nRun it alone with testSystem\({ seed: \d+ }\)\.$/,
    )
    const seed = Number(/seed (\d+)/.exec(failure?.message ?? '')?.[1])
    await expect(scenario(testSystem({ seed }))).rejects.toThrow(String(failure?.cause).replace(/^Error: /, ''))
  })

  it('runs each seed once, in a system of its own that settles and stops at the end', async () => {
    const kits: TestSystem[] = []
    let handled = 0
    await underSeeds(3, (kit) => {
      kits.push(kit)
      const [account] = kit.system.spawn(Account)
      account.tell('write', 1)
      kit.system.inspect(({ type }) => void (handled += type === 'handled' ? 1 : 0))
    })
    expect([kits.length, new Set(kits).size, handled]).toEqual([3, 3, 3])
    expect(kits.map(({ system }) => system.metrics().actors)).toEqual([0, 0, 0])
  })

  it('fails when an actor fails, unless the scenario takes the failure', async () => {
    const drop = async ({ system, settle }: TestSystem): Promise<void> => {
      system.spawn(Clumsy)[0].tell('drop')
      await settle()
    }
    const failure = await failureOf(underSeeds(5, drop))
    expect(failure?.message).toMatch(/^Under seed 1: Clumsy\(#1\) failed \(handle\): dropped\. /)
    await underSeeds(5, async (kit) => {
      await drop(kit)
      expect(kit.takeFailures().length).toBe(1)
    })
  })

  it('leaves nothing running behind a scenario that throws', async () => {
    const kits: TestSystem[] = []
    const failure = await failureOf(
      underSeeds(5, (kit) => {
        kits.push(kit)
        kit.system.spawn(Account)
        throw new Error('the scenario threw')
      }),
    )
    expect(failure?.message).toBe('Under seed 1: the scenario threw\nRun it alone with testSystem({ seed: 1 }).')
    expect(kits.map(({ system }) => system.metrics().actors)).toEqual([0])
  })

  it('refuses to try no seed at all', async () => {
    for (const seeds of [0, Number.NaN, 1.5])
      await expect(underSeeds(seeds, () => undefined)).rejects.toMatchObject({ code: 'option_invalid' })
  })
})
