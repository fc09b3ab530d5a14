// Reads YAML 1.2 with the place of each value: one document, no merge keys, no tags of other languages, and aliases that come to a bounded whole.
import { createRequire } from 'node:module'
import type { Alias, Document, Pair, Scalar, YAMLMap, YAMLSeq } from 'yaml'
import { Mask } from './mask.ts'
import { deepest, keyRefused, mostValues, type Read } from './read.ts'
import type { Places } from './places.ts'
import type { Problems } from './problems.ts'

type Yaml = typeof import('yaml')

// Loaded with the first file that needs it.
let loaded: Yaml | undefined
const yaml = (): Yaml => (loaded ??= createRequire(import.meta.url)('yaml') as Yaml)

// A mistake in YAML makes others of what follows.
const mostTold = 3
// Each level of a value is up to two of what is parsed.
const deepestParsed = 2 * deepest + 10

/** Undefined when it is no YAML that data can be read from, of which `problems` tells. */
export function readYaml(places: Places, problems: Problems): Read | undefined {
  const mask = new Mask(places.text)
  const [document, second] = documentsOf(mask.text, problems)
  if (document === undefined) return undefined
  const wrong = [...document.errors, ...document.warnings]
  for (const { message, pos } of wrong.slice(0, mostTold)) problems.errorAt(told(message), pos[0])
  if (wrong.length > 0) return undefined
  if (second !== undefined) {
    problems.errorAt('A second document begins here: a file holds one template.', second.range[0])
    return undefined
  }
  const reader = new YamlReader(mask, places, problems)
  const value = reader.value(document.contents)
  return reader.isBroken ? undefined : { value }
}

function documentsOf(text: string, problems: Problems): readonly Document.Parsed[] {
  const { Composer, Lexer, Parser } = yaml()
  const parser = new Parser()
  const composer = new Composer({
    version: '1.2',
    schema: 'core',
    merge: false,
    resolveKnownTags: false,
    // Looks at all keys for each key; the reader does it once.
    uniqueKeys: false,
    prettyErrors: false,
    logLevel: 'silent',
  })
  const documents: Document.Parsed[] = []
  let faults = 0
  for (const lexeme of new Lexer().lex(text)) {
    for (const token of parser.next(lexeme)) {
      if (token.type === 'error') faults += 1
      documents.push(...composer.next(token))
    }
    if (faults > mostTold) break
    if (parser.stack.length > deepestParsed) {
      problems.errorAt(`Values are at most ${deepest} levels deep.`, parser.offset)
      return []
    }
  }
  for (const token of parser.end()) documents.push(...composer.next(token))
  documents.push(...composer.end(documents.length === 0, text.length))
  return documents
}

function told(message: string): string {
  return `This is not YAML that a template is read from: ${message.replace(/\.?$/, '.')}`
}

type Node = Alias | Scalar | YAMLMap | YAMLSeq | null

interface Anchored {
  readonly value: unknown
  /** How many values it comes to. */
  readonly count: number
}

class YamlReader {
  readonly #mask: Mask
  readonly #places: Places
  readonly #problems: Problems
  readonly #anchors = new Map<string, Anchored>()
  readonly #open = new Set<string>()
  #count = 0
  #depth = 0
  isBroken = false

  constructor(mask: Mask, places: Places, problems: Problems) {
    this.#mask = mask
    this.#places = places
    this.#problems = problems
  }

  value(content: unknown): unknown {
    const node = content as Node
    if (node === null) return null
    if (this.isBroken) return null
    this.#count += 1
    const { isAlias, isMap, isScalar } = yaml()
    if (isAlias(node)) return this.#alias(node)
    const before = this.#count
    if (node.anchor !== undefined) this.#open.add(node.anchor)
    const value = isScalar(node) ? this.#scalar(node) : this.#within(node, isMap(node))
    if (node.anchor !== undefined) {
      this.#open.delete(node.anchor)
      this.#anchors.set(node.anchor, { value, count: this.#count - before + 1 })
    }
    return value
  }

  #alias({ source, range }: Alias): unknown {
    const at = range?.[0] ?? 0
    if (this.#open.has(source)) return this.#broken(`'*${source}' stands within what it means.`, at)
    const anchored = this.#anchors.get(source)
    if (anchored === undefined) return this.#broken(`'*${source}' means nothing: no '&${source}' comes before it.`, at)
    this.#count += anchored.count
    if (this.#count > mostValues)
      return this.#broken(
        `With its aliases written out this comes to more than ${mostValues.toLocaleString('en')} values.`,
        at,
      )
    return anchored.value
  }

  #within(node: YAMLMap | YAMLSeq, isMap: boolean): unknown {
    const at = node.range?.[0] ?? 0
    if (this.#depth >= deepest) return this.#broken(`Values are at most ${deepest} levels deep.`, at)
    this.#depth += 1
    const value = isMap ? this.#object(node as YAMLMap, at) : this.#list(node as YAMLSeq, at)
    this.#depth -= 1
    return value
  }

  #list({ items }: YAMLSeq, at: number): unknown[] {
    const list: unknown[] = []
    const marks = this.#places.begin(list, at)
    for (const item of items) {
      marks.push(startOf(item) ?? at)
      list.push(this.value(item))
    }
    return list
  }

  #object({ items }: YAMLMap, at: number): Record<string, unknown> {
    const object: Record<string, unknown> = {}
    const marks = this.#places.begin(object, at)
    for (const { key: keyNode, value: node } of items as readonly Pair[]) {
      const keyAt = startOf(keyNode) ?? at
      const key = this.#key(keyNode, keyAt)
      if (key === undefined) continue
      const refused = key === '<<' ? 'Keys are not merged here: write them out.' : keyRefused(object, key)
      if (refused !== undefined) {
        this.#problems.errorAt(refused, keyAt)
        continue
      }
      object[key] = this.value(node)
      marks.push(key, keyAt, startOf(node) ?? keyAt)
    }
    return object
  }

  #key(node: unknown, at: number): string | undefined {
    if (!yaml().isScalar(node) || node.value === null) {
      this.#problems.errorAt('A key is a text here.', at)
      return undefined
    }
    const value = this.#scalar(node)
    return typeof value === 'string' ? value : (node.source ?? String(value))
  }

  #scalar(node: Scalar): unknown {
    const { value, range, type } = node
    if (typeof value === 'string') {
      // A long text counts as many values, so that aliases of it come to a bounded whole too.
      this.#count += value.length >> 4
      const [start, end] = range ?? [0, 0]
      return this.#mask.restore(value, [start, end], (text) => unquoted(text, type))
    }
    if (typeof value !== 'number' || Number.isFinite(value)) return value ?? null
    return this.#broken(`${node.source ?? 'This'} is no number that data can have.`, range?.[0] ?? 0)
  }

  #broken(message: string, at: number): null {
    this.isBroken = true
    this.#problems.errorAt(message, at)
    return null
  }
}

function startOf(node: unknown): number | undefined {
  return (node as Exclude<Node, null> | null | undefined)?.range?.[0]
}

/** What a placeholder stands for that was covered while the text around it was read. */
function unquoted(text: string, type: Scalar['type']): string {
  if (type === 'QUOTE_SINGLE') return text.replaceAll("''", "'")
  if (type !== 'QUOTE_DOUBLE' || !text.includes('\\')) return text
  return String(yaml().parseDocument(`"${text}"`, { prettyErrors: false }).contents?.toJSON() ?? text)
}
