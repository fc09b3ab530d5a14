// Sandboxes for tests, closed when their file ends.
import { afterAll } from 'vitest'
import type { ScriptOptions } from '../../src/script/options.ts'
import { Sandbox, type SandboxOptions } from '../../src/script/script.ts'
import type { ScriptLine } from '../../src/script/wire.ts'
import type { TroupeError } from '../../src/lib/errors.ts'
import { RecordedLog } from '../../src/testing/recorded-log.ts'
import { rejection } from '../engine/stage.ts'

export const now = Date.UTC(2026, 1, 3, 4, 5, 6)

export interface Tried {
  readonly sandbox: Sandbox
  readonly log: RecordedLog
  run(script: string, options?: Partial<ScriptOptions>): Promise<unknown>
  /** What it fails with. */
  failure(script: string, options?: Partial<ScriptOptions>): Promise<TroupeError>
  /** What it says. */
  lines(script: string, options?: Partial<ScriptOptions>): Promise<ScriptLine[]>
}

export function sandboxed(options: Partial<SandboxOptions> = {}): Tried {
  const log = new RecordedLog()
  const sandbox = new Sandbox({ log, max: 2, ...options })
  afterAll(() => sandbox.close())
  const run: Tried['run'] = (script, given) => sandbox.run(script, { now, seed: 'test', ...given })
  return {
    sandbox,
    log,
    run,
    failure: async (script, given) => (await rejection(run(script, given))) as unknown as TroupeError,
    lines: async (script, given) => {
      const lines: ScriptLine[] = []
      await run(script, { ...given, onLine: (line) => lines.push(line) }).catch(() => undefined)
      return lines
    },
  }
}
