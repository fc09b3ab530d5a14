// The statements of the store as Postgres understands them: the few things that are said in another way here.

/** A list is a text of JSON in SQLite, and an array here: of numbers or of texts. */
export type ListKind = 'ids' | 'texts'

/** A statement in the words of Postgres. */
export interface Translated {
  readonly text: string
  /** Which of its values are lists, by their places. */
  readonly lists: ReadonlyMap<number, ListKind>
}

const inList = /\b(not )?in \(select value from json_each\((\?\d*)\)( \/\* texts \*\/)?\)/g
const noList = /(\?\d*) is null \/\* texts \*\//g
const rowsOfList = /\bjson_each\(([^()]*)\) as (\w+)/g
const takenNumbers = /^update counter set value = value \+ \? where name = '(\w+)' returning value$/
const lastNumber = /\(select value from counter where name = 'epoch'\)/g
const indexHint = /\s+indexed by \w+/g

// What is to be left alone, which comes first; then parameters, and words.
const parts =
  /'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|\/\*.*?\*\/|\$\w+\$[^$]*\$\w+\$|\?(\d*)(?:<(ids|texts)>)?|[A-Za-z_]\w*/g

const words: Readonly<Record<string, string>> = {
  integer: 'bigint',
  real: 'double precision',
  instr: 'strpos',
  json_group_array: 'json_agg',
}

const fieldOfJson = /(\w+) -> '\$\.(\w+)'/g
const lengthInJson = /json_array_length\((\w+), '\$\.(\w+)'\)/g

/** Translates a statement. All of them are constants: each is translated once. */
export function translate(sql: string): Translated {
  const lists = new Map<number, ListKind>()
  let last = 0
  const text = withoutSqlite(sql).replace(parts, (part: string, place?: string, kind?: ListKind) => {
    if (!part.startsWith('?')) return wordOf(part)
    const number = place === '' || place === undefined ? last + 1 : Number(place)
    last = Math.max(last, number)
    if (kind !== undefined) lists.set(number - 1, kind)
    return `$${number}`
  })
  return { text, lists }
}

/** What is said in more than one word. */
function withoutSqlite(sql: string): string {
  return (
    sql
      .replace(indexHint, '')
      // A sequence changes in place.
      .replace(takenNumbers, "select setval('counter_$1', nextval('counter_$1') + ? - 1) as value")
      .replace(lastNumber, '(select last_value from counter_epoch)')
      .replaceAll(/\bcross join\b/g, 'join')
      .replace(fieldOfJson, "(cast($1 as json) -> '$2')")
      .replace(lengthInJson, "json_array_length(cast($1 as json) -> '$2')")
      .replace(inList, (_all, ...[not, parameter, texts]: (string | undefined)[]) => {
        const [kind, type] = texts === undefined ? ['ids', 'bigint'] : ['texts', 'text']
        return `${not === undefined ? '= any' : '<> all'} (cast(${parameter}<${kind}> as ${type}[]))`
      })
      .replace(noList, 'cast($1<texts> as text[]) is null')
      .replace(rowsOfList, 'jsonb_array_elements_text(cast($1 as jsonb)) with ordinality as $2(value, key)')
  )
}

/** Names keep their capitals only in quotes here. */
function wordOf(word: string): string {
  if (/^[A-Za-z_]\w*$/.test(word) && /[A-Z]/.test(word)) return `"${word}"`
  return words[word] ?? word
}

/** A list, which comes as JSON, in the form of an array. */
export function arrayOf(json: string, kind: ListKind): string {
  return kind === 'ids' ? `{${json.slice(1, -1)}}` : listOf(JSON.parse(json) as string[])
}

/** Values in the form of an array. */
export function listOf(values: readonly unknown[]): string {
  return `{${values.map(elementOf).join(',')}}`
}

function elementOf(value: unknown): string {
  if (value === null) return 'NULL'
  return typeof value === 'string' ? `"${value.replaceAll(/["\\]/g, '\\$&')}"` : String(value)
}
