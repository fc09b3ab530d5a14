// Options as other job queues call them: refused with what has it here, as docs/coming-from.md promises.
import { expect, it } from 'vitest'
import { limiter, schedule, Troupe, worker } from '../../src/index.ts'
import { onStage, rejection } from './stage.ts'

const job = worker('job', {}, () => 1)
const define = (options: object) => () => worker('w', options, () => 1)
const limit = (options: object) => () => limiter('l', options)
const tick = (rule: object) => () => schedule('s', rule as { every: string }, job)
const call = (options: object) => async () => {
  const { troupe } = await onStage({ definitions: [job] })
  return troupe.call('job', null, options)
}

it.each<[string, string, () => unknown]>([
  ['removeOnComplete', 'retention of the definition', call({ removeOnComplete: true })],
  ['removeOnComplete', 'retention', define({ removeOnComplete: true })],
  ['repeat', 'schedule(name, { cron } or { every }, definition)', call({ repeat: { every: 1000 } })],
  ['lifo', 'priority, higher first,', call({ lifo: true })],
  ['retries', 'retry: { attempts }', call({ retries: 3 })],
  ['max_attempts', 'retry: { attempts }', call({ max_attempts: 3 })],
  ['retries', 'attempts', define({ retry: { retries: 3 } })],
  ['backoff', 'retry: { backoff, base }', call({ backoff: { type: 'fixed', delay: 1 } })],
  ['retryDelay', 'retry: { base }', define({ retryDelay: 3 })],
  ['limiter', 'limits: [limiter(name, { rate: { limit, per } })]', define({ limiter: { max: 1, duration: 1000 } })],
  ['max', 'rate: { limit, per }', limit({ max: 1, duration: 1000 })],
  ['duration', 'rate: { limit, per }', limit({ duration: 1000 })],
  ['duration', 'per', limit({ rate: { limit: 1, duration: 1000 } })],
  ['pattern', 'cron', tick({ pattern: '* * * * *' })],
  ['tz', 'zone', tick({ cron: '* * * * *', tz: 'Europe/Berlin' })],
  ['startAfter', 'delay or at', call({ startAfter: 5 })],
  ['connection', 'store of Troupe.open', define({ connection: {} })],
  ['connection', 'store', () => Troupe.open({ connection: {} } as object)],
])('%s is refused, told to be %s', async (name, here, give) => {
  const error = await rejection((async () => give())())
  expect(error).toMatchObject({ code: 'option_invalid' })
  expect((error as Error).message).toContain(`Option '${name}' of `)
  expect((error as Error).message).toContain(` is not known: it is ${here} here; expected one of `)
})

it('backoff with a type and a delay is told to be backoff and base', () => {
  const given = { retry: { backoff: { type: 'exponential', delay: 1000 } } } as object
  expect(define(given)).toThrow('{ type, delay } is { backoff: type, base: delay } of retry here.')
})
