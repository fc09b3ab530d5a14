// Chameneos: creatures meet in a mall, two at a time, and take on the complement of their colours.
import { Actor, ActorSystem } from 'troupe/actor'
import type { Ref } from 'troupe/actor'
import { check } from './row.ts'

type Colour = 0 | 1 | 2
const creatures = 100
// A meeting is four messages: two creatures come, each hears of the other.
const messagesPerMeeting = 4

interface Visit {
  readonly colour: Colour
  readonly creature: Ref<Creature>
}

const complement = (one: Colour, other: Colour): Colour => (one === other ? one : ((3 - one - other) as Colour))

class Mall extends Actor {
  readonly #onEnd: (meetings: number) => void
  #left: number
  #waiting: Visit | undefined
  #reported = 0
  #meetings = 0

  constructor(meetings: number, onEnd: (meetings: number) => void) {
    super()
    this.#left = meetings
    this.#onEnd = onEnd
  }
  come(visit: Visit): void {
    if (this.#left === 0) return void visit.creature.tell('goHome')
    const first = this.#waiting
    if (first === undefined) {
      this.#waiting = visit
      return
    }
    this.#waiting = undefined
    this.#left--
    first.creature.tell('meet', visit.colour)
    visit.creature.tell('meet', first.colour)
  }
  report(met: number): void {
    this.#meetings += met
    if (++this.#reported === creatures) this.#onEnd(this.#meetings / 2)
  }
}

class Creature extends Actor {
  readonly #mall: Ref<Mall>
  #colour: Colour
  #met = 0

  constructor(mall: Ref<Mall>, colour: Colour) {
    super()
    this.#mall = mall
    this.#colour = colour
  }
  begin(): void {
    this.#mall.tell('come', { colour: this.#colour, creature: this.ctx.self })
  }
  meet(colour: Colour): void {
    this.#met++
    this.#colour = complement(this.#colour, colour)
    this.begin()
  }
  goHome(): void {
    this.#mall.tell('report', this.#met)
  }
}

export async function chameneos(count: number): Promise<void> {
  const system = new ActorSystem()
  const meetings = count / messagesPerMeeting
  const met = await new Promise<number>((resolve) => {
    const [mall] = system.spawn(() => new Mall(meetings, resolve), { mailbox: 2 * creatures })
    for (let index = 0; index < creatures; index++) {
      system.spawn(() => new Creature(mall, (index % 3) as Colour))[0].tell('begin')
    }
  })
  check(met, meetings)
  await system.stop()
}
