// Random graphs: whatever crashes they meet, the right steps are done, in order, once, and give what a plain model says.
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { PermanentError, template, worker, type TemplateBuilder } from '../../src/index.ts'
import { asDefinition } from '../../src/engine/definition/definition.ts'
import type { When } from '../../src/template/model/template.ts'
import { programOf } from '../../src/testing/crash-everywhere.ts'
import { runTrial, type CrashPlace } from '../../src/testing/crash-trial.ts'
import { moving, onStage } from '../engine/stage.ts'

interface Node {
  readonly needs: readonly number[]
  readonly when: When
  readonly isWanted: boolean
  readonly does: 'succeeds' | 'fails' | 'fails twice'
  readonly goesOn: boolean
  readonly delayMs: number
  readonly role: 'standard' | 'decision' | 'deferred_convergence'
}

type Fate = 'succeeded' | 'failed' | 'went on' | 'skipped' | 'absent'

const whens: readonly When[] = ['all_succeeded', 'none_failed', 'any_succeeded', 'all_settled']

function graphs(most: number): fc.Arbitrary<readonly Node[]> {
  const node = fc.record({
    needs: fc.array(fc.nat(), { maxLength: 4 }),
    when: fc.constantFrom(...whens),
    isWanted: fc.integer({ min: 0, max: 7 }).map((draw) => draw > 0),
    does: fc.constantFrom<Node['does'][]>('succeeds', 'succeeds', 'succeeds', 'succeeds', 'fails twice', 'fails'),
    goesOn: fc.boolean(),
    delayMs: fc.constantFrom(0, 0, 5, 20),
    role: fc.constantFrom<Node['role'][]>('standard', 'standard', 'standard', 'decision', 'deferred_convergence'),
  })
  return fc.array(node, { minLength: 1, maxLength: most }).map((nodes) =>
    nodes.map((each, place): Node => {
      const needs = place === 0 ? [] : [...new Set(each.needs.map((need) => need % place))]
      return {
        ...each,
        needs,
        role: needs.length === 0 && each.role === 'deferred_convergence' ? 'standard' : each.role,
      }
    }),
  )
}

const nameOf = (place: number): string => `s${place}`

/** Those of its dependents that a decision chooses: every second one, as far as it may. */
function chosenBy(nodes: readonly Node[], place: number): readonly number[] {
  return nodes
    .flatMap(({ needs }, other) => (needs.includes(place) && (other + place) % 2 === 0 ? [other] : []))
    .slice(0, 50)
}

function modelOf(nodes: readonly Node[]) {
  const fates: Fate[] = []
  const values: number[] = []
  for (const [place, { needs, when, isWanted, does, goesOn, role }] of nodes.entries()) {
    const isChosen = needs.some(
      (need) =>
        fates[need] === 'succeeded' && nodes[need]?.role === 'decision' && chosenBy(nodes, need).includes(place),
    )
    const there = needs.filter((need) => {
      if (fates[need] === 'absent') return false
      // A decision that failed and is gone on after has chosen nothing.
      if (fates[need] === 'went on' && nodes[need]?.role === 'decision') return false
      return nodes[need]?.role !== 'decision' || fates[need] !== 'succeeded' || chosenBy(nodes, need).includes(place)
    })
    const outcomes = there.map((need) => fates[need])
    const holds = {
      all_succeeded: outcomes.every((fate) => fate === 'succeeded' || fate === 'went on'),
      none_failed: !outcomes.includes('failed'),
      any_succeeded: outcomes.length === 0 || outcomes.includes('succeeded') || outcomes.includes('went on'),
      all_settled: true,
    }[when]
    const isThere = there.length === needs.length || isChosen || (role === 'deferred_convergence' && there.length > 0)
    fates[place] = !isThere
      ? 'absent'
      : !holds || !isWanted
        ? 'skipped'
        : does !== 'fails'
          ? 'succeeded'
          : goesOn
            ? 'went on'
            : 'failed'
    values[place] =
      fates[place] === 'succeeded'
        ? valueOf(
            place,
            needs.map((need) => values[need] ?? 0),
          )
        : 0
  }
  return { fates, values }
}

function valueOf(place: number, needed: readonly number[]): number {
  return needed.reduce((sum, value) => (sum * 31 + value) % 1_000_003, place + 1)
}

interface Seen {
  readonly done: Set<number>
  readonly settled: Set<number>
  readonly faults: string[]
}

/** The graph as a template, with workers that tell what they see. */
function built(nodes: readonly Node[], failure: 'fail_fast' | 'finish_independent') {
  const { fates } = modelOf(nodes)
  const seen: Seen = { done: new Set(), settled: new Set(), faults: [] }
  const work = worker('work', {}, async (ctx, { place, needed }: { place: number; needed: number[] }) => {
    const { needs, does, delayMs, role } = nodes[place] as Node
    seen.done.add(place)
    const early = needs.filter(
      (need) => fates[need] !== 'skipped' && fates[need] !== 'absent' && !seen.settled.has(need),
    )
    if (early.length > 0) seen.faults.push(`${nameOf(place)} began before ${early.map(nameOf).join(', ')}`)
    if (delayMs > 0) await ctx.sleep(delayMs)
    if (does === 'fails twice' && ctx.attempt < 3) throw new Error('not yet')
    seen.settled.add(place)
    if (does === 'fails') throw new PermanentError(`${nameOf(place)} failed`)
    const value = valueOf(place, needed)
    return role === 'decision' ? { branches: chosenBy(nodes, place).map(nameOf), value } : { value }
  })
  const graph = template('graph', { failure }, (t: TemplateBuilder<void>) => {
    const steps: { name: string }[] = []
    for (const [place, { needs, when, isWanted, goesOn, role }] of nodes.entries()) {
      const needed = ({ steps: outputs }: { steps: Record<string, { value: number } | null> }) => ({
        place,
        needed: needs.map((need) => outputs[nameOf(need)]?.value ?? 0),
      })
      const step = t.step(nameOf(place), work, {
        needs: needs.map((need) => steps[need] as { name: string }),
        when,
        role,
        retry: { attempts: 3, base: 1 },
        onError: goesOn ? 'continue' : 'fail',
        ...(!isWanted && { if: () => false }),
        with: needed as never,
      })
      steps.push(step)
    }
  })
  return { graph, work, seen }
}

async function faultsOf(
  nodes: readonly Node[],
  failure: 'fail_fast' | 'finish_independent',
  crashes: readonly CrashPlace[],
) {
  const { graph, work, seen } = built(nodes, failure)
  const program = programOf(asDefinition(graph), undefined, { definitions: [work], patience: 100 })
  const { outcome } = await runTrial(program, crashes)
  const { fates, values } = modelOf(nodes)
  const faults = [...seen.faults]
  const failing = fates.flatMap((fate, place) => (fate === 'failed' ? [place] : []))
  const isDone = (fate: Fate): boolean => fate !== 'skipped' && fate !== 'absent'
  const due = new Set(fates.flatMap((fate, place) => (isDone(fate) ? [place] : [])))
  const extra = [...seen.done].filter((place) => !due.has(place))
  if (extra.length > 0) faults.push(`done and not due: ${extra.map(nameOf).join(', ')}`)
  const missing = [...due].filter((place) => !seen.done.has(place))
  if (missing.length > 0 && (failing.length === 0 || failure === 'finish_independent'))
    faults.push(`due and not done: ${missing.map(nameOf).join(', ')}`)
  if (failing.length === 0) {
    const last = fates.flatMap((fate, place) =>
      (fate === 'succeeded' || fate === 'went on') && !nodes.some(({ needs }) => needs.includes(place)) ? [place] : [],
    )
    const value = outcome.kind === 'succeeded' ? (outcome.value as Record<string, { value: number } | null>) : {}
    if (outcome.kind !== 'succeeded') faults.push(`it ${outcome.kind}: ${outcome.error}`)
    const wrong = last.filter((place) => (value[nameOf(place)]?.value ?? 0) !== values[place])
    if (wrong.length > 0) faults.push(`other values: ${wrong.map(nameOf).join(', ')}`)
    if (Object.keys(value).length !== last.length)
      faults.push(`${Object.keys(value).length} outputs in place of ${last.length}`)
  } else if (outcome.kind !== 'failed' || !failing.some((place) => outcome.error.includes(`${nameOf(place)} failed`)))
    faults.push(`it should have failed with one of ${failing.map(nameOf).join(', ')}: ${JSON.stringify(outcome)}`)
  return faults
}

const crashes = fc.array(
  fc.record({ commit: fc.integer({ min: 1, max: 40 }), when: fc.constantFrom('before' as const, 'after' as const) }),
  { maxLength: 3 },
)
const failures = fc.constantFrom('fail_fast' as const, 'finish_independent' as const)

/** The steps that the engine tells it left out, where nothing of the run is left to be done. */
async function toldOf(nodes: readonly Node[]): Promise<readonly string[]> {
  const { graph, work } = built(nodes, 'finish_independent')
  const { troupe, clock } = await onStage({ definitions: [work, graph] })
  const run = await troupe.call(graph)
  await moving(clock, run.result()).catch(() => {})
  return (await troupe.leftOut(run.id)).map(({ step }) => step)
}

describe('random graphs', () => {
  it('tell the steps that were left out, and no others', async () => {
    await fc.assert(
      fc.asyncProperty(graphs(40), async (nodes) => {
        const { fates } = modelOf(nodes)
        const due = fates.flatMap((fate, place) => (fate === 'skipped' || fate === 'absent' ? [nameOf(place)] : []))
        expect(await toldOf(nodes)).toEqual(due)
      }),
      { numRuns: 40, seed: Number(process.env['TROUPE_SEED'] ?? 1) },
    )
  }, 120_000)

  it('I1, I10: each step is done once, after those it needs, when it should be', async () => {
    await fc.assert(
      fc.asyncProperty(graphs(60), failures, crashes, async (nodes, failure, struck) => {
        expect(await faultsOf(nodes, failure, struck)).toEqual([])
      }),
      { numRuns: Number(process.env['TROUPE_GRAPHS'] ?? 60), seed: Number(process.env['TROUPE_SEED'] ?? 1) },
    )
  }, 120_000)

  it('I1, I10: of 500 steps too', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(graphs(1), { minLength: 500, maxLength: 500 }),
        failures,
        crashes,
        async (parts, failure, struck) => {
          const nodes = parts.map(([node], place): Node => {
            const needs =
              place === 0 ? [] : [...new Set([(place * 7) % place, place - 1 - ((place * 13) % Math.min(place, 40))])]
            // Decisions below decisions have a limit of their own.
            const role = node?.role === 'decision' && place % 60 > 0 ? 'standard' : (node?.role ?? 'standard')
            return { ...(node as Node), needs, role }
          })
          expect(await faultsOf(nodes, failure, struck)).toEqual([])
        },
      ),
      { numRuns: 3, seed: 2, endOnFailure: true },
    )
  }, 120_000)
})
