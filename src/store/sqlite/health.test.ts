// What is judged well or wrong of a file.
import { expect, it } from 'vitest'
import { findingsOf, type FileFacts } from './health.ts'

const well: FileFacts = {
  location: '/srv/jobs.db',
  pages: 256,
  pageBytes: 4_096,
  freePages: 16,
  journalMode: 'wal',
  walBytes: 4_096,
  seal: undefined,
  damage: undefined,
}

function judged(facts: Partial<FileFacts>): [string, string, string][] {
  return findingsOf({ ...well, ...facts }).map(({ code, severity, text }) => [code, severity, text])
}

it('tells of a file that is well how large it is, and looks into it only on wish', () => {
  expect(judged({})).toEqual([
    ['file', 'ok', 'The store is one file: 1 MiB.'],
    ['journal', 'ok', 'Its journal mode is wal.'],
    ['wal', 'ok', 'Its write-ahead log has 4 KiB.'],
    ['free_pages', 'ok', '64 KiB of it are free, and used again.'],
  ])
  expect(judged({ damage: [] })[4]).toEqual(['integrity', 'ok', 'The file is whole.'])
})

it('tells of damage, a log that grows, and room that nobody uses', () => {
  expect(judged({ damage: ['row 3 missing from index run_key'] })[4]).toEqual([
    'integrity',
    'error',
    'The file is damaged: row 3 missing from index run_key.',
  ])
  expect(judged({ journalMode: 'delete' })[1]?.[1]).toBe('error')
  expect(judged({ walBytes: 64 * 1_048_576 })[2]).toEqual(['wal', 'warning', 'Its write-ahead log has 64 MiB.'])
  const free = { pages: 131_072, freePages: 65_536 }
  expect(judged(free)[3]).toEqual(['free_pages', 'warning', '256 MiB of it are free, and used again.'])
  expect(judged({ ...free, pages: 131_073 })[3]?.[1]).toBe('ok')
})

it('tells of a file that was moved where its runs are', () => {
  const seal = { id: 'a move', target: 'postgres://app@db/jobs' }
  expect(judged({ seal: { ...seal, isDone: false } })[1]).toEqual([
    'moved',
    'error',
    'Its runs are being moved to postgres://app@db/jobs, and nobody writes to it.',
  ])
  expect(judged({ seal: { ...seal, isDone: true } })[1]).toEqual([
    'moved',
    'warning',
    'Its runs were moved to postgres://app@db/jobs: nobody writes to it any more.',
  ])
})
