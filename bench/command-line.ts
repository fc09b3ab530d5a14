// What a bench is told on its command line, and how it tells a person how far it is.
import { parse } from 'node:path'
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

type Defaults = Readonly<Record<string, string>>

const defaults = { only: '', rounds: '3' }

/** `own` are the defaults of what this bench alone takes. Ends the process where there is nothing to measure: with 0 after help, with 2 after a mistake. */
export function benchOptions(own: Defaults = {}): BenchOptions {
  const told = readOptions(process.argv.slice(2), own)
  if (typeof told !== 'string') return told
  const isHelp = told === 'help'
  if (isHelp) console.log(usageText(parse(process.argv[1] ?? '').name, own))
  else console.error(`${told}: see --help`)
  process.exit(isHelp ? 0 : 2)
}

/** What was asked for: options, `help`, or what is wrong with it. */
export function readOptions(args: readonly string[], own: Defaults = {}): BenchOptions | string {
  const texts = Object.entries({ ...defaults, ...own })
  const described = texts.map(([name, text]) => [name, { type: 'string', default: text }] as const)
  const flags = { peers: { type: 'boolean', default: true }, help: { type: 'boolean', short: 'h' } } as const
  let values: Readonly<Record<string, unknown>>
  try {
    values = parseArgs({
      args: [...args],
      options: { ...Object.fromEntries(described), ...flags },
      allowNegative: true,
    }).values
  } catch (error) {
    return (error as Error).message.split(/\.\s/, 1)[0] ?? ''
  }
  if (values['help'] === true) return 'help'
  const rounds = Number(values['rounds'])
  if (!Number.isInteger(rounds) || rounds < 1)
    return `--rounds is ${String(values['rounds'])}, and is to be a whole number of 1 or more`
  return {
    only: String(values['only']),
    peers: values['peers'] === true,
    rounds,
    own: Object.fromEntries(Object.keys(own).map((name) => [name, String(values[name])])),
  }
}

/** How a bench is called, for people. */
export function usageText(bench: string, own: Defaults = {}): string {
  const { rounds } = { ...defaults, ...own }
  const options = [
    ['--only TEXT', 'only what has this in its name'],
    ['--no-peers', 'without other libraries beside'],
    ['--rounds N', `how often each is measured; ${rounds} unless told`],
    ...Object.entries(own).flatMap(([name, text]) =>
      name in defaults ? [] : [[`--${name} ${name.toUpperCase()}`, `${text} unless told`]],
    ),
    ['--help', 'this text'],
  ]
  const lines = options.map(([option = '', what = '']) => `  ${option.padEnd(16)}${what}`)
  return [`Usage: npm run bench:${bench} -- [options]`, '', ...lines].join('\n')
}

/** Shows a line in the place of the one before; nothing where nobody looks. */
export function progress(line: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001B[K${line}`)
}
