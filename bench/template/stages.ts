// What a stage of a critical path costs: one run alone of steps that come one after the other, and of scripts.
import { join } from 'node:path'
import { loadTemplate, template } from 'troupe'
import { check, quantiles, withFolder, type Quantiles } from '../measure.ts'
import { withTroupe } from '../workflow/ours.ts'
import { RawWorkflows } from '../workflow/raw.ts'
import { timeOf } from '../workflow/three-steps.ts'
import { chain } from './graphs.ts'
import { templateOf, work } from './ours.ts'

export interface Sides {
  readonly troupe: Quantiles
  readonly raw: Quantiles
}

/** Milliseconds of a stage, in turns with the bare loop. */
export const stageOf = (stages: number, rounds: number): Promise<Sides> =>
  withFolder((folder) => {
    const graph = chain(stages)
    const definition = templateOf(graph)
    return withTroupe(folder, [work, definition], async (troupe) => {
      const raw = await RawWorkflows.open(join(folder, 'raw.db'))
      const [ours, theirs]: [number[], number[]] = [[], []]
      for (let round = -Math.ceil(rounds / 4); round < rounds; round++) {
        const our = await timeOf(() => troupe.run(definition))
        const their = await timeOf(() => raw.graph(graph.needs))
        if (round < 0) continue
        ours.push(our / stages)
        theirs.push(their / stages)
      }
      raw.close()
      return { troupe: quantiles(ours), raw: quantiles(theirs) }
    })
  })

const tenLines = `const rows = Array.from({ length: 20 }, (_, n) => ({ id: n, price: n * 1.5, stock: 40 - n }))
let value = 0
const dear = []
for (const { id, price, stock } of rows) {
  value += price * stock
  if (price > 20) dear.push(id)
}
const mean = value / rows.length
const text = dear.map((id) => 'row ' + id).join(', ')
return { value, mean, text, after: input.after + 1 }`

/** Milliseconds of a step that is a script of ten lines, each after the one before. */
export const scriptStep = (stages: number, rounds: number): Promise<Quantiles> =>
  withFolder((folder) => {
    const { name, needs } = chain(stages)
    const steps = needs.map((all, i) => ({
      name: `script-${i}`,
      script: tenLines,
      needs: all.map((one) => `script-${one}`),
    }))
    const output = `\${{ steps['script-${stages - 1}'] }}`
    const text = JSON.stringify({ name: `${name} scripts`, steps, output })
    const definition = template(loadTemplate(text).template)
    return withTroupe(folder, [definition], async (troupe) => {
      const times: number[] = []
      for (let round = -Math.ceil(rounds / 4); round < rounds; round++) {
        const took = await timeOf(async () => {
          const output = (await troupe.run(definition, { after: round })) as { readonly after?: number } | null
          check('what the last script gave', output?.after, round + 1)
        })
        if (round >= 0) times.push(took / stages)
      }
      return quantiles(times)
    })
  })
