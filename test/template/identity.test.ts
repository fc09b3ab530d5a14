// What makes two starts of a template the same run.
import { describe, expect, it } from 'vitest'
import { loadTemplate, template } from '../../src/index.ts'
import { onStage, rejection, storeFile } from '../engine/stage.ts'

const identified = (identity: string) =>
  template(
    loadTemplate(`name: t\nidentity: ${identity}\nsteps:\n  - { name: a, script: return 1 }\n`, { format: 'yaml' })
      .template,
  )

async function called(identity: string) {
  const { troupe } = await onStage({ definitions: [identified(identity)], starts: false })
  return async (input: unknown, idempotencyKey?: string): Promise<string> =>
    (await troupe.call('t', input, idempotencyKey === undefined ? {} : { idempotencyKey })).id
}

describe('the identity of a template', () => {
  it('C20: strict answers with the id of the run that has the same input, in whatever order its keys are', async () => {
    const idOf = await called('strict')
    const first = await idOf({ a: 1, b: [1, 2] })
    expect(await idOf({ b: [1, 2], a: 1 })).toBe(first)
    expect(await idOf({ a: 1, b: [2, 1] })).not.toBe(first)
    // A key that is given counts before the identity.
    expect(await idOf({ a: 1, b: [1, 2] }, 'mine')).not.toBe(first)
    expect(await idOf({ a: 2 }, 'mine')).toBe(await idOf({ a: 1 }, 'mine'))
  })

  it('C20: caller_provided answers with the id of the run that has the key, and refuses a call without one', async () => {
    const idOf = await called('caller_provided')
    const first = await idOf({ a: 1 }, 'mine')
    expect(await idOf({ a: 2 }, 'mine')).toBe(first)
    expect(await idOf({ a: 1 }, 'other')).not.toBe(first)
    expect(await rejection(idOf({ a: 1 }))).toMatchObject({
      code: 'option_invalid',
      message: expect.stringContaining("idempotencyKey of a call of 't' is undefined: expected a text") as string,
    })
  })

  it('C20: always_unique starts another run each time, unless a key is given', async () => {
    const idOf = await called('always_unique')
    expect(await idOf({ a: 1 })).not.toBe(await idOf({ a: 1 }))
    expect(await idOf({ a: 1 }, 'mine')).toBe(await idOf({ a: 2 }, 'mine'))
  })

  it('C28: a duplicate is known by its key, whoever asks first, and an error of the store is none', async () => {
    const store = storeFile()
    const one = await onStage({ definitions: [identified('strict')], store, node: 'one', starts: false })
    const { clock } = one
    const two = await onStage({ definitions: [identified('strict')], store, node: 'two', starts: false, clock })
    const ids = await Promise.all(
      [one, two, one, two].map(
        async ({ troupe }) => (await troupe.call('t', { unique: 'UNIQUE constraint failed' })).id,
      ),
    )
    expect(new Set(ids).size).toBe(1)
    const conflict = await rejection(
      two.troupe.call('t', { unique: 'UNIQUE constraint failed' }, { onConflict: 'reject' }),
    )
    expect(conflict).toMatchObject({ code: 'idempotency_conflict', details: { runId: ids[0] } })
    await two.stop()
    expect(await rejection(two.troupe.call('t', { unique: 1 }))).toMatchObject({ code: 'engine_stopped' })
  })
})
