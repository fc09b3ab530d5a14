// The world that a script finds. These functions run inside the sandbox, as text: each uses nothing but its parameters and what JavaScript has.
import { seededRandom } from '../lib/random.ts'
import { fitting } from './fit.ts'

/** What a world is made of. */
export interface Given {
  /** The names of the globals. */
  readonly names: readonly string[]
  readonly seed: number
  readonly now: number
  /** The most characters of the result. */
  readonly mostOutput: number
  readonly mostLines: number
  /** The most characters of all lines. */
  readonly mostSaid: number
}

/** What is seen of a script from outside. */
export interface Stage {
  /** Empty until its end: `v` and what it returned, `l` and how long that is, `e` and what it threw, `i` and why it cannot be performed, as JSON. */
  outcome: string
  /** What it said, as JSON objects with commas between. */
  lines: string
  /** How many more it said. */
  unheard: number
  run(script: () => unknown): Promise<void>
  refuse(error: unknown): void
}

type Realm = typeof globalThis
type Quote = (text: string) => string

interface Parts {
  readonly fitting: typeof fitting
  readonly seededRandom: typeof seededRandom
  readonly fixTime: typeof fixTime
  readonly describing: typeof describing
  readonly speaking: typeof speaking
}

function furnish(realm: Realm, parts: Parts, given: Given & { readonly values: readonly unknown[] }): Stage {
  const { stringify } = realm.JSON
  const describe = parts.describing(realm, stringify)
  // Given up when memory has run out, so that this can be told.
  const reserve: { bytes?: ArrayBuffer } = { bytes: new realm.ArrayBuffer(65_536) }
  const stage: Stage = {
    outcome: '',
    lines: '',
    unheard: 0,
    refuse: (error) => void (stage.outcome = `i${describe(error)}`),
    async run(script) {
      try {
        const text = stringify(await script(), parts.fitting('The result')) ?? 'null'
        stage.outcome = text.length > given.mostOutput ? `l${text.length}` : `v${text}`
      } catch (error) {
        delete reserve.bytes
        stage.outcome = `e${describe(error)}`
      }
    },
  }
  for (let at = 0; at < given.names.length; at++) {
    const value = given.values[at]
    const told = { value, writable: true, enumerable: true, configurable: true }
    realm.Object.defineProperty(realm, given.names[at] as string, told)
  }
  realm.Math.random = parts.seededRandom(given.seed)
  parts.fixTime(realm, given.now)
  realm.console = parts.speaking(stage, given, stringify) as Console
  return stage
}

/** Time stands still. */
function fixTime(realm: Realm, now: number): void {
  const { Date: RealDate, Proxy, Reflect } = realm
  RealDate.now = () => now
  const Fixed = new Proxy(RealDate, {
    apply: () => new RealDate(now).toString(),
    construct: (target, given, made) => Reflect.construct(target, given.length === 0 ? [now] : given, made) as object,
  })
  RealDate.prototype.constructor = Fixed
  realm.Date = Fixed
}

function describing(realm: Realm, quote: Quote): (error: unknown) => string {
  const { Error, String } = realm
  const text = (value: unknown): string => {
    const whole = typeof value === 'object' && value !== null ? quote(value as never) : String(value)
    return quote(whole.length > 8_192 ? `${whole.slice(0, 8_191)}…` : whole)
  }
  return (error) => {
    try {
      if (!(error instanceof Error)) return `{"isNull":${error === null},"message":${text(error)}}`
      const { name, message, stack, constructor } = error
      return `{"kind":${text(String(constructor.name))},"name":${text(String(name))},"message":${text(String(message))},"stack":${text(String(stack))}}`
    } catch {
      return '{"message":"something that cannot be read"}'
    }
  }
}

function speaking(stage: Stage, { mostLines, mostSaid }: Given, quote: Quote): object {
  let lines = 0
  let said = 0
  const textOf = (value: unknown): string => {
    if (typeof value !== 'object' || value === null) return String(value)
    try {
      return value instanceof Error ? `${value.name}: ${value.message}` : (quote(value as never) ?? String(value))
    } catch {
      return 'an object that cannot be written as text'
    }
  }
  const say = (level: string, values: readonly unknown[]): void => {
    const left = mostSaid - said
    if (lines >= mostLines || left <= 0) {
      stage.unheard += 1
      return
    }
    let text = ''
    for (let at = 0; at < values.length; at++) text += (at === 0 ? '' : ' ') + textOf(values[at])
    if (text.length > left) text = `${text.slice(0, left - 1)}…`
    stage.lines += `${lines === 0 ? '' : ','}{"level":"${level}","text":${quote(text)}}`
    lines += 1
    said += text.length
  }
  return {
    debug: (...values: unknown[]) => say('debug', values),
    log: (...values: unknown[]) => say('info', values),
    info: (...values: unknown[]) => say('info', values),
    warn: (...values: unknown[]) => say('warn', values),
    error: (...values: unknown[]) => say('error', values),
  }
}

const parts = Object.entries({ fitting, seededRandom, fixTime, describing, speaking } satisfies Parts)

/** Code for a function that furnishes the world it runs in, by two texts: what is given as JSON, and the list of the globals' values as JSON. */
export const worldText = `((given, values) => {
'use strict'
return (${furnish})(globalThis, {
${parts.map(([name, part]) => `${name}: ${part}`).join(',\n')}
}, { ...JSON.parse(given), values: JSON.parse(values) })
})`
