// What failed for good: told apart by code, and known by its reason.
import { describe, expect, it } from 'vitest'
import { PermanentError, worker } from '../../src/index.ts'
import { deferred } from '../../src/lib/deferred.ts'
import { noUnhandledRejections, onStage, rejection, turns, type Stage } from './stage.ts'

noUnhandledRejections()

const charge = worker('charge', {}, (_ctx, card: number) => {
  if (card > 0) throw new PermanentError(`Card ${card} was declined`)
  throw Object.assign(new Error('the bank is closed'), { code: 'closed' })
})
const slow = worker('slow', { timeout: '1s' }, () => deferred<void>().promise)

async function failures(): Promise<Stage & { readonly ids: readonly string[] }> {
  const stage = await onStage({ definitions: [charge, slow] })
  const ids: string[] = []
  for (const card of [17, 4_711, 0]) {
    const handle = await stage.troupe.call(charge, card, { tags: [card > 0 ? 'card' : 'bank'] })
    await rejection(handle.result())
    ids.push(handle.id)
    await stage.clock.advance(10)
  }
  return { ...stage, ids }
}

describe('a run that failed', () => {
  it('is told apart from one that timed out, was cancelled or succeeded by its code', async () => {
    const { troupe, clock } = await onStage({ definitions: [charge, slow, worker('fine', {}, () => 1)] })
    const late = await troupe.call(slow)
    await clock.advance(1_000)
    await rejection(late.result())
    const stopped = await troupe.call(slow)
    await turns()
    await stopped.cancel('enough')
    await rejection((await troupe.call(charge, 1)).result())
    await rejection((await troupe.call(charge, 0)).result())
    await troupe.run('fine')
    const runs = await troupe.runs()
    expect(runs.map(({ name, state, code }) => [name, state, code])).toEqual([
      ['fine', 'succeeded', undefined],
      ['charge', 'failed', 'closed'],
      ['charge', 'failed', 'permanent'],
      ['slow', 'cancelled', 'run_cancelled'],
      ['slow', 'failed', 'timed_out'],
    ])
    const found = async (filter: object) => (await troupe.runs(filter)).map(({ id }) => id)
    expect(await found({ state: 'failed', code: 'timed_out' })).toEqual([late.id])
    expect(await found({ code: 'run_cancelled' })).toEqual([stopped.id])
  })

  it('stands with others that failed for the same reason', async () => {
    const { troupe, ids } = await failures()
    const [bank, cards, ...rest] = await troupe.dead()
    expect(rest).toEqual([])
    expect(bank).toMatchObject({ code: 'closed', runs: 1, newest: { id: ids[2], input: 0 } })
    expect(cards).toMatchObject({ code: 'permanent', runs: 2, newest: { id: ids[1], state: 'failed' } })
    expect((cards?.lastAt ?? 0) - (cards?.firstAt ?? 0)).toBe(10)
    expect(cards?.newest.fingerprint).toBe(cards?.fingerprint)
    const fingerprint = cards?.fingerprint ?? ''
    expect((await troupe.runs({ fingerprint })).map(({ id }) => id)).toEqual([ids[1], ids[0]])
    expect(await troupe.dead({ fingerprint })).toEqual([cards])
    expect(await troupe.dead({ name: 'slow' })).toEqual([])
    expect(await troupe.dead({ limit: 1 })).toEqual([bank])
  })

  it('is found by its tags, a page at a time', async () => {
    const { troupe, ids } = await failures()
    const [first] = await troupe.runs({ tags: ['card'], limit: 1 })
    expect(first?.id).toBe(ids[1])
    expect((await troupe.runs({ tags: ['card'], limit: 1, after: ids[1] as string })).map(({ id }) => id)).toEqual([
      ids[0],
    ])
    expect(await troupe.runs({ tags: ['card'], after: ids[0] as string })).toEqual([])
  })
})

describe('asking for what failed', () => {
  it('refuses what it does not know, and quotes it', async () => {
    const { troupe } = await onStage()
    expect(await rejection(troupe.dead({ fingerprints: 'x' } as object))).toMatchObject({
      code: 'option_invalid',
      message: expect.stringContaining(
        "Option 'fingerprints' of troupe.dead is not known: expected one of fingerprint",
      ),
    })
    expect((await rejection(troupe.dead({ limit: 0 }))).message).toBe('limit is 0: expected a whole number from 1.')
    expect((await rejection(troupe.runs({ tags: 'card' as never }))).message).toContain('tags is "card"')
    expect((await rejection(troupe.runs({ code: '' }))).message).toContain('code is ""')
    expect(await rejection(troupe.runs({ after: 'none' }))).toMatchObject({ code: 'run_not_found' })
  })
})
