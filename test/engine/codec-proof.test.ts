// Whose codec or key is not the one of a store is told so when it opens that, not by runs that fail.
import { describe, expect, it } from 'vitest'
import { aesGcm, checkDeploy, compress, worker, type ValueCodec } from '../../src/index.ts'
import { plainIn } from '../store/plain-text.ts'
import { eventually, moving, noUnhandledRejections, onStage, rejection, storeFile } from './stage.ts'

noUnhandledRejections()

const a = 'aa'.repeat(32)
const b = 'bb'.repeat(32)
const underA = aesGcm({ keys: { a }, current: 'a' })
const both = aesGcm({ keys: { a, b }, current: 'b' })
const reading = aesGcm({ keys: { a }, current: null })

const echo = worker('echo', {}, (_ctx, text: string) => text)
const definitions = [echo]

/** A store that was opened with these, one after the other. */
async function openedWith(...codecs: readonly (ValueCodec | readonly ValueCodec[] | undefined)[]): Promise<string> {
  const store = storeFile()
  for (const codec of codecs)
    await (await onStage({ store, definitions, starts: false, ...(codec && { codec }) })).stop()
  return store
}

const noCodec =
  "The values of this store are written with the codec 'aes-gcm' under key 'a', and this process was given no codec: give it the same { codec } as those who write them."
const otherKey =
  "The values of this store are written with the codec 'aes-gcm' under key 'a', and what this process was given by that name is another: give it the right one, or give the other one a name of its own."

describe('opening a store with a codec', () => {
  it.each([
    ['without one', undefined, noCodec],
    ['with another key of that name', aesGcm({ keys: { a: b }, current: 'a' }), otherKey],
    ['with another key of that name that only reads', aesGcm({ keys: { a: b, b: a }, current: 'b' }), otherKey],
  ])('is refused %s', async (_what, codec, message) => {
    const store = await openedWith(underA)
    const expected = { code: 'value_unreadable', retryable: false, message }
    expect(await rejection(onStage({ store, definitions, starts: false, ...(codec && { codec }) }))).toMatchObject(
      expected,
    )
    const checking = async (): Promise<void> => {
      for await (const _run of checkDeploy({ store, definitions, ...(codec && { codec }) }));
    }
    if (codec !== undefined) expect(await rejection(checking())).toMatchObject(expected)
    // Whoever was refused changed nothing.
    const { troupe, clock } = await onStage({ store, definitions, codec: underA })
    expect(await moving(clock, troupe.run(echo, 'x'))).toBe('x')
  })

  it('tells one of your own by what it reads', async () => {
    const turned = (by: number): ValueCodec => ({
      name: 'turned',
      encode: (bytes) => ({ bytes: bytes.map((byte) => byte ^ by) }),
      decode: ({ bytes }) => bytes.map((byte) => byte ^ by),
    })
    const store = await openedWith(turned(1))
    expect((await rejection(onStage({ store, codec: turned(2) }))).message).toContain(
      "with the codec 'turned', and what",
    )
  })

  it('is free where values are compressed alone', async () => {
    const store = await openedWith(compress({ above: 0 }), undefined)
    const { troupe, clock } = await onStage({ store, definitions })
    expect(await moving(clock, troupe.run(echo, 'x'))).toBe('x')
  })
})

describe('keys that change', () => {
  it('does not let a process serve that lacks the new one, whatever the newest run is', async () => {
    const store = await openedWith(underA, both)
    const old = await onStage({ store, definitions, codec: underA, starts: false })
    expect((await rejection(old.troupe.start())).message).toContain(
      "encrypted under key 'b', and aesGcm was given 'a' alone",
    )
    // What it writes meanwhile does not let it either.
    await old.troupe.call(echo, 'x')
    expect(await rejection(old.troupe.start())).toMatchObject({ code: 'value_unreadable', retryable: true })
  })

  it('lets an old key go', async () => {
    const store = await openedWith(underA, both)
    const { troupe, clock } = await onStage({ store, definitions, codec: aesGcm({ keys: { b }, current: 'b' }) })
    expect(await moving(clock, troupe.run(echo, 'x'))).toBe('x')
  })

  it('is not done by looking whether code can be deployed', async () => {
    const store = await openedWith(underA)
    for await (const _run of checkDeploy({ store, definitions, codec: both }));
    const { troupe, clock } = await onStage({ store, definitions, codec: underA })
    expect(await moving(clock, troupe.run(echo, 'x'))).toBe('x')
  })
})

describe('the first codec', () => {
  it('comes in two steps: all read, then all write', async () => {
    const store = storeFile()
    const plain = await onStage({ store, definitions, node: 'plain' })
    const { clock } = plain
    const reads = await onStage({ store, definitions, codec: reading, clock, node: 'reads', global: false })
    const ids: string[] = []
    for (const text of ['one', 'two', 'three']) ids.push((await reads.troupe.call(echo, `needle ${text}`)).id)
    for (const id of ids) expect(await moving(clock, (await reads.troupe.handle(id)).result())).toMatch(/^needle/)
    await plain.stop()
    const writes = await onStage({ store, definitions: [], codec: underA, clock, node: 'writes', global: false })
    const { id } = await writes.troupe.call('echo', 'haystack')
    expect(await moving(clock, (await writes.troupe.handle(id)).result())).toBe('haystack')
    expect(plainIn(store.slice('sqlite:'.length), ['needle', 'haystack'])).toEqual(['needle', 'haystack'])
    await reads.stop()
    expect((await rejection(onStage({ store, definitions }))).message).toBe(noCodec)
  })

  it('goes as it came: who has the keys and does not write lets those without in', async () => {
    const store = await openedWith(underA, reading)
    const { troupe, clock } = await onStage({ store, definitions })
    expect(await moving(clock, troupe.run(echo, 'x'))).toBe('x')
  })
})

describe('a client that was there before the first codec', () => {
  it('does not let those start who have no codec, by what it writes', async () => {
    const store = storeFile()
    const client = await onStage({ store, definitions, starts: false })
    const { troupe, clock } = await onStage({ store, definitions, codec: underA, clock: client.clock, global: false })
    const { id } = await client.troupe.call(echo, 'plain')
    await eventually(async () => (await troupe.get(id))?.state === 'succeeded' || (await clock.advance(100), false))
    expect(await rejection(client.troupe.start())).toMatchObject({ code: 'value_unreadable' })
  })
})
