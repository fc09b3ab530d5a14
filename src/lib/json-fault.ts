// Where JSON breaks: the engine's own messages differ between versions and often give no place.

export interface JsonFault {
  /** Of the first character that cannot be right. */
  readonly offset: number
  readonly expected: string
}

type Expecting = 'value' | 'first item' | 'first key' | 'key' | 'colon' | 'comma or end' | 'nothing'

const tokens = {
  space: /[ \t\n\r]*/y,
  escape: /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y,
  scalar: /(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)(?![\w.+-])/y,
}

// oxlint-disable-next-line no-control-regex -- JSON forbids them in a text
const notPlain = /["\\\u0000-\u001f]/g

const wanted: Readonly<Record<Expecting, string>> = {
  value: 'a value: an object, a list, a text in double quotes, a number, true, false or null',
  'first item': 'a value, or ]',
  'first key': 'a name in double quotes, or }',
  key: 'a name in double quotes',
  colon: 'a colon',
  'comma or end': 'a comma',
  nothing: 'the end of the input',
}

/** The first fault of a text; undefined when it is JSON. */
export function findJsonFault(text: string): JsonFault | undefined {
  const open: ('{' | '[')[] = []
  let expecting: Expecting = 'value'
  let offset = 0
  for (;;) {
    offset = endOf(tokens.space, text, offset) ?? offset
    if (offset === text.length && expecting === 'nothing') return undefined
    const step = next(text, offset, { expecting, open })
    if ('expected' in step) return step
    offset = step.offset
    expecting = step.expecting
  }
}

interface Place {
  readonly expecting: Expecting
  readonly open: ('{' | '[')[]
}

type Step = JsonFault | { readonly offset: number; readonly expecting: Expecting }

function next(text: string, offset: number, place: Place): Step {
  const { expecting, open } = place
  const letter = text[offset]
  const closes = closingOf(expecting, open)
  if (letter !== undefined && letter === closes) {
    open.pop()
    return { offset: offset + 1, expecting: afterValue(open) }
  }
  if (expecting === 'colon' && letter === ':') return { offset: offset + 1, expecting: 'value' }
  if (expecting === 'comma or end' && letter === ',') {
    return { offset: offset + 1, expecting: open.at(-1) === '{' ? 'key' : 'value' }
  }
  if (expecting === 'key' || expecting === 'first key')
    return textToken(text, offset, { expected: wanted[expecting], then: 'colon' })
  if (expecting === 'value' || expecting === 'first item') return value(text, offset, place)
  return { offset, expected: expecting === 'comma or end' ? `a comma, or ${closes ?? ''}` : wanted[expecting] }
}

function value(text: string, offset: number, { expecting, open }: Place): Step {
  const letter = text[offset]
  if (letter === '{' || letter === '[') {
    open.push(letter)
    return { offset: offset + 1, expecting: letter === '{' ? 'first key' : 'first item' }
  }
  if (letter === '"') return textToken(text, offset, { expected: wanted[expecting], then: afterValue(open) })
  const end = endOf(tokens.scalar, text, offset)
  return end === undefined ? { offset, expected: wanted[expecting] } : { offset: end, expecting: afterValue(open) }
}

function textToken(text: string, offset: number, rule: { readonly expected: string; readonly then: Expecting }): Step {
  if (text[offset] !== '"') return { offset, expected: rule.expected }
  const broken = endOfText(text, offset + 1)
  const letter = text[broken]
  if (letter === '"') return { offset: broken + 1, expecting: rule.then }
  if (letter === '\\') return { offset: broken, expected: 'one of \\" \\\\ \\/ \\b \\f \\n \\r \\t \\u0000' }
  return {
    offset: broken,
    expected:
      letter === undefined ? 'a closing double quote' : 'no line break or control character in a text (write \\n)',
  }
}

function closingOf(expecting: Expecting, open: readonly string[]): '}' | ']' | undefined {
  const mayClose = expecting === 'comma or end' || expecting === 'first key' || expecting === 'first item'
  if (!mayClose) return undefined
  return open.at(-1) === '{' ? '}' : ']'
}

function afterValue(open: readonly string[]): Expecting {
  return open.length === 0 ? 'nothing' : 'comma or end'
}

/** Where a text ends, or what is wrong in it is. A loop, because one expression for it all overflows on long texts. */
function endOfText(text: string, start: number): number {
  let offset: number | undefined = start
  for (;;) {
    notPlain.lastIndex = offset
    const at = notPlain.exec(text)?.index ?? text.length
    if (text[at] !== '\\') return at
    offset = endOf(tokens.escape, text, at)
    if (offset === undefined) return at
  }
}

function endOf(token: RegExp, text: string, offset: number): number | undefined {
  token.lastIndex = offset
  return token.test(text) ? token.lastIndex : undefined
}
