// Who does something by hand, as it is kept for `troupe audit`.
import { userInfo } from 'node:os'
import type { Command } from 'commander'
import type { ByOption } from '../engine/verbs/audit.ts'

export interface ByFlags {
  readonly by?: string
}

export function addBy(command: Command): Command {
  return command.option('--by <name>', 'who does it, for troupe audit (default: the user of this machine)')
}

/** Nobody where this machine knows no name for who runs this, as in some containers. */
export function whoDoes({ by = ownName() }: ByFlags): ByOption {
  return by === undefined ? {} : { by }
}

function ownName(): string | undefined {
  try {
    return userInfo().username
  } catch {
    return undefined
  }
}
