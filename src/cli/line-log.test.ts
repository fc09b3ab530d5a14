// Lines for people who watch a service: which run each is about is said once.
import { expect, it } from 'vitest'
import { ManualClock } from '../testing/manual-clock.ts'
import type { Io } from './io.ts'
import { lineLog } from './line-log.ts'

it('says which run a line is about, unless it says so itself', () => {
  const lines: string[] = []
  const stderr = { write: (line: string) => void lines.push(line.slice('00:00:00 '.length)), isTTY: false, columns: 80 }
  const log = lineLog({}, 'info', { stderr, clock: new ManualClock(), env: {} } as unknown as Io)
  log.warn({ run: 'r-1' }, "worker 'mail' failed")
  log.info({ run: 'r-1' }, '[Worker:mail run:r-1] sent')
  log.info({ card: 7, who: 'ann lee', to: 'a@b', worker: 'mail', run: 'r-1' }, '[Worker:mail run:r-1] charged')
  log.info({}, 'serving')
  log.error({ run: 'r-2', err: new Error('no room') }, 'it could not be stored')
  expect(lines).toEqual([
    "warn  run r-1: worker 'mail' failed\n",
    'info  [Worker:mail run:r-1] sent\n',
    'info  [Worker:mail run:r-1] charged card=7 who="ann lee" to=a@b\n',
    'info  serving\n',
    'error run r-2: it could not be stored: no room\n',
  ])
})
