// The engine as a client: it looks into a store that is there, and performs nothing.
import { seenFromOutside } from '../model/codecs/codecs.ts'
import { requireStore } from '../store/open.ts'
import { Troupe } from '../troupe.ts'
import { findSettings, loadStore, openFor, shown, type CommonFlags } from './config.ts'
import type { Io } from './io.ts'

/** Lends an open client to `use`. Throws `store_unavailable` when there is no store: looking makes none. */
export async function withClient<T>(flags: CommonFlags, io: Io, use: (troupe: Troupe) => Promise<T>): Promise<T> {
  const { store, coding = seenFromOutside, migrate } = await loadStore(flags, io.folder)
  await requireStore(store, (path) => shown(path, io.folder))
  return lent(await Troupe.openIn({ store, migrate, logLevel: 'error' }, { clock: io.clock, coding }), use)
}

/** The same with the code that is here, so that what is told is checked at once; without any, whoever performs the run checks it. */
export async function withCode<T>(flags: CommonFlags, io: Io, use: (troupe: Troupe) => Promise<T>): Promise<T> {
  const settings = await findSettings(flags, io.folder)
  if (settings === undefined) return withClient(flags, io, use)
  const { store } = await loadStore(flags, io.folder)
  await requireStore(store, (path) => shown(path, io.folder))
  return lent((await openFor(settings, { logLevel: 'error' }, io)).troupe, use)
}

async function lent<T>(troupe: Troupe, use: (troupe: Troupe) => Promise<T>): Promise<T> {
  try {
    return await use(troupe)
  } finally {
    await troupe.stop()
  }
}
