// A command as people type it, performed in this process: what it prints, and its exit code.
import { main } from '../../src/cli/cli.ts'
import { unlimited, type Io } from '../../src/cli/io.ts'
import { systemClock } from '../../src/lib/clock.ts'

export interface Performed {
  readonly code: number
  readonly out: string
  readonly err: string
}

export async function troupe(folder: string, argv: readonly string[]): Promise<Performed> {
  let out = ''
  let err = ''
  const io: Io = {
    stdout: { isTerminal: false, columns: unlimited, write: (text) => void (out += text) },
    stderr: { isTerminal: false, columns: unlimited, write: (text) => void (err += text) },
    env: { NO_COLOR: '1' },
    clock: systemClock,
    folder,
    readStdin: () => Promise.resolve(''),
    onSignal: () => () => {},
  }
  return { code: await main(argv, io), out, err }
}
