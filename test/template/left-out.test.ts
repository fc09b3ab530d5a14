// The steps that a run of a template left out, and the reason that is told: derived from its text and its journal.
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import {
  aesGcm,
  loadTemplate,
  PermanentError,
  template,
  Troupe,
  worker,
  workflow,
  type TemplateBuilder,
} from '../../src/index.ts'
import { seenFromOutside } from '../../src/model/codecs/codecs.ts'
import { onStage, rejection } from '../engine/stage.ts'

const echo = worker('echo', {}, (_ctx, input: unknown) => input)
const failing = worker('failing', { retry: { attempts: 1 } }, () => {
  throw new PermanentError('it broke')
})

/** What a template leaves out, by the names of steps. */
async function leftOut(steps: string, input?: unknown, rest = ''): Promise<Record<string, string>> {
  const { template: graph } = loadTemplate(`name: graph\n${rest}\nsteps:\n${steps}`)
  const { troupe } = await onStage({ definitions: [echo, failing, template(graph)] })
  const run = await troupe.call('graph', input)
  await run.result().catch(() => {})
  return Object.fromEntries((await troupe.leftOut(run.id)).map(({ step, reason }) => [step, reason]))
}

describe('the steps that a run left out', () => {
  it('are told with the condition that was not true, and what needs them with that', async () => {
    const steps = `
  - { name: score, uses: echo, with: 5 }
  - { name: check, uses: echo, needs: [score], if: '\${{ steps.score > input.most }}' }
  - { name: sign, uses: echo, needs: [check] }
  - { name: off, uses: echo, if: false }
  - { name: close, uses: echo, needs: [sign, score], when: none_failed }`
    expect(await leftOut(steps, { most: 7 })).toEqual({
      check: "its 'if' is not true: steps.score > input.most",
      sign: "it needs 'check', which was left out",
      off: "its 'if' is not true: false",
    })
    expect(await leftOut(steps, { most: 3 })).toEqual({ off: "its 'if' is not true: false" })
  })

  it('are told with what failed before them, as their `when` says', async () => {
    const steps = `
  - { name: a, uses: failing }
  - { name: b, uses: failing }
  - { name: c, uses: echo }
  - { name: all, uses: echo, needs: [a, b, c] }
  - { name: none, uses: echo, needs: [b, c], when: none_failed }
  - { name: any, uses: echo, needs: [a, b, all, none], when: any_succeeded }
  - { name: last, uses: echo, needs: [a, b, c, all], when: all_settled }`
    expect(await leftOut(steps, undefined, 'failure: finish_independent')).toEqual({
      all: "it needs 'a' and 'b', which failed",
      none: "it needs 'b', which failed",
      any: "none of the steps that it needs has succeeded: 'a', 'b', 'all' and 1 more",
    })
  })

  it('are told where the first failure ended the run', async () => {
    const steps = `
  - { name: a, uses: failing }
  - { name: b, uses: echo, needs: [a] }`
    expect(await leftOut(steps)).toEqual({ b: "it needs 'a', which failed" })
  })

  it('are told with what a decision chose in their place, and why it chose nothing', async () => {
    const steps = `
  - { name: route, type: decision, uses: echo, with: '\${{ input }}' }
  - { name: small, uses: echo, needs: [route] }
  - { name: after, uses: echo, needs: [small] }
  - { name: large, uses: echo, needs: [route] }
  - { name: join, type: deferred_convergence, uses: echo, needs: [after, large] }`
    expect(await leftOut(steps, ['large'])).toEqual({
      small: "decision 'route' chose 'large'",
      after: "it needs 'small', which was left out",
    })
    const reason = 'nothing to approve'
    expect(await leftOut(steps, { branches: [], reason })).toEqual({
      small: "decision 'route' chose nothing: nothing to approve",
      after: "it needs 'small', which was left out",
      large: "decision 'route' chose nothing: nothing to approve",
      join: "it needs 'after' and 'large', which were left out",
    })
  })

  it('are told with a decision that failed and is gone on after', async () => {
    const steps = `
  - { name: route, type: decision, uses: failing, onError: continue }
  - { name: small, uses: echo, needs: [route] }`
    expect(await leftOut(steps)).toEqual({ small: "decision 'route' failed, and so chose nothing" })
  })

  it('are told with the step that they stand in for', async () => {
    const steps = `
  - { name: spare, uses: echo }
  - { name: other, uses: echo }
  - { name: used, uses: echo }
  - { name: risky, uses: echo, onError: { fallback: spare } }
  - { name: unwanted, uses: echo, if: false, onError: { fallback: other } }
  - { name: broken, uses: failing, onError: { fallback: used } }
  - { name: last, uses: echo, needs: [broken] }`
    expect(await leftOut(steps)).toEqual({
      spare: "it stands in for 'risky', which did not fail",
      other: "it stands in for 'unwanted', which was left out",
      unwanted: "its 'if' is not true: false",
    })
  })

  it('are found behind items, batches, runs of their own and errors that are gone on after', async () => {
    const steps = `
  - { name: items, uses: echo, forEach: [1, 2, 3], key: 'item', with: '\${{ item }}' }
  - { name: divide, type: batchable, uses: echo, with: [[1], [2]] }
  - { name: work, type: batch_worker, needs: [divide], uses: echo, with: '\${{ item }}' }
  - { name: child, uses: echo, priority: 3, with: 'told' }
  - { name: bad, uses: failing, onError: continue }
  - name: last
    uses: echo
    needs: [items, work, child, bad]
    if: \${{ length(steps.items) + length(steps.work) > 5 || steps.child != 'told' || errors.bad.message != 'it broke' }}`
    expect(Object.keys(await leftOut(steps))).toEqual(['last'])
  })

  it('are told as long as they are known: what is under way is neither done nor left out', async () => {
    const { template: graph } = loadTemplate(`name: graph
steps:
  - { name: ask, wait: { message: go } }
  - { name: after, uses: echo, needs: [ask], if: steps.ask == 'yes' }
  - { name: off, uses: echo, if: false }`)
    const { troupe } = await onStage({ definitions: [echo, template(graph)] })
    const run = await troupe.call('graph')
    const names = async () => (await troupe.leftOut(run.id)).map(({ step }) => step)
    expect(await names()).toEqual(['off'])
    await run.tell('go', 'no')
    await run.result()
    expect(await names()).toEqual(['after', 'off'])
  })

  it('are told of templates in TypeScript, whose conditions are functions', async () => {
    const graph = template('graph', {}, (t: TemplateBuilder<void>) => t.step('off', echo, { if: () => false }))
    const { troupe } = await onStage({ definitions: [echo, graph] })
    const run = await troupe.call(graph)
    await run.result()
    expect(await troupe.leftOut(run.id)).toEqual([{ step: 'off', reason: "its 'if' is not true" }])
  })

  it('are not told where what the run was given cannot be read', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'troupe-left-out-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const store = `sqlite:${join(folder, 'coded.db')}`
    const { template: graph } = loadTemplate('name: graph\nsteps:\n  - { name: off, script: return 1, if: input.isOn }')
    const codec = aesGcm({ keys: { a: randomBytes(32) }, current: 'a' })
    const troupe = await Troupe.open({ store, codec, definitions: [template(graph)], global: false })
    await troupe.start()
    const run = await troupe.call('graph', { isOn: false })
    await run.result()
    expect((await troupe.leftOut(run.id)).map(({ step }) => step)).toEqual(['off'])
    await troupe.stop()
    await using outside = await Troupe.openIn({ store, global: false }, { coding: seenFromOutside })
    expect(await outside.leftOut(run.id)).toEqual([])
  })

  it('are none of other runs, and of runs that are not there', async () => {
    const flow = workflow('flow', {}, (ctx) => ctx.step('a', () => 1))
    const { troupe } = await onStage({ definitions: [flow] })
    const run = await troupe.call(flow)
    await run.result()
    expect(await troupe.leftOut(run.id)).toEqual([])
    expect(await rejection(troupe.leftOut('no-such-run'))).toMatchObject({ code: 'run_not_found' })
  })
})
