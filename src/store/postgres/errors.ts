// What went wrong in Postgres, told from SQLSTATE codes; only the driver says some things in words alone.
import { TroupeError } from '../../lib/errors.ts'
import { optionInvalid } from '../../model/errors.ts'
import type { Place } from './place.ts'

/** What is to be done about an error: tried again in a new transaction, on a new connection, or nothing. */
export type Remedy = 'again' | 'reconnect' | 'none'

// postgresql.org/docs/current/errcodes-appendix.html
const again = ['40001', '40P01', '55P03', '57014']
const gone = ['57P01', '57P02', '57P03', '57P05', '25P03', '53300']
// nodejs.org/api/errors.html#common-system-errors
const ofSockets = [
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ECONNABORTED',
]
const full = ['53100', '53200']
const readonly = ['25006', '42501']

/** What helps. An error without a code is one of the connection. */
export function remedyOf(error: unknown): Remedy {
  const code = stateOf(error)
  if (code === undefined) return isOfDriver(error) ? 'reconnect' : 'none'
  if (again.includes(code)) return 'again'
  return gone.includes(code) || code.startsWith('08') ? 'reconnect' : 'none'
}

/** Gives an error of Postgres, or of the way to it, its code and its remedy; other errors stay as they are. */
export function toStoreError(error: unknown, shown: string): unknown {
  const code = stateOf(error)
  const options = { cause: error, details: { location: shown, ...(code !== undefined && { sqlstate: code }) } }
  const remedy = remedyOf(error)
  if (remedy === 'again')
    return new TroupeError(
      'store_busy',
      `The store ${shown} stayed locked: end what holds a transaction open on its tables (\`select * from pg_stat_activity\` shows it).`,
      { ...options, retryable: true },
    )
  if (remedy === 'reconnect') return storeUnavailable(shown, error)
  if (code === undefined) return error
  if (full.includes(code))
    return new TroupeError(
      'store_full',
      `The server of the store ${shown} is out of disk or memory: make room; nothing acknowledged is lost, and what ran goes on afterwards.`,
      { ...options, retryable: true },
    )
  if (readonly.includes(code))
    return new TroupeError(
      'store_readonly',
      `The store ${shown} cannot be written: connect to its primary, as a role that owns its tables.`,
      options,
    )
  if (code.startsWith('28') || code === '3D000')
    return new TroupeError(
      'store_unavailable',
      `The store ${shown} refuses the connection: check user, password and database in its URL.`,
      options,
    )
  return error
}

function storeUnavailable(shown: string, cause: unknown): TroupeError {
  const why = cause instanceof Error && cause.message !== '' ? ` (${cause.message})` : ''
  return new TroupeError(
    'store_unavailable',
    `The store ${shown} cannot be reached${why}: check that the server runs and its URL.`,
    { cause, details: { location: shown }, retryable: true },
  )
}

/** What a transaction of a program could not be given. Other errors, as of its connection, stay as they are. */
export function transactionRefused(error: unknown, { schema }: Place, expected: string): unknown {
  const code = stateOf(error)
  if (code === '25P01') return optionInvalid('tx', 'a client without a transaction', expected)
  if (code === '3F000' || code === '42P01') return optionInvalid('tx', 'a transaction on another database', expected)
  if (code !== '42501') return error
  const granted = `usage on schema ${schema} and insert on ${schema}.intake`
  return optionInvalid('tx', 'a transaction of a role that may start nothing', `one that was granted ${granted}`)
}

export function postgresMissing(cause: unknown): TroupeError {
  return new TroupeError(
    'package_missing',
    'A store on Postgres needs the package pg, which is not installed: run `npm install pg@8.23.1`.',
    { cause },
  )
}

export function noStore({ shown, schema }: Place): TroupeError {
  return new TroupeError(
    'store_unavailable',
    `There is no store in schema ${schema} of ${shown} yet: programs and \`troupe run\` make one.`,
    { details: { location: shown, schema } },
  )
}

export function storeUnfinished(shown: string): TroupeError {
  return new TroupeError(
    'store_unavailable',
    `The store ${shown} is not whole yet, as another is being moved there: wait until \`troupe migrate\` has ended, or go on with it by --resume.`,
    { details: { location: shown } },
  )
}

export function storeNewer(shown: string, found: number, known: number): TroupeError {
  return new TroupeError(
    'store_newer',
    `The store ${shown} has schema ${found} and this version knows up to ${known}: update the troupe package.`,
    { details: { location: shown, found, known } },
  )
}

function stateOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined
  const { code } = error as { code?: unknown }
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) && code !== 'EPIPE' ? code : undefined
}

/** Errors of sockets have codes of their own; those of the driver say in words that the connection ended. */
function isOfDriver(error: unknown): boolean {
  if (!(error instanceof Error) || error instanceof TroupeError) return false
  const { code } = error as { code?: unknown }
  if (typeof code === 'string') return ofSockets.includes(code)
  return (
    /^(Connection terminated|Query read timeout|timeout expired|Client has encountered a connection error|Client was closed)/.test(
      error.message,
    ) || error.message.includes('timeout exceeded when trying to connect')
  )
}
