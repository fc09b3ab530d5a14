// What bench:wfcommons is told on its command line.
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

export interface TraceOptions {
  readonly files: readonly string[]
  readonly scale: number
  readonly actors: number | undefined
  readonly rounds: number
  /** Where the pictures go. */
  readonly folder: string
}

export const usage = `Usage: npm run bench:wfcommons -- FILE… [options]

  FILE            a trace in WfFormat 1.5 or 1.4, or a folder of them
  --scale N       how long a second of the trace lasts, in seconds; 0.001 unless told
  --actors N      how many tasks may be under way at once; all unless told
  --rounds N      how often each is performed, of which the one in the middle counts; 3 unless told
  --out FOLDER    where the charts go; .cache/wfcommons unless told
  --help          this text`

const options = {
  scale: { type: 'string', default: '0.001' },
  actors: { type: 'string' },
  rounds: { type: 'string', default: '3' },
  out: { type: 'string', default: '.cache/wfcommons' },
  help: { type: 'boolean', short: 'h' },
} as const

/** What was asked for: options, `help`, or what is wrong with it. */
export function readTraceOptions(args: readonly string[]): TraceOptions | string {
  try {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true })
    if (values.help === true) return 'help'
    const scale = Number(values.scale)
    if (!(scale >= 0 && scale < Infinity)) return `--scale is ${values.scale}, and is to be a number of 0 or more`
    const [actors, rounds] = [values.actors === undefined ? undefined : Number(values.actors), Number(values.rounds)]
    for (const [name, count] of Object.entries({ actors, rounds }))
      if (count !== undefined && !(Number.isInteger(count) && count > 0))
        return `--${name} is ${values[name as 'actors' | 'rounds']}, and is to be a whole number of 1 or more`
    const files = positionals.flatMap(filesAt)
    if (files.length === 0)
      return positionals.length === 0 ? 'no trace is named' : `no .json in ${positionals.join(', ')}`
    return { files, scale, actors, rounds, folder: values.out }
  } catch (error) {
    return (error as Error).message.split(/\.\s/, 1)[0] ?? ''
  }
}

function filesAt(path: string): readonly string[] {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) return [path]
  const names = readdirSync(path).filter((name) => name.endsWith('.json'))
  return names.sort().map((name) => join(path, name))
}
