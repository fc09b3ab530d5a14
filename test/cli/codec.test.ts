// A store whose values are encrypted: shown to those whose config has the codec, and as encrypted to all others.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { aesGcm } from '../../src/model/codecs/aes-gcm.ts'
import { Troupe } from '../../src/troupe.ts'
import { workflow } from '../../src/workflow/workflow.ts'
import { troupe } from './in-process.ts'

const key = 'ab'.repeat(32)
let folder = ''
const ids = new Map<string, readonly [succeeded: string, failed: string]>()
const log = { debug: nothing, info: nothing, warn: nothing, error: nothing }

function nothing(): void {}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'troupe-cli-codec-'))
  writeFileSync(
    join(folder, 'troupe.config.mjs'),
    `const codec = {
  name: 'turned',
  encode: (bytes) => ({ bytes: bytes.map((byte) => byte ^ 1) }),
  decode: ({ bytes }) => bytes.map((byte) => byte ^ 1),
}
export default { store: 'sqlite:turned.db', codec, definitions: [] }
`,
  )
  const greet = workflow('greet', {}, async (ctx, name: string) => {
    ctx.info(`greets ${name}`, { name })
    if (name === 'bob') throw new Error(`no ${name}`)
    return ctx.step('say', () => `hello ${name}`)
  })
  const turned = (bytes: Uint8Array): Uint8Array => bytes.map((byte) => byte ^ 1)
  const ofConfig = {
    name: 'turned',
    encode: (bytes: Uint8Array) => ({ bytes: turned(bytes) }),
    decode: ({ bytes }: { bytes: Uint8Array }) => turned(bytes),
  }
  for (const [file, codec] of [
    ['turned.db', ofConfig],
    ['shut.db', aesGcm({ keys: { a: key }, current: 'a' })],
  ] as const) {
    const store = `sqlite:${join(folder, file)}`
    await using engine = await Troupe.open({ store, codec, definitions: [greet], global: false, log, logLevel: 'info' })
    await engine.start()
    const handle = await engine.call(greet, 'ann')
    await handle.result()
    const failed = await engine.call(greet, 'bob')
    await failed.result().catch(() => undefined)
    ids.set(file, [handle.id, failed.id])
  }
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

it('shows values by the codec of the config file', async () => {
  const told = await troupe(folder, ['show', ids.get('turned.db')?.[0] ?? ''])
  expect([told.code, told.err]).toEqual([0, ''])
  expect(told.out).toContain('hello ann')
})

it('shows what is encrypted as that, and fails nowhere', async () => {
  const store = ['--store', 'sqlite:shut.db']
  const [id, failedId] = ids.get('shut.db') ?? ['', '']
  const told = await troupe(folder, ['show', id, ...store])
  expect([told.code, told.err]).toEqual([0, ''])
  expect(told.out).toMatch(/Input\n {2}\(encrypted, key 'a'\)/)
  expect(told.out).toMatch(/Output\n {2}\(encrypted, key 'a'\)/)
  expect(told.out).not.toContain('ann')
  expect((await troupe(folder, ['show', failedId, ...store])).out).toContain("Error: (encrypted, key 'a')")
  expect(JSON.parse((await troupe(folder, ['show', id, '--json', ...store])).out)).toMatchObject({
    input: "(encrypted, key 'a')",
    output: "(encrypted, key 'a')",
    steps: [{ path: 'say', value: "(encrypted, key 'a')" }],
  })
  expect((await troupe(folder, ['logs', id, ...store])).out).toContain("(encrypted, key 'a')")
  for (const verb of [['runs'], ['dead'], ['stats'], ['audit']])
    expect((await troupe(folder, [...verb, ...store])).code).toBe(0)
})

it('shows what another key hides as that, not as what failed', async () => {
  const [id = ''] = ids.get('shut.db') ?? []
  const library = JSON.stringify(fileURLToPath(new URL('../../src/model/codecs/aes-gcm.ts', import.meta.url)))
  writeFileSync(
    join(folder, 'other.config.ts'),
    `import { aesGcm } from ${library}
export default { definitions: [], codec: aesGcm({ keys: { b: Buffer.alloc(32, 2) }, current: 'b' }) }
`,
  )
  const { code, out } = await troupe(folder, ['show', id, '--store', 'sqlite:shut.db', '--config', 'other.config.ts'])
  expect(code).toBe(0)
  expect(out).toMatch(/\? +say +step .*encrypted under key 'a'/)
  expect(out).toContain(
    "Cannot be read here\n  TroupeError value_unreadable: The stored input is encrypted under key 'a'",
  )
})

it('lists the keys of what is encrypted, without any', async () => {
  const told = await troupe(folder, ['codec-keys', '--store', 'sqlite:shut.db', '--json'])
  expect([told.code, told.err]).toEqual([0, ''])
  expect(JSON.parse(told.out)).toEqual([{ codec: 'aes-gcm', key: 'a', values: 9 }])
  expect((await troupe(folder, ['codec-keys', '--store', 'sqlite:shut.db'])).out).toMatch(
    /^KEY +CODEC +VALUES\na +aes-gcm +\d+\n$/,
  )
  expect((await troupe(folder, ['codec-keys', '--store', 'sqlite:turned.db'])).err).toBe(
    'Nothing is stored under a key.\n',
  )
})

it('reads another store by the codec of a config file that is named', async () => {
  const [id = ''] = ids.get('turned.db') ?? []
  const store = ['--store', 'sqlite:turned.db']
  expect((await troupe(folder, ['show', id, ...store])).out).toContain('(turned)')
  const told = await troupe(folder, ['show', id, ...store, '--config', 'troupe.config.mjs'])
  expect([told.code, told.err]).toEqual([0, ''])
  expect(told.out).toContain('hello ann')
})

it('writes nothing in the clear into a store that is encrypted', async () => {
  const [, failedId = ''] = ids.get('shut.db') ?? []
  const store = ['--store', 'sqlite:shut.db']
  const told = await troupe(folder, ['fork', failedId, '--input', '"clear"', ...store])
  expect(told.code).toBe(78)
  expect(told.err).toContain("The values of this store are written with the codec 'aes-gcm' under key 'a'")
  const forked = await troupe(folder, ['fork', failedId, ...store])
  expect([forked.code, forked.err]).toEqual([0, ''])
  const cancelled = await troupe(folder, [
    'cancel',
    forked.out
      .trim()
      .split(/\s+/)
      .find((word) => word.length === 36) ?? '',
    '--reason',
    'why',
    ...store,
  ])
  expect(cancelled.code).toBe(0)
})
