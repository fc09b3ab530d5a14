// What went wrong in SQLite, told from its result codes, never from the text of a message.
import { TroupeError } from '../../../lib/errors.ts'
import type { Seal } from './sealed.ts'

/** Primary result codes (sqlite.org/rescode.html). */
const busy = 5
const locked = 6
const readonly = 8
const ioError = 10
const corrupt = 11
const full = 13
const cannotOpen = 14
const protocol = 15
const notADatabase = 26

/** Extended result codes of an `ioError` while it wrote: write, fsync, fsync of the folder, truncate. */
const couldNotWrite = [778, 1034, 1290, 1546]

/** Extended result code of what a trigger refused. */
const refusedByTrigger = 1811

const checkTheFolder = 'Check the folder, its permissions and its disk'

/** Gives an error thrown by the SQLite library its code and its remedy; other errors stay as they are. */
export function toStoreError(error: unknown, location: string): unknown {
  const code = resultCode(error)
  const options = { cause: error, details: { location } }
  // A protocol error is a lock too: several processes kept opening the file at the same time.
  if (code === busy || code === locked || code === protocol) {
    return new TroupeError(
      'store_busy',
      `The store ${location} stayed locked by another process: end what holds it open in a long transaction.`,
      { ...options, retryable: true },
    )
  }
  if (code === readonly) {
    return storeReadonly(location, error)
  }
  if (code === corrupt || code === notADatabase) {
    return new TroupeError(
      'store_corrupt',
      `${location} is not a Troupe store, or is damaged: name another file with --store, or restore this one from a backup.`,
      options,
    )
  }
  if (code === full) {
    return new TroupeError(
      'store_full',
      `The disk of the store ${location} is full: make room; nothing acknowledged is lost, and what ran goes on afterwards.`,
      { ...options, retryable: true },
    )
  }
  if (code === ioError || code === cannotOpen) {
    const what = couldNotWrite.includes(extendedCode(error) ?? 0)
      ? 'cannot be written. Check its disk, and how large a file this process may make'
      : `cannot be opened or read. ${checkTheFolder}`
    return new TroupeError('store_unavailable', `The store ${location} ${what}.`, options)
  }
  return error
}

/** Whether an error of the SQLite library says what went wrong in a way that a program understands. */
export function hasResultCode(error: unknown): boolean {
  return extendedCode(error) !== undefined
}

/** Whether a trigger of the file refused it. */
export function isOfTrigger(error: unknown): boolean {
  return extendedCode(error) === refusedByTrigger
}

/** The runs of a file are elsewhere, or on their way. */
export function storeMoved(location: string, { target, isDone }: Seal, cause?: unknown): TroupeError {
  const what = isDone
    ? `was moved to ${target}: open that store, here nothing is written any more`
    : `is being moved to ${target} and takes no writes meanwhile: open that store once \`troupe migrate\` has ended; if it was cut off, go on with it by --resume, or take it back by --give-up`
  return new TroupeError('store_moved', `The store ${location} ${what}.`, {
    cause,
    details: { location, target, isDone },
  })
}

export function sqliteMissing(nodeVersion: string, cause: unknown): TroupeError {
  return new TroupeError(
    'sqlite_missing',
    `Node ${nodeVersion} has no SQLite of its own and the package that stands in is not installed: run \`npm install @photostructure/sqlite@1.2.1\`, or use Node 22.13 or newer.`,
    { cause },
  )
}

export function sqliteTooOld(version: string): TroupeError {
  return new TroupeError(
    'sqlite_too_old',
    `This SQLite is ${version}, and before 3.51.3 a write-ahead log could lose a commit: use Node 22.23, 24.21 or newer, or @photostructure/sqlite on Node 20.`,
    { details: { version } },
  )
}

export function storeNewer(location: string, found: number, known: number): TroupeError {
  return new TroupeError(
    'store_newer',
    `The store ${location} has schema ${found} and this version knows up to ${known}: update the troupe package.`,
    { details: { location, found, known } },
  )
}

export function storeReadonly(location: string, cause: unknown): TroupeError {
  return new TroupeError(
    'store_readonly',
    `The store ${location} cannot be written: make the file and its folder writable for this user, or name another with --store.`,
    { cause, details: { location } },
  )
}

export function storeGone(location: string): TroupeError {
  return new TroupeError(
    'store_unavailable',
    `The file of the store ${location} was removed or replaced while it was open, and what were written now would be lost: put it back, or start this process again.`,
    { details: { location } },
  )
}

export function notAStore(location: string): TroupeError {
  return new TroupeError(
    'store_corrupt',
    `${location} is a SQLite database of another program: name another file with --store.`,
    { details: { location } },
  )
}

export function folderUnusable(location: string, cause: unknown): TroupeError {
  return new TroupeError(
    'store_unavailable',
    `The folder of the store ${location} cannot be made. ${checkTheFolder}.`,
    {
      cause,
      details: { location },
    },
  )
}

function resultCode(error: unknown): number | undefined {
  const code = extendedCode(error)
  // The low byte is the primary code; the rest says more exactly what happened.
  return code === undefined ? undefined : code & 0xff
}

function extendedCode(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null) return undefined
  const { errcode } = error as { errcode?: unknown }
  return typeof errcode === 'number' ? errcode : undefined
}
