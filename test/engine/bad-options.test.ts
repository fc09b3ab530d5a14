// What programs pass by mistake: refused where it is passed, by a name and with what would be right.
import { describe, expect, it } from 'vitest'
import { Troupe, worker } from '../../src/index.ts'
import type { TroupeOptions } from '../../src/engine/options/options.ts'
import { noUnhandledRejections, onStage, rejection } from './stage.ts'

noUnhandledRejections()

const double = worker('double', {}, (_ctx, n: number) => n * 2)
const refused = (message: string) => ({ code: 'option_invalid', message: expect.stringContaining(message) as string })

describe('Troupe.open', () => {
  it.each<[unknown, string]>([
    [null, 'The options object of Troupe.open is null: expected { store, '],
    [{ stroe: 'x' }, "Option 'stroe' of Troupe.open is not known: expected one of store, "],
    [{ store: 5 }, 'store is 5: expected sqlite:PATH, sqlite::memory: or postgres://….'],
    [{ queues: 'abc' }, 'queues is "abc": expected a list of at least one name.'],
    [{ queues: ['a\0b'] }, 'The name of a queue is "a\\u0000b"'],
    [{ definitions: 5 }, 'definitions is 5: expected a list'],
    [{ workers: 5 }, 'workers is 5: expected the path of a folder.'],
    [{ node: {} }, 'node is {}: expected a text of 1 to 255 characters.'],
    [{ config: 'x' }, 'config is "x": expected an object.'],
    [{ pools: 5 }, 'The options object of pools is 5: expected { workflow, task, thread }.'],
    [{ pools: { tasks: { max: 1 } } }, "Option 'tasks' of pools is not known: expected one of task, workflow, thread."],
    [{ pools: { task: { mx: 1 } } }, "Option 'mx' of pools.task is not known: expected one of max, min."],
    [{ logLevel: 'wran' }, 'logLevel is "wran": expected one of warn, '],
    [{ migrate: 'no' }, 'migrate is "no": expected true or false.'],
    [{ log: {} }, 'log.debug is undefined: expected a function.'],
    [{ log: null }, 'log is null: expected a pino instance, or anything of its shape.'],
  ])('refuses %o', async (options, message) => {
    const open = Troupe.open(
      typeof options === 'object' && options !== null
        ? ({ store: 'sqlite::memory:', ...options } as TroupeOptions)
        : (options as TroupeOptions),
    )
    expect(await rejection(open)).toMatchObject(refused(message))
  })

  it('is what stands for new', () => {
    expect(() => Reflect.construct(Troupe, []) as unknown).toThrow(
      /^A Troupe is not made with new: .*await Troupe\.open/,
    )
  })

  it('says which definition is none, also one that cannot be written as JSON', async () => {
    expect(await rejection(onStage({ definitions: [{ a: 1n } as never] }))).toMatchObject({
      code: 'definition_invalid',
      message: expect.stringContaining('is not a definition') as string,
    })
  })
})

describe('call', () => {
  it.each<[string, unknown]>([
    ['The options object of a call is null', null],
    ["Option 'dely' of a call is not known: expected one of delay, ", { dely: 1 }],
    ['at is null: expected a Date', { at: null }],
    ['queue is "": expected a text of 1 to 255 characters.', { queue: '' }],
    ['queue is {}', { queue: {} }],
    ['queue is "\\ud800"', { queue: '\ud800' }],
    ['onConflict is "atach": expected one of attach, reject, replace.', { onConflict: 'atach' }],
    ['expected a text of 1 to 1,024 characters.', { idempotencyKey: 'x'.repeat(1_025) }],
    ['expected a text of 1 to 255 characters.', { tags: ['x'.repeat(256)] }],
    ['A tag is "a\\u0000b"', { tags: ['a\0b'] }],
    ['The number of tags is 101: expected at most 100.', { tags: Array.from({ length: 101 }, String) }],
  ])('refuses options: %s', async (message, options) => {
    const { troupe } = await onStage({ definitions: [double] })
    expect(await rejection(troupe.call(double, 1, options as object))).toMatchObject(refused(message))
    expect(await troupe.runs()).toEqual([])
  })

  it.each(['\ud800', '\ud801', 'a\0b', 'a\0c'])(
    'refuses the key %j, which a store may take for another',
    async (key) => {
      const { troupe } = await onStage({ definitions: [double] })
      expect(await rejection(troupe.call(double, 1, { idempotencyKey: key }))).toMatchObject(
        refused(`idempotencyKey is ${JSON.stringify(key)}: expected a text without NUL`),
      )
    },
  )
})

describe('looking at runs', () => {
  it.each<[unknown, string]>([
    [null, 'The options object of troupe.runs is null'],
    [{ state: 'done' }, 'state is "done": expected one of '],
    [{ state: 'suceeded' }, 'state is "suceeded": expected one of succeeded, '],
    [{ limit: 1.5 }, 'limit is 1.5: expected a whole number from 1.'],
    [{ limit: -1 }, 'limit is -1'],
    [{ limit: Number.NaN }, 'limit is NaN'],
    [{ nam: 'x' }, "Option 'nam' of troupe.runs is not known: expected one of name, "],
  ])('with %o is refused', async (filter, message) => {
    const { troupe } = await onStage()
    expect(await rejection(troupe.runs(filter as object))).toMatchObject(refused(message))
  })

  it.each([undefined, 5, {}, ''])('by the id %o is refused', async (id) => {
    const { troupe } = await onStage()
    for (const look of [troupe.get(id as string), troupe.handle(id as string), troupe.cancel(id as string)]) {
      expect(await rejection(look)).toMatchObject(refused('The id of a run is '))
    }
  })
})

describe('what is asked of a handle', () => {
  it('is refused where it would be passed over in silence', async () => {
    const { troupe } = await onStage({ definitions: [double], queues: ['other'] })
    const handle = await troupe.call(double, 1)
    expect(await rejection(handle.result(5_000 as never))).toMatchObject(
      refused('The options object of handle.result is 5000: expected { timeout }.'),
    )
    expect(await rejection(handle.result({ timeout: 'soon' }))).toMatchObject(
      refused('timeout: "soon" is not a duration'),
    )
    expect(await rejection(handle.cancel({ by: 'ann' } as never))).toMatchObject(
      refused("Option 'by' of handle.cancel"),
    )
    for (const cancel of [handle.cancel(5 as never), troupe.cancel(handle.id, 5 as never)]) {
      expect(await rejection(cancel)).toMatchObject(refused('reason is 5: expected a text.'))
    }
    expect((await handle.status()).state).toBe('ready')
  })
})

describe('definitions', () => {
  it('whose name and version only together read alike are two', async () => {
    const one = worker('a b', { version: 'c' }, () => 'one')
    const two = worker('a', { version: 'b c' }, () => 'two')
    const { troupe } = await onStage({ definitions: [one, two] })
    expect([await troupe.run(one), await troupe.run(two)]).toEqual(['one', 'two'])
  })
})
