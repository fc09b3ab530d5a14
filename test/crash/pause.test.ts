// Pauses real processes past their lease: the one that returns changes nothing, and without the fence it would.
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from 'vitest'
import { withFence, withoutFence } from './pause-trials.ts'

const isFull = process.env['TROUPE_CRASH'] === 'full'
const trial = {
  storeIn: (folder: string) => `sqlite:${join(folder, 'troupe.db')}`,
  figuresFile: isFull ? fileURLToPath(new URL('figures.jsonl', import.meta.url)) : undefined,
}

test('I5: a paused process that comes back changes nothing', { timeout: isFull ? 480_000 : 120_000 }, () =>
  withFence(trial, isFull ? 100 : 6),
)

test('I5: the same pauses find the violation when the fence is taken out of a copy', { timeout: 120_000 }, () =>
  withoutFence(trial),
)
