// Who does something by hand, as it is kept for `troupe audit`.
import { userInfo } from 'node:os'
import type { Command } from 'commander'
import type { ByOption, WhyOption } from '../engine/verbs/audit.ts'

export interface ByFlags {
  readonly by?: string
}

export interface WhyFlags extends ByFlags {
  readonly reason?: string
}

export function addBy(command: Command): Command {
  return command.option('--by <name>', 'who does it, for troupe audit (default: the user of this machine)')
}

export function addWhy(command: Command): Command {
  return addBy(command).option('--reason <text>', 'why, for troupe audit')
}

export function whyDone({ reason, ...flags }: WhyFlags): WhyOption {
  return { ...whoDoes(flags), ...(reason !== undefined && { reason }) }
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
