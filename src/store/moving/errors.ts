// Why a store is not moved, or not any further.
import { TroupeError } from '../../lib/errors.ts'
import { counted } from '../../lib/text.ts'
import type { NodeIdentity } from '../nodes.ts'

function refused(message: string, location: string): TroupeError {
  return new TroupeError('move_refused', message, { details: { location } })
}

export function noStoreIn(location: string): TroupeError {
  return new TroupeError('store_unavailable', `There is no store at ${location}: give its file in --from.`, {
    details: { location },
  })
}

export function nodesAlive(location: string, nodes: readonly Pick<NodeIdentity, 'name'>[]): TroupeError {
  const names = nodes.map(({ name }) => name).join(', ')
  const has = nodes.length === 1 ? 'has a lease' : 'have leases'
  return refused(
    `${counted(nodes.length, 'node')} of the store ${location} still ${has}: stop ${names}; one that died has it for 15 s more at the most.`,
    location,
  )
}

export function targetNotEmpty(location: string, tables: readonly string[]): TroupeError {
  return refused(
    `The store ${location} is not empty (${tables.join(', ')}): move to a database, or a ?schema=, that has none of its own.`,
    location,
  )
}

export function moveUnderWay(location: string): TroupeError {
  return refused(`Another process is moving a store to ${location} right now: wait until it has ended.`, location)
}

export function moveCutOff(location: string, target: string): TroupeError {
  return refused(
    `A move of ${location} to ${target} was cut off: go on with it by --resume, or take it back by --give-up.`,
    location,
  )
}

export function moveOfAnother(location: string): TroupeError {
  return refused(
    `What lies in the target is of another move than what ${location} says of itself: drop that schema and begin anew.`,
    location,
  )
}

export function nothingToGiveUp(location: string): TroupeError {
  return refused(`The store ${location} is not being moved: there is nothing to give up.`, location)
}

/** The copy is not what was copied: its runs do not go on there. */
export function copyDiffers(target: string, differing: readonly string[]): TroupeError {
  return new TroupeError(
    'store_corrupt',
    `The copy in ${target} differs from what was copied (${differing.join(', ')}), so nothing was changed over: take the move back by --give-up, drop that schema and begin anew.`,
    { details: { location: target, tables: differing.join(', ') } },
  )
}
