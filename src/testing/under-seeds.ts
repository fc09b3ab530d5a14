// Runs a test in many orders, to find those in which it fails.

import { wholeNumber } from '../actor/errors.ts'
import { toError } from '../lib/errors.ts'
import { testSystem } from './test-system.ts'
import type { TestSystem, TestSystemOptions } from './test-system.ts'

/**
 * Runs `scenario` with `testSystem({ seed })` for the seeds from 1 to `seeds`, one after the other, and lets each system settle and stop.
 *
 * Throws: an error that names the first seed under which the scenario threw, an actor failed or the actors did not come to rest.
 *
 * ```ts
 * import { Actor } from 'troupe/actor'
 * import { underSeeds } from 'troupe/testing'
 * class Account extends Actor {
 *   balance = 0
 *   deposit(sum: number) { this.balance += sum }
 * }
 * await underSeeds(20, async ({ system, settle }) => {
 *   const [account] = system.spawn(Account)
 *   account.tell('deposit', 5)
 *   await settle()
 * })
 * ```
 */
export async function underSeeds(
  seeds: number,
  scenario: (kit: TestSystem) => unknown,
  options: Omit<TestSystemOptions, 'seed'> = {},
): Promise<void> {
  wholeNumber('number of seeds', seeds, 1)
  for (let seed = 1; seed <= seeds; seed++) {
    try {
      await runOnce(testSystem({ ...options, seed }), scenario)
    } catch (thrown) {
      const cause = toError(thrown)
      throw new Error(`Under seed ${seed}: ${cause.message}\nRun it alone with testSystem({ seed: ${seed} }).`, {
        cause,
      })
    }
  }
}

async function runOnce(kit: TestSystem, scenario: (kit: TestSystem) => unknown): Promise<void> {
  try {
    await scenario(kit)
    await kit.settle()
  } catch (error) {
    kit.takeFailures()
    await kit.stop()
    throw error
  }
  await kit.stop()
}
