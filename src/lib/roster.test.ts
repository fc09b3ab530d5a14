import fc from 'fast-check'
import { expect, it } from 'vitest'
import { Roster, type Neighbour } from './roster.ts'

class Guest implements Neighbour<Guest> {
  readonly name: string
  older: Guest | undefined
  younger: Guest | undefined

  constructor(name: string) {
    this.name = name
  }
}

const rosterOf = (...names: string[]) => {
  const roster = new Roster<string, Guest>(({ name }) => name)
  const guests = names.map((name) => new Guest(name))
  for (const guest of guests) roster.add(guest)
  return { roster, guests }
}

const namesIn = (roster: Roster<string, Guest>): string[] => roster.all().map(({ name }) => name)

it('tells who is there in the order in which they came, whoever leaves', () => {
  const step = fc.record({ comes: fc.boolean(), place: fc.nat(9), looks: fc.boolean() })
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const { roster } = rosterOf()
      let there: Guest[] = []
      for (const [n, { comes, place, looks }] of steps.entries()) {
        const leaver = there[place]
        if (comes) there.push(new Guest(`guest ${n}`))
        if (comes) roster.add(there.at(-1) as Guest)
        else if (leaver !== undefined) {
          there = there.filter((guest) => guest !== leaver)
          expect(roster.remove(leaver)).toBe(true)
          expect(roster.remove(leaver)).toBe(false)
          if (looks) expect(roster.find(leaver.name)).toBe(undefined)
        }
        expect(namesIn(roster)).toEqual(there.map(({ name }) => name))
        expect(roster.size).toBe(there.length)
        if (looks) for (const guest of there) expect(roster.find(guest.name)).toBe(guest)
      }
    }),
  )
})

it('keeps hold of nobody who has left', () => {
  const { roster, guests } = rosterOf('Ada', 'Ben', 'Cid')
  const [ada, ben, cid] = guests as [Guest, Guest, Guest]
  roster.remove(ben)
  expect([ben.older, ben.younger, ada.younger, cid.older]).toEqual([undefined, undefined, cid, ada])
})

it('finds the latest of those who share a key, also when an earlier one leaves', () => {
  const { roster, guests } = rosterOf('Ada', 'Ada')
  const [first, second] = guests as [Guest, Guest]
  expect(roster.find('Ada')).toBe(second)
  roster.remove(first)
  expect(roster.find('Ada')).toBe(second)
})
