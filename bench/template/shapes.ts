// The shapes that Tasker publishes figures for, as templates: what each is, what it gives, and what is published.
import { loadTemplate, template, worker, type Definition } from 'troupe'
import { check, quantiles, withFolder, type Quantiles } from '../measure.ts'
import { withTroupe } from '../workflow/ours.ts'
import { timeOf } from '../workflow/three-steps.ts'

export interface Shape {
  readonly name: string
  /** Steps that are performed. */
  readonly steps: number
  /** In milliseconds, as Tasker publishes them for its own cluster: nothing of it is measured here. */
  readonly published: { readonly p50: string; readonly p99: string }
  readonly input: unknown
  readonly output: unknown
  readonly text: string
}

const number = 2

/** Each multiplies all it is given, and squares that. */
const square = (...needs: string[]): object => ({
  uses: 'square',
  needs,
  with: { of: needs.length === 0 ? ['${{ input.number }}'] : needs.map((name) => `\${{ steps.${name} }}`) },
})

const graphText = (name: string, steps: Readonly<Record<string, object>>, output: string): string =>
  JSON.stringify({
    name,
    steps: Object.entries(steps).map(([step, rest]) => ({ name: step, ...rest })),
    output: `\${{ steps.${output} }}`,
  })

const squares = (name: string, steps: Readonly<Record<string, object>>, power: number): Omit<Shape, 'published'> => ({
  name,
  steps: Object.keys(steps).length,
  input: { number },
  output: number ** power,
  text: graphText(name, steps, Object.keys(steps).at(-1) ?? ''),
})

const linear = squares('linear', { a: square(), b: square('a'), c: square('b'), d: square('c') }, 16)

const diamond = squares(
  'diamond',
  { top: square(), left: square('top'), right: square('top'), end: square('left', 'right') },
  16,
)

const tree = squares(
  'tree',
  {
    root: square(),
    left: square('root'),
    right: square('root'),
    d: square('left'),
    e: square('left'),
    f: square('right'),
    g: square('right'),
    end: square('d', 'e', 'f', 'g'),
  },
  64,
)

const mixed = squares(
  'complex graph',
  {
    first: square(),
    left: square('first'),
    right: square('first'),
    validate: square('left', 'right'),
    transform: square('left'),
    analyse: square('right'),
    end: square('validate', 'transform', 'analyse'),
  },
  64,
)

const conditional: Omit<Shape, 'published'> = {
  name: 'conditional',
  steps: 4,
  input: { number },
  output: number ** 4,
  text: graphText(
    'conditional',
    {
      validate: square(),
      route: { uses: 'route', needs: ['validate'], type: 'decision', with: { amount: '${{ steps.validate }}' } },
      small: { ...square('validate'), needs: ['route', 'validate'] },
      middle: { ...square('validate'), needs: ['route', 'validate'] },
      large: { ...square('validate'), needs: ['route', 'validate'] },
      end: {
        uses: 'first',
        needs: ['small', 'middle', 'large'],
        type: 'deferred_convergence',
        with: { of: ['${{ steps.small }}', '${{ steps.middle }}', '${{ steps.large }}'] },
      },
    },
    'end',
  ),
}

const rows = 1_000
const rowsOfBatch = 200

const batch: Omit<Shape, 'published'> = {
  name: `batch of ${rows} rows`,
  steps: 2 + rows / rowsOfBatch,
  input: { rows },
  output: valueOf(0, rows),
  text: graphText(
    'batch',
    {
      analyse: { uses: 'analyse', type: 'batchable', with: { rows: '${{ input.rows }}' } },
      add: {
        uses: 'add',
        type: 'batch_worker',
        needs: ['analyse'],
        batch: { size: rowsOfBatch, parallelism: rows / rowsOfBatch },
      },
      total: { uses: 'sum', type: 'deferred_convergence', needs: ['add'], with: { of: '${{ steps.add }}' } },
    },
    'total',
  ),
}

export const shapes: readonly Shape[] = [
  { ...linear, published: { p50: '255–258', p99: '< 500' } },
  { ...diamond, published: { p50: '200–259', p99: '< 500' } },
  { ...tree, published: { p50: '389–426', p99: '< 800' } },
  { ...mixed, published: { p50: '382', p99: '< 800' } },
  { ...conditional, published: { p50: '251–262', p99: '< 500' } },
  { ...batch, published: { p50: '358–368', p99: '< 1000' } },
]

interface Of {
  readonly of: readonly number[]
}

interface GivenBatch {
  readonly batch: { readonly cursor: { readonly from: number; readonly to: number } }
}

/** The stock of so many rows of a list of goods, in whole cents. */
function valueOf(from: number, to: number): number {
  let value = 0
  for (let row = from; row < to; row++) value += (row % 97) * (row % 31)
  return value
}

const sumOf = ({ of }: Of): number => of.reduce((sum, one) => sum + one, 0)

const workers: readonly Definition[] = [
  worker('square', {}, (_ctx, { of }: Of) => of.reduce((product, one) => product * one, 1) ** 2),
  worker('route', {}, (_ctx, { amount }: { readonly amount: number }) => [
    amount < 1_000 ? 'small' : amount < 5_000 ? 'middle' : 'large',
  ]),
  worker(
    'first',
    {},
    (_ctx, { of }: { readonly of: readonly (number | null)[] }) => of.find((one) => one !== null) ?? null,
  ),
  worker('analyse', {}, (_ctx, given: { readonly rows: number }) =>
    Array.from({ length: given.rows / rowsOfBatch }, (_, i) => ({ from: i * rowsOfBatch, to: (i + 1) * rowsOfBatch })),
  ),
  worker('add', {}, (_ctx, { batch: { cursor } }: GivenBatch) => valueOf(cursor.from, cursor.to)),
  worker('sum', {}, (_ctx, given: Of) => sumOf(given)),
]

/** Milliseconds from the call of a run alone to its result, of each shape, in turns. */
export const shapesAlone = (rounds: number): Promise<readonly Quantiles[]> =>
  withFolder((folder) => {
    const definitions = shapes.map(({ text }) => template(loadTemplate(text).template))
    return withTroupe(folder, [...workers, ...definitions], async (troupe) => {
      const times: number[][] = shapes.map(() => [])
      for (let round = -Math.ceil(rounds / 4); round < rounds; round++) {
        for (const [place, { name, input, output }] of shapes.entries()) {
          const took = await timeOf(async () =>
            check(name, await troupe.run(definitions[place] as Definition<unknown>, input), output),
          )
          if (round >= 0) times[place]?.push(took)
        }
      }
      return times.map(quantiles)
    })
  })
