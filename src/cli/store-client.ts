// The engine as a client: it looks into a store that is there, and performs nothing.
import { seenFromOutside } from '../model/codecs/codecs.ts'
import { requireStore } from '../store/open.ts'
import { Troupe } from '../troupe.ts'
import { loadStore, shown, type CommonFlags } from './config.ts'
import type { Io } from './io.ts'

/** Lends an open client to `use`. Throws `store_unavailable` when there is no store: looking makes none. */
export async function withClient<T>(flags: CommonFlags, io: Io, use: (troupe: Troupe) => Promise<T>): Promise<T> {
  const { store, coding = seenFromOutside } = await loadStore(flags, io.folder)
  requireStore(store, (path) => shown(path, io.folder))
  const troupe = await Troupe.openIn({ store, logLevel: 'error' }, { clock: io.clock, coding })
  try {
    return await use(troupe)
  } finally {
    await troupe.stop()
  }
}
