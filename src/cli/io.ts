// What a command is given of the world outside, so that a test can stand in for a terminal.
import { text } from 'node:stream/consumers'
import { systemClock, type Clock } from '../lib/clock.ts'

/** One of the two streams of output. */
export interface Output {
  readonly isTerminal: boolean
  /** Read anew for each drawing: people resize their windows. */
  readonly columns: number
  write(text: string): void
}

export type Signal = 'SIGINT' | 'SIGTERM'

export type Environment = Readonly<Record<string, string | undefined>>

export interface Io {
  readonly stdout: Output
  readonly stderr: Output
  readonly env: Environment
  readonly clock: Clock
  /** The folder that relative paths start from. */
  readonly folder: string
  /** Everything that is piped in. */
  readStdin(): Promise<string>
  /** Calls for every signal until the returned function is called; while somebody listens, signals do not end the process. */
  onSignal(listener: (signal: Signal) => void): () => void
}

/** What a pipe gets: nothing is cut or wrapped. */
export const unlimited = Number.POSITIVE_INFINITY

/** The world of this process. */
export function processIo(): Io {
  return {
    stdout: outputOf(process.stdout),
    stderr: outputOf(process.stderr),
    env: process.env,
    clock: systemClock,
    folder: process.cwd(),
    readStdin: () => text(process.stdin),
    onSignal: (listener) => {
      const signals: readonly Signal[] = ['SIGINT', 'SIGTERM']
      for (const signal of signals) process.on(signal, listener)
      return () => {
        for (const signal of signals) process.off(signal, listener)
      }
    },
  }
}

/** Tells whether an environment variable switches something on. */
export function isSet(variable: string | undefined): boolean {
  return variable !== undefined && variable !== '' && variable !== '0'
}

function outputOf(stream: NodeJS.WriteStream): Output {
  return {
    get isTerminal() {
      return stream.isTTY === true
    },
    get columns() {
      return stream.isTTY === true ? stream.columns || 80 : unlimited
    },
    write: (words) => void stream.write(words),
  }
}
