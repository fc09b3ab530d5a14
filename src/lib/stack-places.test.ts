import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { projectFrame, projectPlace, stackPlaces } from './stack-places.ts'

function placesOf(...lines: string[]): string[] {
  const stack = ['Error: x', ...lines.map((line) => `    at ${line}`)].join('\n')
  return stackPlaces(Object.assign(new Error('x'), { stack })).map(
    ({ file, line, column }) => `${file}|${line}|${column}`,
  )
}

it('reads every kind of frame', () => {
  expect(
    placesOf(
      '/app/a.ts:1:2',
      'async /app/a.ts:3:4',
      'new Shop (file:///app/my%20shop.ts:5:6)',
      'Object.<anonymous> (/srv/b.ts:7:8)',
      'node:internal/timers:581:17',
    ),
  ).toEqual(['/app/a.ts|1|2', '/app/a.ts|3|4', '/app/my shop.ts|5|6', '/srv/b.ts|7|8', 'node:internal/timers|581|17'])
})

it('leaves out frames without a place', () => {
  expect(placesOf('Array.map (<anonymous>)', 'async Promise.all (index 0)', 'f (file://%zz/a.ts:1:2)')).toEqual([])
  expect(stackPlaces('no error')).toEqual([])
  expect(stackPlaces(Object.assign(new Error('x'), { stack: undefined }))).toEqual([])
})

it('finds the innermost place that is of the project', () => {
  const own = fileURLToPath(new URL('text.ts', import.meta.url))
  const frames = [
    'node:fs:1:2',
    '/app/node_modules/zod/a.js:3:4',
    `${own}:5:6`,
    '/app/workers/b.ts:7:8',
    '/app/c.ts:9:9',
  ]
  const stack = ['Error: x', ...frames.map((place) => `    at f (${place})`)].join('\n')
  expect(projectPlace(Object.assign(new Error('x'), { stack }))).toEqual({
    file: '/app/workers/b.ts',
    line: 7,
    column: 8,
  })
  expect(projectPlace(Object.assign(new Error('x'), { stack: 'Error: x' }))).toBe(undefined)
})

it('tells what was called there', () => {
  const calledIn = (line: string): unknown =>
    projectFrame(`Error: x\n    at f (node:fs:1:2)\n    at ${line}\n    at g (/app/z.ts:1:1)`)
  expect(calledIn('charge (/app/a.ts:1:2)')).toEqual({ called: 'charge', file: '/app/a.ts' })
  expect(calledIn('async Shop.buy (file:///app/a.ts:1:2)')).toEqual({ called: 'Shop.buy', file: '/app/a.ts' })
  expect(calledIn('new Shop (/app/a.ts:1:2)')).toEqual({ called: 'Shop', file: '/app/a.ts' })
  expect(calledIn('async /app/a.ts:3:4')).toEqual({ called: '', file: '/app/a.ts' })
  expect(calledIn('f (/app/node_modules/a.js:3:4)')).toEqual({ called: 'g', file: '/app/z.ts' })
  expect(projectFrame('Error: x')).toBe(undefined)
})
