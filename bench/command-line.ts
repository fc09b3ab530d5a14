// What a bench is told on its command line, and how it tells a person how far it is.
import { parseArgs } from 'node:util'

export interface BenchOptions {
  /** Only what has this in its name. */
  readonly only: string
  /** Whether others are measured beside. */
  readonly peers: boolean
  readonly rounds: number
  /** What else this bench takes, by name. */
  readonly own: Readonly<Record<string, string>>
}

/** `own` are the defaults of what this bench alone takes. */
export function benchOptions(own: Readonly<Record<string, string>> = {}): BenchOptions {
  const texts = { only: '', rounds: '3', ...own }
  const described = Object.entries(texts).map(([name, text]) => [name, { type: 'string', default: text }] as const)
  const values: Readonly<Record<string, unknown>> = parseArgs({
    options: { ...Object.fromEntries(described), peers: { type: 'boolean', default: true } },
    allowNegative: true,
  }).values
  const rounds = Number(values['rounds'])
  if (!Number.isInteger(rounds) || rounds < 1)
    throw new Error(`--rounds is ${String(values['rounds'])}: give a whole number of 1 or more`)
  return {
    only: String(values['only']),
    peers: values['peers'] === true,
    rounds,
    own: Object.fromEntries(Object.keys(own).map((name) => [name, String(values[name])])),
  }
}

/** Shows a line in the place of the one before; nothing where nobody looks. */
export function progress(line: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001B[K${line}`)
}
