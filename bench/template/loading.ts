// How long a template of thousands of nodes takes from its text to its being ready: read, checked against its schema, its graph and its handlers.
import { loadTemplate, type TemplateFormat } from 'troupe'
import { check } from '../measure.ts'
import { median } from '../report.ts'
import { layered, nameOf } from './graphs.ts'

export interface Loading {
  /** Milliseconds of the first time, in a process that has read no such text. */
  readonly firstMs: number
  /** Of the times after it, the median. */
  readonly laterMs: number
}

const handlers = {
  work: {
    input: {
      type: 'object',
      required: ['i', 'before'],
      properties: { i: { type: 'integer' }, before: { type: ['integer', 'null'] }, note: { type: 'string' } },
    },
    output: { type: 'object', properties: { i: { type: 'integer' } } },
  },
}

const layers = 100

export function loading(nodes: number, format: TemplateFormat, rounds: number): Loading {
  const text = textOf(nodes, format)
  const times: number[] = []
  for (let round = 0; round <= rounds; round++) {
    const startedAt = performance.now()
    const { template } = loadTemplate(text, { format, handlers })
    times.push(performance.now() - startedAt)
    check('steps that were loaded', template.steps.length, nodes)
  }
  const [firstMs = Number.NaN, ...later] = times
  return { firstMs, laterMs: median(later) }
}

function textOf(nodes: number, format: TemplateFormat): string {
  const { needs } = layered(layers, nodes / layers)
  const steps = needs.map((all, i) => {
    const [first] = all
    const before = first === undefined ? null : `\${{ steps['${nameOf(first)}'].i }}`
    return {
      name: nameOf(i),
      uses: 'work',
      needs: all.map(nameOf),
      with: { i, before, note: 'run ${{ run.id }}' },
      retry: { attempts: 3, base: '1s' },
      timeout: '30s',
    }
  })
  if (format === 'json') return JSON.stringify({ name: 'large', steps })
  return `name: large\nsteps:\n${steps.map(stepInYaml).join('')}`
}

/** As people write it: a line for each key. */
function stepInYaml(step: Readonly<Record<string, unknown>>): string {
  const lines = Object.entries(step).map(([key, value]) => `${key}: ${inYaml(value)}`)
  return `  - ${lines.join('\n    ')}\n`
}

/** JSON is YAML too, and what people write in one line looks like it. */
function inYaml(value: unknown): string {
  return typeof value === 'string' && /^[\w-]+$/.test(value) ? value : JSON.stringify(value)
}
