// Identifiers and randomness, handed in from outside like time.
import { randomFillSync } from 'node:crypto'
import type { Clock } from './clock.ts'

export interface Ids {
  /** A UUIDv7 (RFC 9562): unique, and sorted by the time it was made. */
  uuid(): string
  /** A text that nobody guesses: 256 random bits as 43 characters fit for a URL. */
  secret(): string
  /** A number from 0 up to but not including 1. */
  random(): number
}

/** Where randomness comes from. */
export interface RandomSource {
  fill(bytes: Uint8Array): void
  next(): number
}

const systemRandom: RandomSource = {
  fill: (bytes) => void randomFillSync(bytes),
  next: () => Math.random(),
}

// Random bytes for so many ids are drawn at once: one call to the system costs more than fifty ids.
const idsPerDraw = 512
const bytesPerId = 8
// The counter of one millisecond, 12 bits; it starts low enough to leave room.
const counterLimit = 0x1000
const counterStart = 0x100

const hex = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

/** Ids that rise strictly within this process, also when the wall clock steps back. */
export function createIds(clock: Clock, random: RandomSource = systemRandom): Ids {
  const pool = new Uint8Array(idsPerDraw * bytesPerId)
  let offset = pool.length
  let latestMs = 0
  let head = headOf(latestMs)
  let counter = counterStart

  const startMs = (ms: number): void => {
    latestMs = ms
    head = headOf(ms)
    counter = counterStart
  }

  const tick = (): void => {
    const now = clock.now()
    counter += 1
    if (now > latestMs) startMs(now)
    // The millisecond is used up: the next one is taken early.
    else if (counter === counterLimit) startMs(latestMs + 1)
  }

  const uuid = (): string => {
    if (offset === pool.length) {
      random.fill(pool)
      offset = 0
    }
    tick()
    const at = offset
    offset += bytesPerId
    return head + counterText(counter) + randomText(pool, at)
  }

  const secret = (): string => {
    const bytes = new Uint8Array(32)
    random.fill(bytes)
    return Buffer.from(bytes).toString('base64url')
  }

  return { uuid, secret, random: () => random.next() }
}

/** Sorts before all ids that are made from then on, and behind those of before. */
export function earliestId(ms: number): string {
  return headOf(Math.max(0, Math.floor(ms)))
}

// Measured: 3x on the whole of `uuid`, as it is written once a millisecond and not once an id.
function headOf(ms: number): string {
  const time = ms.toString(16).padStart(12, '0')
  return `${time.slice(0, 8)}-${time.slice(8)}-`
}

function counterText(counter: number): string {
  return `${hex[0x70 | (counter >> 8)]}${hex[counter & 0xff]}-`
}

function randomText(pool: Uint8Array, at: number): string {
  const byte = (index: number): string => hex[pool[at + index] as number] as string
  const variant = hex[0x80 | ((pool[at] as number) & 0x3f)] as string
  return `${variant}${byte(1)}-${byte(2)}${byte(3)}${byte(4)}${byte(5)}${byte(6)}${byte(7)}`
}
