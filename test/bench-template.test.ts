// The bench of templates measures what it says: its graphs, its shapes, and every line of its report.
import { afterEach, describe, expect, it } from 'vitest'
import { loadTemplate } from 'troupe'
import { chain, layered, templateText, wide } from '../bench/template/graphs.ts'
import { shapes } from '../bench/template/shapes.ts'
import { printedBy } from '../examples/printed.ts'

describe('the graphs of the template bench', () => {
  it('are what their names say', () => {
    expect(wide(3).needs).toEqual([[], [], []])
    expect(chain(3).needs).toEqual([[], [0], [1]])
    expect(layered(2, 4).needs).toEqual([[], [], [], [], [0, 3, 2], [1, 0, 3], [2, 1, 0], [3, 2, 1]])
  })

  it('are templates', () => {
    const { steps } = loadTemplate(templateText(layered(2, 4))).template
    expect(steps.map(({ needs }) => needs.length)).toEqual([0, 0, 0, 0, 3, 3, 3, 3])
  })

  it('have the steps that Tasker names for its shapes', () => {
    expect(shapes.map(({ name, steps }) => [name, steps])).toEqual([
      ['linear', 4],
      ['diamond', 4],
      ['tree', 8],
      ['complex graph', 7],
      ['conditional', 4],
      ['batch of 1000 rows', 7],
    ])
  })
})

describe('the template bench', () => {
  const { argv } = process

  afterEach(() => {
    process.argv = argv
  })

  it('tells all of its figures', async () => {
    process.argv = [...argv.slice(0, 1), 'template', '--part', '0.001', '--rounds', '1']
    const lines = (await printedBy(() => import('../bench/template.ts'))).flatMap((text) => text.split('\n'))
    const firsts = ['JSON', 'YAML', '1 at once', '10 layers of 1,', 'chain of 1', ...shapes.map(({ name }) => name)]
    expect(firsts.filter((first) => !lines.some((line) => line.startsWith(first)))).toEqual([])
    const bars = lines.filter((line) => /^(met|missed) /.test(line))
    expect(bars).toHaveLength(8)
    expect(lines.join('\n')).not.toContain('NaN')
  }, 60_000)
})
