// What Ctrl-C does: the first one stops gracefully, the second at once.
import type { Troupe } from '../troupe.ts'
import { exitCodes, type ExitCode } from './exit-codes.ts'
import type { Io, Signal } from './io.ts'

export interface Interruption {
  /** The first signal that came. */
  signal(): Signal | undefined
  /** Resolves at the second signal. */
  readonly impatient: Promise<ExitCode>
  end(): void
}

/** How long the first signal waits for what is executing, and where that is told. */
export interface Farewell {
  readonly patience: string
  notice(text: string): void
}

export function listenForSignals(troupe: Pick<Troupe, 'stop'>, { patience, notice }: Farewell, io: Io): Interruption {
  let first: Signal | undefined
  let stopListening = (): void => {}
  const impatient = new Promise<ExitCode>((resolve) => {
    stopListening = io.onSignal((signal) => {
      if (first !== undefined) return resolve(exitCodeFor(signal))
      first = signal
      const hurry = signal === 'SIGINT' ? ' Ctrl-C again to stop at once.' : ''
      notice(`Stopping, up to ${patience} for what is executing.${hurry}`)
      void troupe.stop({ within: patience })
    })
  })
  return { signal: () => first, impatient, end: () => stopListening() }
}

export function exitCodeFor(signal: Signal): ExitCode {
  return signal === 'SIGTERM' ? exitCodes.terminated : exitCodes.interrupted
}
