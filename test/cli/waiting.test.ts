// What people see of a run that waits, and what they tell and ask it from the command line.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished } from 'vitest'
import { Troupe } from '../../src/troupe.ts'
import { workflow } from '../../src/workflow/workflow.ts'
import { eventually } from '../engine/stage.ts'
import { troupe } from './in-process.ts'

const order = workflow('order', {}, async (ctx) => {
  ctx.answer('status', (detail: string | undefined) => ({ waits: detail ?? 'for two' }))
  const both = Promise.all([ctx.receive('approve', { timeout: '3d', key: 'a1' }), ctx.receive('pay')])
  await Promise.race([both, ctx.sleep('2h')])
  return both
})

describe('a run that waits', () => {
  it('shows all that a run waits for, and until when', async () => {
    const { folder, engine, id } = await parked()
    onTestFinished(() => engine.stop())
    const waits = await engine.waits(id)
    expect(waits.map(({ path, kind, key }) => [path, kind, key])).toEqual([
      ['sleep', 'sleep', undefined],
      ['receive approve', 'message', 'a1'],
      ['answer status', 'ask', undefined],
      ['receive pay', 'message', undefined],
    ])
    const { out } = await troupe(folder, ['show', id])
    expect(out).toContain("◐ waiting for message 'approve', 3d left\n")
    expect(out).toMatch(
      /Waits \(4\)\n +STEP +WAITS FOR +UNTIL\n +sleep +its time +\S+ \S+ +in 2h\n.*message 'approve' of key 'a1' .*in 3d\n.*to be asked 'status' *\n.*message 'pay' *\n/,
    )
    expect(JSON.parse((await troupe(folder, ['show', id, '--json'])).out)).toMatchObject({
      waits: [{ path: 'sleep' }, { name: 'approve' }, { name: 'status' }, { name: 'pay' }],
    })
    await engine.cancel(id)
    expect(await engine.waits(id)).toEqual([])
  })

  it('is told and asked by people, and gives its answer', async () => {
    const { folder, engine, id } = await parked()
    onTestFinished(() => engine.stop())
    const asked = await troupe(folder, ['ask', id, 'status', '"for ann"'])
    expect([asked.code, asked.out]).toEqual([0, '{"waits":"for ann"}\n'])
    const told = await troupe(folder, ['tell', id, 'approve', '{"by":"ann"}', '--key', 'a1'])
    expect([told.code, told.out, told.err]).toEqual([0, '', `Run ${id} was told 'approve'.\n`])
    const json = await troupe(folder, ['tell', id, 'pay', '20', '--json'])
    expect(JSON.parse(json.out)).toEqual({ id, name: 'pay' })
    expect(await (await engine.handle(id)).result()).toEqual([{ by: 'ann' }, 20])
    const late = await troupe(folder, ['tell', id, 'pay'])
    expect([late.code, late.err]).toEqual([1, expect.stringContaining('[run_ended]')])
  })

  it('refuses what is wrong before anything is told', async () => {
    const { folder, engine, id } = await parked()
    onTestFinished(() => engine.stop())
    const missing = await troupe(folder, ['ask', id, 'stauts'])
    expect([missing.code, missing.err]).toEqual([2, expect.stringContaining('[answer_missing]')])
    expect((await troupe(folder, ['tell', id, 'pay', '{by:1}'])).err).toContain(`troupe tell ${id} pay '{"by":"ann"}'`)
    expect((await troupe(folder, ['ask', id, 'status', '--timeout', 'soon'])).code).toBe(2)
    expect((await troupe(folder, ['tell', 'ffffffff-0000', 'pay'])).code).toBe(2)
    // Its code is in the folder, so what it declares is known before it is told.
    mkdirSync(join(folder, 'workers'))
    writeFileSync(join(folder, 'workers/order.ts'), declaring)
    const unknown = await troupe(folder, ['tell', id, 'pya', '20'])
    expect([unknown.code, unknown.err]).toEqual([2, expect.stringContaining("Did you mean 'pay'?")])
    expect(await engine.unread(id)).toEqual([])
  })
})

const library = JSON.stringify(fileURLToPath(new URL('../../src/index.ts', import.meta.url)))

const declaring = `
import { workflow } from ${library}
const any = { '~standard': { version: 1, vendor: 'test', validate: (value) => ({ value }) } }
export const order = workflow('order', { messages: { approve: any, pay: any } }, async () => {})
`

async function parked() {
  const folder = mkdtempSync(join(tmpdir(), 'troupe-waiting-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const store = `sqlite:${join(folder, '.troupe/troupe.db')}`
  const engine = await Troupe.open({ store, definitions: [order], logLevel: 'silent', global: false })
  await engine.start()
  const { id } = await engine.call(order)
  await eventually(async () => (await engine.get(id))?.state === 'parked')
  return { folder, engine, id }
}
