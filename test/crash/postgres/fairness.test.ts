// Keys of a limiter take turns on Postgres: whoever asks for much, and first, gets no more than the others.
import { expect, onTestFinished, test } from 'vitest'
import { limiter, Troupe, worker } from '../../../src/index.ts'
import { freshDatabase } from '../../postgres.ts'

const isFull = process.env['TROUPE_CRASH'] === 'postgres'
const keys = isFull ? 1_000 : 100
// Of each key; the last of them are not waited for, as keys that have none left take no turns.
const runs = 14
const counted = 10
const nodes = 2

test(`${keys} keys are served within a tenth of each other`, { timeout: isFull ? 480_000 : 60_000 }, async () => {
  const store = await freshDatabase()
  const served: string[] = []
  let isEnough = (): void => {}
  const enough = new Promise<void>((resolve) => (isEnough = resolve))
  const turns = limiter('turns', { concurrency: 1, total: 20, key: (key: string) => key })
  const turn = worker('turn', { limits: [turns] }, (_ctx, key: string) => {
    if (served.push(key) === keys * counted) isEnough()
  })
  const engines = await Promise.all(
    Array.from({ length: nodes }, () => Troupe.open({ store, definitions: [turn], global: false })),
  )
  onTestFinished(async () => void (await Promise.all(engines.map((engine) => engine.stop({ within: 0 })))))
  const [first] = engines
  // All of one key come before any of the next.
  for (let key = 0; key < keys; key += 50) {
    const inputs = Array.from(
      { length: Math.min(50, keys - key) * runs },
      (_, n) => `key ${key + Math.floor(n / runs)}`,
    )
    await first?.callMany(turn, inputs)
  }
  for (const engine of engines) await engine.start()
  await enough
  const counts = new Map(Array.from({ length: keys }, (_, key) => [`key ${key}`, 0]))
  for (const key of served.slice(0, keys * counted)) counts.set(key, (counts.get(key) ?? 0) + 1)
  const [least, most] = [Math.min(...counts.values()), Math.max(...counts.values())]
  console.log(JSON.stringify({ what: 'fairness', keys, least, most }))
  expect(least).toBeGreaterThanOrEqual(counted * 0.9)
  expect(most).toBeLessThanOrEqual(counted * 1.1)
})
