// The yardstick of bench/workflow and bench/template writes the rows that the engine writes, or the ratio means nothing.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { Troupe, workflow } from 'troupe'
import { layered } from '../bench/template/graphs.ts'
import { templateOf, work } from '../bench/template/ours.ts'
import { RawWorkflows } from '../bench/workflow/raw.ts'
import { openDriver } from '../src/store/sqlite/connection/driver.ts'

let folder = ''

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'troupe-yardstick-'))
})

afterEach(() => rmSync(folder, { recursive: true, force: true }))

async function rowsOf(file: string): Promise<Record<string, unknown>> {
  const db = await openDriver(file)
  const count = (table: string) => (db.prepare(`select count(*) as n from ${table}`).get() as { n: number }).n
  const steps = db.prepare('select path, seq, kind, attempt, is_error, value from step order by seq').all()
  const rows = { run: count('run'), live: count('live'), finished: count('finished'), steps }
  db.close()
  return rows
}

it('is the same work', async () => {
  const three = workflow('three-steps', {}, async (ctx, i: number) => {
    const a = await ctx.step('a', () => ({ ok: true, i }))
    const b = await ctx.step('b', () => ({ ok: true, i: a.i + 1 }))
    return ctx.step('c', () => ({ ok: true, i: b.i + 1 }))
  })
  const [ours, theirs] = [join(folder, 'troupe.db'), join(folder, 'raw.db')]
  const troupe = await Troupe.open({ store: `sqlite:${ours}`, definitions: [three] })
  await troupe.start()
  const output = await troupe.run(three, 7)
  await troupe.stop()
  const raw = await RawWorkflows.open(theirs)

  expect(await raw.threeSteps(7)).toEqual(output)

  raw.close()
  expect(await rowsOf(theirs)).toEqual(await rowsOf(ours))
})

it('is the same work for a template', async () => {
  const graph = layered(3, 4)
  const definition = templateOf(graph)
  const [ours, theirs] = [join(folder, 'troupe.db'), join(folder, 'raw.db')]
  const troupe = await Troupe.open({ store: `sqlite:${ours}`, definitions: [work, definition] })
  await troupe.start()
  const output = await troupe.run(definition)
  await troupe.stop()
  const raw = await RawWorkflows.open(theirs)

  expect(await raw.graph(graph.needs)).toEqual(output)

  raw.close()
  const [mine, yours] = [await rowsOf(theirs), await rowsOf(ours)]
  expect(mine).toEqual(yours)
  expect(mine['steps']).toHaveLength(12)
})
