// Entities in a store with codecs: nothing of what they keep and say can be read there, and all of it by whoever has the key.
import { expect, it } from 'vitest'
import { aesGcm, entity } from '../../src/index.ts'
import { moving, onStage, rejection, storeFile } from '../engine/stage.ts'
import { plainIn } from '../store/plain-text.ts'

const secret = 'the cat is in the garden'

const diary = entity(
  'diary',
  { state: () => [] as string[] },
  {
    write(ctx, line: string) {
      ctx.state.push(line)
      ctx.remind('again', '1h', ['write', `remember: ${line}`])
      void ctx.entity('diary', `copy of ${ctx.key}`).tell('keep', line)
      return ctx.state
    },
    keep(ctx, line: string) {
      ctx.state.push(line)
    },
    burn(_ctx, line: string) {
      throw new Error(`will not burn ${line}`)
    },
    read: (ctx) => ctx.state,
  },
)

it('keeps nothing in plain text, and goes on after a restart', async () => {
  const store = storeFile()
  const codec = aesGcm({ keys: { a: Buffer.alloc(32, 1) }, current: 'a' })
  const first = await onStage({ definitions: [diary], store, codec, logLevel: 'silent' })
  const { clock } = first
  const one = first.troupe.entity(diary, 'ann')
  expect(await moving(clock, one.ask('write', secret))).toEqual([secret])
  await one.tell('burn', secret)
  expect((await rejection(moving(clock, one.ask('burn', secret)))).message).toBe(`will not burn ${secret}`)
  await first.stop()
  expect(plainIn(store.slice('sqlite:'.length), [secret])).toEqual([])
  const second = await onStage({ definitions: [diary], store, codec, clock })
  const read = (key: string): Promise<string[]> => moving(clock, second.troupe.entity(diary, key).ask('read'))
  expect([await read('ann'), await read('copy of ann')]).toEqual([[secret], [secret]])
  const [run] = (await second.troupe.runs({ name: 'diary' })).slice(-1)
  expect(await second.troupe.unread(run?.id ?? '')).toMatchObject([
    { name: 'burn', payload: [secret], refused: `the entity could not handle it: will not burn ${secret}` },
  ])
  await second.stop()
})
