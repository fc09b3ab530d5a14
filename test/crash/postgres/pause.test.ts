// Pauses real processes on Postgres past their lease: the one that returns changes nothing, and without the fence it would.
import { fileURLToPath } from 'node:url'
import { test } from 'vitest'
import { freshDatabase } from '../../postgres.ts'
import { withFence, withoutFence } from '../pause-trials.ts'

const isFull = process.env['TROUPE_CRASH'] === 'postgres'
const trial = {
  storeIn: () => freshDatabase(),
  figuresFile: isFull ? fileURLToPath(new URL('figures.jsonl', import.meta.url)) : undefined,
}

test('I5: on Postgres a paused process that comes back changes nothing', { timeout: isFull ? 480_000 : 240_000 }, () =>
  withFence(trial, isFull ? 40 : 6),
)

test('I5: the same pauses find the violation when the fence is taken out of a copy', { timeout: 240_000 }, () =>
  withoutFence(trial),
)
