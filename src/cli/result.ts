// What a run gives, on standard output.
import type { CommonFlags } from './config.ts'
import type { Io } from './io.ts'
import { paintFor, plain } from './paint.ts'
import { prettyValue, toJson } from './values.ts'

/** For people on a terminal, else JSON in one line. */
export function writeResult(value: unknown, { json }: CommonFlags, { stdout, env }: Io): void {
  if (json === true || !stdout.isTerminal) stdout.write(`${toJson(value)}\n`)
  else if (value !== undefined)
    stdout.write(`${prettyValue(value, { columns: stdout.columns, colors: paintFor(stdout, env) !== plain })}\n`)
}
