// docs/patterns.md: that it has each of the 43 patterns, in its table and in its code; test/docs.test.ts runs that.
import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { blocksOf } from '../docs/blocks.ts'

const page = readFileSync('docs/patterns.md', 'utf8')
const all = Array.from({ length: 43 }, (_, n) => n + 1)

const numbersIn = (texts: readonly string[]): number[] => {
  const found = new Set(texts.flatMap((text) => (text.match(/\b\d+\b/g) ?? []).map(Number)))
  return [...found].filter((n) => n >= 1 && n <= 43).sort((left, right) => left - right)
}

it('lists each pattern once', () => {
  const rows = page.split('\n').filter((line) => /^\| \d/.test(line))
  const listed = rows.flatMap((row) => row.split('|')[1]?.match(/\b\d+\b/g) ?? []).map(Number)
  expect(listed.sort((left, right) => left - right)).toEqual(all)
})

it('names each pattern beside the code that expresses it', () => {
  const comments = blocksOf('docs/patterns.md', page).flatMap(({ code }) =>
    code.split('\n').flatMap((line) => (line.includes('console.log') ? [] : (line.split('//')[1] ?? []))),
  )
  expect(numbersIn(comments)).toEqual(all)
})
