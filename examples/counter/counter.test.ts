import { expect, it } from 'vitest'
import { printedBy } from '../printed.ts'

it('counts every message that was let in, and none after the stop', async () => {
  expect(await printedBy(() => import('./demo.ts'))).toEqual([
    'value: 4000',
    'Dead letter: increment for Counter(#1) (stopped)',
    'told after stop: false',
    'stopped at 4005',
    'actor_stopped',
    'dead letters: 2',
  ])
})
