// Several real processes attack one store: over the same keys, over slots that killed ones held, over ticks that killed ones should have fired.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { attackKeys, attackSlots, attackTicks } from './attacks.ts'
import { buildChild } from './children.ts'

const isFull = process.env['TROUPE_CRASH'] === 'full'
const attackMs = isFull ? 20_000 : 4_000
const kills = isFull ? 40 : 6
const timeout = isFull ? 300_000 : 120_000

const amend = 'update run set input = ?, is_unchecked = ? where id = ?'
const isTaken = 'select 1 as taken from slot where limiter = ? and key = ?'

test(
  'I3, I11: what three processes replace, debounce, keep, cancel and let expire has one end each, and the last value wins',
  { timeout },
  async () => {
    const { faults, counts } = await attackKeys(buildChild('attacker.ts'), attackMs)
    expect(faults).toEqual([])
    // What never happens proves nothing.
    expect(Math.min(...Object.values(counts))).toBeGreaterThan(5)
  },
)

test('the same attack finds the values that a copy loses which amends nothing', { timeout }, async () => {
  const build = withChanged('runs/keys', amend, `${amend} and 0`)
  const { faults } = await attackKeys(build, 2_000)
  expect(faults).toContainEqual(expect.stringMatching(/lost a later value$/))
})

test(
  'no more than two pass a limiter for two, though processes that hold its slots are killed, and all slots come free',
  { timeout },
  async () => {
    const { faults, counts } = await attackSlots(buildChild('attacker.ts'), kills)
    expect(faults).toEqual([])
    expect(counts['most']).toBe(2)
    expect(counts['holders']).toBeGreaterThan(0)
  },
)

test('the same attack finds more than two when a copy does not count its slots', { timeout }, async () => {
  const build = withChanged('limiters/admission', isTaken, `${isTaken} and 0`)
  const { faults } = await attackSlots(build, 1)
  expect(faults).toContainEqual(expect.stringMatching(/ had passed at one time$/))
})

test(
  'I14: three processes of which one after the other is killed start one run for each tick and miss none',
  { timeout },
  async () => {
    const { faults, counts } = await attackTicks(buildChild('attacker.ts'), kills)
    expect(faults).toEqual([])
    expect(counts['ticks']).toBeGreaterThan(kills * 2)
  },
)

/** A build of which one text of a file of the store is another. */
function withChanged(file: string, text: string, other: string): string {
  const build = buildChild('attacker.ts')
  const path = join(build, 'src', 'store', 'sql', `${file}.js`)
  const source = readFileSync(path, 'utf8')
  expect(source.split(text)).toHaveLength(2)
  writeFileSync(path, source.replace(text, other))
  return build
}
