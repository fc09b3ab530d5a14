// Cuts a JSON array into pieces that can each be read and parsed alone, so that no step ever holds the whole file.

/** A run of neighbouring rows: bytes `start` up to but not including `end` of the file, without the brackets around them. */
export interface RowRange {
  readonly firstRow: number
  readonly rows: number
  readonly start: number
  readonly end: number
}

/** A row as it stands in the file: its value, or its text where that is not JSON. */
export type RawRow = { readonly value: unknown } | { readonly brokenText: string }

const quote = 0x22
const comma = 0x2c
const backslash = 0x5c

const isBlank = (byte: number) => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09
const isOpening = (byte: number) => byte === 0x5b || byte === 0x7b
const isClosing = (byte: number) => byte === 0x5d || byte === 0x7d

/**
 * Splits the rows of a JSON array into ranges of `rowsEach`, the last one shorter, without parsing them.
 *
 * Throws when the brackets do not add up, because then no row boundary can be trusted.
 */
export function splitRows(bytes: Uint8Array, rowsEach: number): RowRange[] {
  const ranges: RowRange[] = []
  let firstRow = 0
  let rows = 0
  let start = 0
  let end = 0
  const close = () => {
    if (rows > 0) ranges.push({ firstRow, rows, start, end })
    firstRow += rows
    rows = 0
  }
  const { from, to } = insideBrackets(bytes)
  scanRows(bytes.subarray(from, to), (rowStart, rowEnd) => {
    if (rows === 0) start = from + rowStart
    rows += 1
    end = from + rowEnd
    if (rows === rowsEach) close()
  })
  close()
  return ranges
}

/** Parses the rows of one range; a row that is not JSON is handed back as text and its neighbours are unharmed. */
export function parseRows(bytes: Uint8Array): RawRow[] {
  try {
    const values = JSON.parse(`[${toText(bytes)}]`) as unknown[]
    return values.map((value) => ({ value }))
  } catch {
    return parseRowByRow(bytes)
  }
}

function parseRowByRow(bytes: Uint8Array): RawRow[] {
  const rows: RawRow[] = []
  scanRows(bytes, (start, end) => {
    const text = toText(bytes.subarray(start, end))
    try {
      rows.push({ value: JSON.parse(text) as unknown })
    } catch {
      rows.push({ brokenText: text })
    }
  })
  return rows
}

const toText = (bytes: Uint8Array) => new TextDecoder().decode(bytes)

function insideBrackets(bytes: Uint8Array): { from: number; to: number } {
  let from = 0
  let to = bytes.length
  while (from < to && isBlank(bytes[from]!)) from += 1
  while (to > from && isBlank(bytes[to - 1]!)) to -= 1
  if (to - from < 2 || bytes[from] !== 0x5b || bytes[to - 1] !== 0x5d) {
    throw new Error('it does not begin with [ and end with ]')
  }
  return { from: from + 1, to: to - 1 }
}

function scanRows(bytes: Uint8Array, onRow: (start: number, end: number) => void): void {
  let depth = 0
  let rowStart = -1
  let lastInk = -1
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at]!
    if (isBlank(byte)) continue
    if (byte === comma && depth === 0) {
      onRow(rowStart === -1 ? at : rowStart, lastInk === -1 ? at : lastInk + 1)
      rowStart = -1
      lastInk = -1
      continue
    }
    if (rowStart === -1) rowStart = at
    if (byte === quote) at = endOfString(bytes, at)
    else if (isOpening(byte)) depth += 1
    else if (isClosing(byte)) depth -= 1
    if (depth < 0) throw new Error(`a bracket closes at byte ${at} that was never opened`)
    lastInk = at
  }
  if (depth > 0) throw new Error('a bracket is never closed')
  if (rowStart !== -1) onRow(rowStart, lastInk + 1)
}

function endOfString(bytes: Uint8Array, opening: number): number {
  for (let at = opening + 1; at < bytes.length; at += 1) {
    if (bytes[at] === backslash) at += 1
    else if (bytes[at] === quote) return at
  }
  throw new Error(`the text that begins at byte ${opening} is never closed`)
}
