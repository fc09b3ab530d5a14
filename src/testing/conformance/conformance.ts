// What every store must show: the same cases, run on each of them. Start reading with moves.ts.
import assert from 'node:assert/strict'
import { ageingCases } from './ageing.ts'
import { childCases } from './children.ts'
import { continueCases } from './continues.ts'
import { codingCases } from './codings.ts'
import { templateCases } from './templates.ts'
import { askCases } from './asks.ts'
import { cancelCases } from './cancels.ts'
import { deadCases } from './dead.ts'
import { investigationCases } from './investigations.ts'
import { deliveryCases } from './deliveries.ts'
import { divergenceCases } from './divergences.ts'
import { endCases } from './ends.ts'
import { entityCases } from './entities.ts'
import { failureCases } from './failures.ts'
import { fencingCases } from './fencing.ts'
import { forkCases } from './forks.ts'
import { generationCases } from './generations.ts'
import { journalCases } from './journal.ts'
import { keyCases } from './keys.ts'
import { limitCases } from './limits.ts'
import { lineCases } from './lines.ts'
import { markCases } from './marks.ts'
import { messageCases } from './messages.ts'
import { moveCases } from './moves.ts'
import { nodeCases } from './nodes.ts'
import { parkedStepCases } from './parked-steps.ts'
import { queueCases } from './queues.ts'
import { raceCases } from './races.ts'
import { rateCases } from './rates.ts'
import { resolutionCases } from './resolutions.ts'
import { retentionCases } from './retention.ts'
import { runCases } from './runs.ts'
import { scheduleCases } from './schedules.ts'
import { Scene, type Backend, type Cases } from './scene.ts'
import { stateCases } from './states.ts'
import { streamCases } from './streams.ts'
import { timeCases } from './times.ts'
import { ticketCases } from './tickets.ts'
import { tokenCases } from './tokens.ts'
import { undoingCases } from './undoing.ts'
import { waitCases } from './waits.ts'

/** The two words of a test runner that are needed; those of vitest fit, and those of node:test. */
export interface Runner {
  describe(name: string, define: () => void): void
  it(name: string, run: () => Promise<void>): void
}

const groups: Readonly<Record<string, Cases>> = {
  moves: moveCases,
  races: raceCases,
  runs: runCases,
  ageing: ageingCases,
  journal: journalCases,
  states: stateCases,
  ends: endCases,
  dead: deadCases,
  investigations: investigationCases,
  failures: failureCases,
  generations: generationCases,
  forks: forkCases,
  resolutions: resolutionCases,
  retention: retentionCases,
  fencing: fencingCases,
  times: timeCases,
  nodes: nodeCases,
  deliveries: deliveryCases,
  keys: keyCases,
  marks: markCases,
  cancels: cancelCases,
  streams: streamCases,
  queues: queueCases,
  tokens: tokenCases,
  limits: limitCases,
  'lines before limits': lineCases,
  'rates of limits': rateCases,
  'limits on what is no run': ticketCases,
  'a step of a run that is set aside': parkedStepCases,
  schedules: scheduleCases,
  messages: messageCases,
  'waits of runs that go on': waitCases,
  asks: askCases,
  entities: entityCases,
  codings: codingCases,
  templates: templateCases,
  children: childCases,
  'runs without end': continueCases,
  'runs that were set aside': divergenceCases,
  'a run that undoes': undoingCases,
}

/** Defines every case as a test of its own, each on a new and empty database. */
export function conformance(backend: Backend, { describe, it }: Runner): void {
  for (const [group, cases] of Object.entries(groups)) {
    describe(`${backend.name}: ${group}`, () => {
      for (const [name, run] of Object.entries(cases)) it(name, () => onScene(backend, run))
    })
  }
}

async function onScene(backend: Backend, run: (scene: Scene) => Promise<void>): Promise<void> {
  const scene = await Scene.open(await backend.create())
  try {
    await run(scene)
    // Whatever happens, nothing is left that nobody would come back to.
    assert.equal(await scene.repair(), 0)
  } finally {
    await scene.close()
  }
}
