// How the file of a store is: its size, its log, its free pages, and on wish whether it is whole.
import { statSync } from 'node:fs'
import { formatBytes } from '../../lib/bytes.ts'
import type { Finding } from '../health.ts'
import { together, type Query } from '../query.ts'
import type { Database } from '../sql/database/database.ts'
import { findSeal, type Seal } from './connection/sealed.ts'

export interface FileFacts {
  readonly location: string
  readonly pages: number
  readonly pageBytes: number
  readonly freePages: number
  readonly journalMode: string
  readonly walBytes: number
  /** Its runs go on elsewhere. */
  readonly seal: Seal | undefined
  /** What is wrong with the file; none when it is whole, undefined when nobody looked. */
  readonly damage: readonly string[] | undefined
}

// The log is begun anew at 16 MB, unless somebody reads an old state.
const largeWalBytes = 64 * 1_048_576
const manyFreeBytes = 256 * 1_048_576
const mostlyFree = 0.5

/** Asks the file; `isThorough` reads all of it. */
export function* lookAtFile(db: Database, location: string, isThorough: boolean): Query<FileFacts> {
  const [pages, size, free, journal] = yield* together([
    db.get<{ page_count: number }>('pragma page_count'),
    db.get<{ page_size: number }>('pragma page_size'),
    db.get<{ freelist_count: number }>('pragma freelist_count'),
    db.get<{ journal_mode: string }>('pragma journal_mode'),
  ])
  const seal = yield* findSeal(db)
  const damage = isThorough ? yield* db.all<{ quick_check: string }>('pragma quick_check') : undefined
  return {
    location,
    pages: pages?.page_count ?? 0,
    pageBytes: size?.page_size ?? 0,
    freePages: free?.freelist_count ?? 0,
    journalMode: journal?.journal_mode ?? '',
    walBytes: statSync(`${location}-wal`, { throwIfNoEntry: false })?.size ?? 0,
    seal,
    damage: damage?.map((row) => row.quick_check).filter((line) => line !== 'ok'),
  }
}

/** Judges what was seen. */
export function findingsOf(facts: FileFacts): Finding[] {
  return [ofFile(facts), ...ofSeal(facts), ofJournal(facts), ofWal(facts), ofFreePages(facts), ...ofDamage(facts)]
}

function ofFile({ location, pages, pageBytes }: FileFacts): Finding {
  const bytes = pages * pageBytes
  const where = location === ':memory:' ? 'in the memory of this process, and ends with it' : 'one file'
  return {
    code: 'file',
    severity: 'ok',
    text: `The store is ${where}: ${formatBytes(bytes)}.`,
    details: { bytes, pages },
  }
}

function ofSeal({ seal }: FileFacts): Finding[] {
  if (seal === undefined) return []
  const { target, isDone } = seal
  const details = { target }
  if (isDone) {
    const text = `Its runs were moved to ${target}: nobody writes to it any more.`
    const remedy = 'Give programs that store, and keep or delete this file.'
    return [{ code: 'moved', severity: 'warning', text, remedy, details }]
  }
  const text = `Its runs are being moved to ${target}, and nobody writes to it.`
  const remedy = 'If that was cut off: `troupe migrate --from … --to … --resume`, or `--give-up` to go on here.'
  return [{ code: 'moved', severity: 'error', text, remedy, details }]
}

function ofJournal({ location, journalMode }: FileFacts): Finding {
  const details = { journalMode }
  const text = `Its journal mode is ${journalMode}.`
  if (journalMode === (location === ':memory:' ? 'memory' : 'wal'))
    return { code: 'journal', severity: 'ok', text, details }
  const remedy = 'Put the file on a local disk: SQLite keeps a write-ahead log on no other.'
  return { code: 'journal', severity: 'error', text, remedy, details }
}

function ofWal({ walBytes }: FileFacts): Finding {
  const details = { walBytes }
  const text = `Its write-ahead log has ${formatBytes(walBytes)}.`
  if (walBytes < largeWalBytes) return { code: 'wal', severity: 'ok', text, details }
  const remedy =
    'End what reads the file for long, such as an open shell of sqlite3 or a backup: the log grows meanwhile.'
  return { code: 'wal', severity: 'warning', text, remedy, details }
}

function ofFreePages({ pages, pageBytes, freePages }: FileFacts): Finding {
  const bytes = freePages * pageBytes
  const details = { freePages, bytes }
  const text = `${formatBytes(bytes)} of it are free, and used again.`
  if (bytes < manyFreeBytes || freePages < pages * mostlyFree)
    return { code: 'free_pages', severity: 'ok', text, details }
  const remedy = 'To give the room back, stop the programs and say: sqlite3 FILE vacuum'
  return { code: 'free_pages', severity: 'warning', text, remedy, details }
}

function ofDamage({ damage }: FileFacts): Finding[] {
  if (damage === undefined) return []
  if (damage.length === 0) return [{ code: 'integrity', severity: 'ok', text: 'The file is whole.', details: {} }]
  return damage.map((line) => ({
    code: 'integrity',
    severity: 'error',
    text: `The file is damaged: ${line}.`,
    remedy: 'Stop the programs, keep a copy, and take what can be read with: sqlite3 FILE .recover',
    details: { line },
  }))
}
