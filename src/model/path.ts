// The identity of a step: a path of names from the workflow down to it.

// The first five carry meaning in a path. NUL and half a surrogate pair are not text that every store keeps.
const special = /[/[\]#\\\0\p{Surrogate}]/gu

// How the paths of what code does not name by itself begin, and which is known by that alone, not by its turn: names that begin so are told apart.
const reserved = /^(?:answer|patch) /

/** Joins a scope and a name: `ship[sku-17]` and `pack` give `ship[sku-17]/pack`. */
export function joinPath(scope: string, name: string): string {
  const escaped = escapeName(name)
  return join(scope, reserved.test(name) ? `\\${escaped}` : escaped)
}

/** The path of an answer in a scope, or of a patch: no name of code gives the same. */
export function ownPath(scope: string, kind: 'answer' | 'patch', name: string): string {
  return join(scope, `${kind} ${escapeName(name)}`)
}

/** The path of one item of a keyed collection: `ship` and `sku-17` give `ship[sku-17]`. */
export function keyedPath(path: string, key: string): string {
  return `${path}[${escapeName(key)}]`
}

/** The path of the nth use of a name in one scope; the first is the bare path. */
export function repeatedPath(path: string, occurrence: number): string {
  return occurrence === 1 ? path : `${path}#${occurrence}`
}

const undoing = '/undo'

/** Where it stands that a step was undone: no code can name that so, as names have no slash and no two things one path. */
export function undoPath(path: string): string {
  return path + undoing
}

/** The path of the step that was undone here. */
export function undonePath(path: string): string {
  return path.slice(0, -undoing.length)
}

/** A path without the keys of items and the numbers of uses: what all of one kind have in common, as `ship[]/pack`. */
export function patternOf(path: string): string {
  return path.replace(/(?<!\\)\[(?:\\.|[^\]\\])*\]/g, '[]').replace(/(?<!\\)#\d+/g, '')
}

function join(scope: string, own: string): string {
  return scope === '' ? own : `${scope}/${own}`
}

function escapeName(name: string): string {
  // Measured: the test is 6x cheaper than the replace, and names seldom need it.
  return name.search(special) === -1 ? name : name.replace(special, escapeChar)
}

function escapeChar(char: string): string {
  const code = char.charCodeAt(0)
  return code === 0 || code > 0x7f ? `\\u${code.toString(16).padStart(4, '0')}` : `\\${char}`
}

/** The key under which a run keeps what a worker keeps that is one of its steps. */
export function stateKeyOf(path: string, key: string): string {
  // Names may have colons: `a` with the key `b:c` is not `a:b` with `c`.
  return `${path.replaceAll(':', '\\:')}:${key}`
}

/** The key of how far a worker has come; no program gives one like it. */
export const checkpointKey = ''
