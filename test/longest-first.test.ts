// The files that take minutes come first, whatever else is known of them.
import { existsSync } from 'node:fs'
import { expect, it } from 'vitest'
import type { TestSpecification, Vitest } from 'vitest/node'
import { longest, LongestFirst } from './longest-first.ts'

it('begins with the longest, which are there, and leaves the others as they were', async () => {
  expect(longest.filter((path) => !existsSync(path))).toEqual([])
  const project = { name: '', config: { sequence: { groupOrder: 0 }, isolate: true } }
  const cache = { getFileTestResults: () => undefined, getFileStats: () => undefined }
  const sequencer = new LongestFirst({ config: { root: '/clone' }, cache } as unknown as Vitest)
  const given = ['test/a.test.ts', ...longest.toReversed(), 'test/b.test.ts']
  const files = given.map((path) => ({ moduleId: `/clone/${path}`, project }) as unknown as TestSpecification)
  const sorted = await sequencer.sort(files)
  expect(sorted.map(({ moduleId }) => moduleId.slice('/clone/'.length))).toEqual([
    ...longest,
    'test/a.test.ts',
    'test/b.test.ts',
  ])
})
