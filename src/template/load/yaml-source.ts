// Reads YAML 1.2 with the place of each value: one document, no merge keys, no tags of other languages, and aliases that come to a bounded whole.
import { createRequire } from 'node:module'
import type { Event, YAMLException } from 'js-yaml'
import { Mask } from './mask.ts'
import { deepest, keyRefused, mostValues, type Read } from './read.ts'
import type { Places } from './places.ts'
import type { Problems } from './problems.ts'

type Yaml = typeof import('js-yaml')

// Loaded with the first file that needs it.
let loaded: Yaml | undefined
const yaml = (): Yaml => (loaded ??= createRequire(import.meta.url)('js-yaml') as Yaml)

/** Undefined when it is no YAML that data can be read from, of which `problems` tells. */
export function readYaml(places: Places, problems: Problems): Read | undefined {
  const mask = new Mask(places.text)
  try {
    const events = yaml().parseEvents(mask.text, { maxDepth: deepest })
    return { value: new YamlReader({ events, mask, places, problems }).whole() }
  } catch (error) {
    if (error instanceof Broken) problems.errorAt(error.message, error.at)
    else if (error instanceof yaml().YAMLException) problems.errorAt(told(error), error.mark?.position ?? 0)
    else throw error
    return undefined
  }
}

function told({ reason }: YAMLException): string {
  return reason.startsWith('nesting exceeded') ? `Values are at most ${deepest} levels deep.` : notYaml(reason)
}

function notYaml(why: string): string {
  return `This is not YAML that a template is read from: ${why}.`
}

/** Reading ended at an offset. */
class Broken extends Error {
  readonly at: number

  constructor(message: string, at: number) {
    super(message)
    this.at = at
  }
}

interface Anchored {
  readonly value: unknown
  /** How many values it comes to. */
  readonly count: number
}

interface YamlParts {
  readonly events: readonly Event[]
  readonly mask: Mask
  readonly places: Places
  readonly problems: Problems
}

type EventOf<Type> = Extract<Event, { readonly type: Type }>
type Container = EventOf<2 | 3>
type ScalarEvent = EventOf<4>
/** What begins a value. */
type Beginning = Container | ScalarEvent | EventOf<5>

const yamlTags = 'tag:yaml.org,2002:'
const blockHead = /[|>][-+\d]*[ \t]*(?:#.*)?\r?\n$/

class YamlReader {
  readonly #events: readonly Event[]
  readonly #mask: Mask
  readonly #places: Places
  readonly #problems: Problems
  readonly #kinds = yaml().EVENT_ID
  readonly #styles = yaml().SCALAR_STYLE
  readonly #schema = yaml().CORE_SCHEMA
  readonly #anchors = new Map<string, Anchored>()
  readonly #open = new Set<string>()
  #next = 0
  #count = 0
  /** Where the last text ended that was read. */
  #end = 0

  constructor({ events, mask, places, problems }: YamlParts) {
    this.#events = events
    this.#mask = mask
    this.#places = places
    this.#problems = problems
  }

  /** Throws `Broken`. */
  whole(): unknown {
    if (this.#events.length === 0) return null
    this.#next = 1
    const value = this.#isAtEnd() ? null : this.#value()
    if (this.#next + 1 < this.#events.length) {
      const line = this.#mask.text.slice(this.#end).search(/^---/m)
      throw new Broken('A second document begins here: a file holds one template.', this.#end + Math.max(line, 0))
    }
    return value
  }

  /** Of the document, or of the container that is open. */
  #isAtEnd(): boolean {
    return this.#events[this.#next]?.type === this.#kinds.POP
  }

  #value(): unknown {
    const event = this.#events[this.#next] as Beginning
    this.#next += 1
    this.#count += 1
    const anchor = this.#mask.text.slice(event.anchorStart, event.anchorEnd)
    if (event.type === this.#kinds.ALIAS) return this.#alias(anchor, event.anchorStart - 1)
    if (anchor === '') return this.#own(event)
    const before = this.#count
    this.#open.add(anchor)
    const value = this.#own(event)
    this.#open.delete(anchor)
    this.#anchors.set(anchor, { value, count: this.#count - before + 1 })
    return value
  }

  #own(event: Container | ScalarEvent): unknown {
    if (event.type === this.#kinds.SCALAR) return this.#scalar(event)
    const isList = event.type === this.#kinds.SEQUENCE
    const tag = this.#tagOf(event)
    if (tag !== '' && tag !== '!' && tag !== `${yamlTags}${isList ? 'seq' : 'map'}`) throw this.#tagUnknown(event)
    const value = isList ? this.#list(event.start) : this.#object(event.start)
    this.#next += 1
    return value
  }

  #alias(source: string, at: number): unknown {
    if (this.#open.has(source)) throw new Broken(`'*${source}' stands within what it means.`, at)
    const anchored = this.#anchors.get(source)
    if (anchored === undefined) throw new Broken(`'*${source}' means nothing: no '&${source}' comes before it.`, at)
    this.#count += anchored.count
    if (this.#count <= mostValues) return anchored.value
    const most = mostValues.toLocaleString('en')
    throw new Broken(`With its aliases written out this comes to more than ${most} values.`, at)
  }

  #list(at: number): unknown[] {
    const list: unknown[] = []
    const marks = this.#places.begin(list, at)
    while (!this.#isAtEnd()) {
      marks.push(this.#start() ?? at)
      list.push(this.#value())
    }
    return list
  }

  #object(at: number): Record<string, unknown> {
    const object: Record<string, unknown> = {}
    const marks = this.#places.begin(object, at)
    while (!this.#isAtEnd()) {
      const keyAt = this.#start() ?? at
      const key = this.#key()
      const refused = key === undefined ? 'A key is a text here.' : refusedIn(object, key)
      const valueAt = this.#start() ?? keyAt
      const value = this.#value()
      if (key === undefined || refused !== undefined) {
        this.#problems.errorAt(refused ?? '', keyAt)
        continue
      }
      object[key] = value
      marks.push(key, keyAt, valueAt)
    }
    return object
  }

  #key(): string | undefined {
    const event = this.#events[this.#next] as Beginning
    const value = this.#value()
    if (event.type !== this.#kinds.SCALAR || value === null) return undefined
    return typeof value === 'string' ? value : yaml().getScalarValue(this.#mask.text, event)
  }

  #scalar(event: ScalarEvent): unknown {
    const { valueStart: start, valueEnd: end, style } = event
    const text = yaml().getScalarValue(this.#mask.text, event)
    const value = this.#resolved(text, event)
    this.#end = Math.max(this.#end, end)
    if (typeof value === 'string') {
      // A long text counts as many values, so that aliases of it come to a bounded whole too.
      this.#count += value.length >> 4
      return this.#mask.restore(value, [start, end], (covered) => this.#unquoted(covered, style))
    }
    if (typeof value !== 'number' || Number.isFinite(value)) return value
    throw new Broken(`${text} is no number that data can have.`, start)
  }

  #resolved(text: string, event: ScalarEvent): unknown {
    const tag = this.#tagOf(event)
    if (tag === '!') return text
    if (tag === '') return event.style === this.#styles.PLAIN ? this.#schema.resolveImplicitScalarTag(text).value : text
    const value = this.#schema.lookupScalarTag(tag)?.resolve(text, true, tag)
    if (value === undefined || value === yaml().NOT_RESOLVED) throw this.#tagUnknown(event)
    return value
  }

  /** What a placeholder stands for that was covered while the text around it was read. */
  #unquoted(text: string, style: ScalarEvent['style']): string {
    if (style === this.#styles.SINGLE_QUOTED) return text.replaceAll("''", "'")
    if (style !== this.#styles.DOUBLE_QUOTED || !text.includes('\\')) return text
    const [, scalar] = yaml().parseEvents(`"${text}"`, {})
    return yaml().getScalarValue(`"${text}"`, scalar as ScalarEvent)
  }

  #tagOf({ tagStart, tagEnd }: Container | ScalarEvent): string {
    return this.#mask.text.slice(tagStart, tagEnd).replace(/^!!/, yamlTags)
  }

  #tagUnknown({ tagStart, tagEnd }: Container | ScalarEvent): Broken {
    return new Broken(notYaml(`${this.#mask.text.slice(tagStart, tagEnd)} is not known, or not of this`), tagStart)
  }

  /** Where the next value begins; undefined when it is empty. */
  #start(): number | undefined {
    const event = this.#events[this.#next] as Beginning
    if (event.type === this.#kinds.ALIAS) return event.anchorStart - 1
    if (event.type !== this.#kinds.SCALAR) return event.start
    const { valueStart, style } = event
    if (valueStart < 0) return undefined
    const { PLAIN, SINGLE_QUOTED, DOUBLE_QUOTED } = this.#styles
    if (style === PLAIN) return valueStart
    return style === SINGLE_QUOTED || style === DOUBLE_QUOTED ? valueStart - 1 : this.#blockHead(valueStart)
  }

  /** A block begins with the sign on the line above its text. */
  #blockHead(textAt: number): number {
    const lineAt = this.#mask.text.lastIndexOf('\n', textAt - 2) + 1
    return lineAt + Math.max(this.#mask.text.slice(lineAt, textAt).search(blockHead), 0)
  }
}

function refusedIn(object: object, key: string): string | undefined {
  return key === '<<' ? 'Keys are not merged here: write them out.' : keyRefused(object, key)
}
