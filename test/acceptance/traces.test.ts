// Traces of real workflows, where there are some: each is performed as a template, every task once and none before its parents.
import { basename } from 'node:path'
import { describe, expect, it } from 'vitest'
import { performTrace } from '../../bench/wfcommons/perform.ts'
import { readTrace } from '../../bench/wfcommons/trace.ts'
import { dataFiles } from './data.ts'

const files = dataFiles('wfcommons', '.json')

describe.skipIf(files.length === 0)('a trace', () => {
  it.each(files.map((file) => [basename(file), file]))(
    '%s is performed',
    async (_, file) => {
      const trace = readTrace(file)
      const { spans } = await performTrace(trace, { scale: 0, rounds: 1 })
      const early = trace.tasks.flatMap(({ id, parents }, task) =>
        parents.some((parent) => (spans[parent]?.endedAt ?? Infinity) > (spans[task]?.begunAt ?? 0)) ? [id] : [],
      )
      expect([spans.length, early]).toEqual([trace.tasks.length, []])
    },
    120_000,
  )
})
